//! Segmentation of tracks, and the arithmetic of segment lengths.

use serde::{Deserialize, Serialize};

use super::FeatureSpec;

/// Segmentation of a track: `n_segments` equal parts of its first `track_duration_s` seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// Duration of a track, in seconds.
    pub track_duration_s: f64,
    /// Number of segments per track.
    pub n_segments: usize,
}

impl Default for Segments {
    /// The course's: 30 s in ten segments.
    fn default() -> Self {
        Self { track_duration_s: 30.0, n_segments: 10 }
    }
}

impl FeatureSpec {
    /// Number of samples per segment: the course's arithmetic, `int(int(sample_rate * duration) / n_segments)`.
    pub fn segment_samples(&self) -> usize {
        let track_samples = (f64::from(self.sample_rate) * self.segments.track_duration_s) as usize;
        track_samples.checked_div(self.segments.n_segments).unwrap_or(0)
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
}
