//! Segmentation of recordings, and the arithmetic of segment lengths.

use serde::{Deserialize, Serialize};

use super::FeatureSpec;

/// How a recording is cut into segments of equal length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SegmentFields", into = "SegmentFields")]
pub enum Segments {
    /// The lecture course's rule: `n_segments` equal parts of the first `track_duration_s` seconds. What is shorter than a
    /// segment is left out.
    Parts {
        /// Duration of a track, in seconds.
        track_duration_s: f64,
        /// Number of segments per track.
        n_segments: usize,
    },
    /// Windows of a fixed duration over the whole recording.
    Windows(SegmentWindows),
}

/// Windows of a fixed duration over the whole recording.
///
/// They begin every `hop_s` seconds, and the last one ends where the recording ends if at least half a hop would remain
/// uncovered. A recording that is shorter than a window is one window, padded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentWindows {
    /// Duration of a window, in seconds.
    pub duration_s: f64,
    /// Time from one window to the next, in seconds.
    pub hop_s: f64,
    /// How a recording that is shorter than a window is padded.
    pub padding: SegmentPadding,
    /// Maximum number of windows of a track that are extracted for training; of a longer track, windows are taken at equal
    /// distances. A prediction uses all.
    pub max_segments: usize,
}

/// How a recording that is shorter than a segment is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentPadding {
    /// The recording is repeated.
    #[default]
    Repeat,
    /// Zeros behind it.
    Zero,
    /// Not at all: the recording is left out.
    None,
}

impl SegmentWindows {
    /// The default of `max_segments`: a track of an hour is represented by as many windows as one of five minutes.
    pub const MAX_SEGMENTS: usize = 30;

    /// Adjacent windows of a duration in seconds, with short recordings repeated.
    pub fn adjacent(duration_s: f64) -> Self {
        let (padding, max_segments) = (SegmentPadding::default(), Self::MAX_SEGMENTS);
        Self { duration_s, hop_s: duration_s, padding, max_segments }
    }
}

impl Default for Segments {
    /// The course's: 30 s in ten segments.
    fn default() -> Self {
        Self::Parts { track_duration_s: 30.0, n_segments: 10 }
    }
}

impl Segments {
    /// Maximum number of segments of a track that are extracted for training.
    pub fn max_per_track(&self) -> usize {
        match self {
            Self::Parts { n_segments, .. } => *n_segments,
            Self::Windows(windows) => windows.max_segments,
        }
    }

    /// How a recording that is shorter than a segment is padded.
    pub fn padding(&self) -> SegmentPadding {
        match self {
            Self::Parts { .. } => SegmentPadding::None,
            Self::Windows(windows) => windows.padding,
        }
    }
}

/// The fields of both kinds, as they are written in a recipe, a store and a model.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SegmentFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    track_duration_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n_segments: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hop_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<SegmentPadding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_segments: Option<usize>,
}

impl TryFrom<SegmentFields> for Segments {
    type Error = &'static str;

    fn try_from(fields: SegmentFields) -> Result<Self, Self::Error> {
        let SegmentFields { track_duration_s, n_segments, duration_s, hop_s, padding, max_segments } = fields;
        match (duration_s, track_duration_s, n_segments) {
            (Some(duration_s), None, None) => {
                let default = SegmentWindows::adjacent(duration_s);
                Ok(Self::Windows(SegmentWindows {
                    duration_s,
                    hop_s: hop_s.unwrap_or(default.hop_s),
                    padding: padding.unwrap_or(default.padding),
                    max_segments: max_segments.unwrap_or(default.max_segments),
                }))
            }
            (Some(_), _, _) => Err("segments: either duration_s, or track_duration_s and n_segments"),
            (None, _, _) if hop_s.is_some() || padding.is_some() || max_segments.is_some() => {
                Err("segments: hop_s, padding and max_segments require duration_s")
            }
            (None, track_duration_s, n_segments) => Ok(Self::Parts {
                track_duration_s: track_duration_s.unwrap_or(30.0),
                n_segments: n_segments.unwrap_or(10),
            }),
        }
    }
}

impl From<Segments> for SegmentFields {
    fn from(segments: Segments) -> Self {
        match segments {
            Segments::Parts { track_duration_s, n_segments } => Self {
                track_duration_s: Some(track_duration_s),
                n_segments: Some(n_segments),
                ..Self::default()
            },
            Segments::Windows(SegmentWindows { duration_s, hop_s, padding, max_segments }) => Self {
                duration_s: Some(duration_s),
                hop_s: Some(hop_s),
                padding: Some(padding),
                max_segments: Some(max_segments),
                ..Self::default()
            },
        }
    }
}

impl FeatureSpec {
    /// Number of samples per segment. Of the course's rule: `int(int(sample_rate * duration) / n_segments)`.
    pub fn segment_samples(&self) -> usize {
        match &self.segments {
            Segments::Parts { track_duration_s, n_segments } => {
                let track_samples = (f64::from(self.sample_rate) * track_duration_s) as usize;
                track_samples.checked_div(*n_segments).unwrap_or(0)
            }
            Segments::Windows(windows) => (f64::from(self.sample_rate) * windows.duration_s).round() as usize,
        }
    }

    /// Number of samples from one segment to the next, at least 1.
    pub fn segment_hop(&self) -> usize {
        let hop = match &self.segments {
            Segments::Parts { .. } => self.segment_samples(),
            Segments::Windows(windows) => (f64::from(self.sample_rate) * windows.hop_s).round() as usize,
        };
        hop.max(1)
    }

    /// Number of frames of a whole segment.
    ///
    /// The course expects `ceil(segment_samples / hop_length)`, 130. A centred STFT has
    /// `1 + floor(segment_samples / hop_length)` frames: the same, unless the hop divides the segment, when it is one
    /// more. This is the number of frames of the STFT.
    pub fn frames_per_segment(&self) -> usize {
        self.n_frames(self.segment_samples())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_has_ten_segments_of_130_frames_of_13_coefficients() {
        let course = FeatureSpec::course();
        assert_eq!(
            (course.segment_samples(), course.frames_per_segment(), course.n_bins()),
            (66_150, 130, 13)
        );
        // The lecture's math.ceil(samples_per_segment / hop_length)
        assert_eq!(course.segment_samples().div_ceil(course.hop_length), course.frames_per_segment());
    }

    #[test]
    fn a_hop_that_divides_the_segment_gives_one_frame_more_than_the_course_expects() {
        let spec = FeatureSpec { hop_length: 441, ..FeatureSpec::course() };
        assert_eq!(spec.segment_samples().div_ceil(spec.hop_length), 150);
        assert_eq!(spec.frames_per_segment(), 151);
        let values = spec.extractor().unwrap().extract(&vec![0.0; spec.segment_samples()]);
        assert_eq!(values.n_frames, 151);
    }

    #[test]
    fn both_kinds_are_written_and_read_with_their_own_fields() {
        let parts = Segments::default();
        let json = serde_json::to_string(&parts).unwrap();
        assert_eq!(json, r#"{"track_duration_s":30.0,"n_segments":10}"#);
        assert_eq!(serde_json::from_str::<Segments>(&json).unwrap(), parts);
        let windows = Segments::Windows(SegmentWindows { hop_s: 0.25, ..SegmentWindows::adjacent(0.5) });
        let json = serde_json::to_string(&windows).unwrap();
        assert_eq!(json, r#"{"duration_s":0.5,"hop_s":0.25,"padding":"repeat","max_segments":30}"#);
        assert_eq!(serde_json::from_str::<Segments>(&json).unwrap(), windows);
        let adjacent = Segments::Windows(SegmentWindows::adjacent(2.0));
        assert_eq!(serde_json::from_str::<Segments>(r#"{"duration_s":2}"#).unwrap(), adjacent);
        for mixed in [r#"{"duration_s":1,"n_segments":3}"#, r#"{"hop_s":1}"#, r#"{"length":1}"#] {
            assert!(serde_json::from_str::<Segments>(mixed).is_err(), "{mixed}");
        }
    }
}
