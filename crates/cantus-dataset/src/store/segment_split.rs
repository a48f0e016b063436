//! Splits of the segments of a feature store.

use super::FeatureStore;
use crate::{Error, Part, Split, SplitSpec, Track, Unit};

/// Segments of each part of a split, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSplit {
    /// Segments of the training part.
    pub train: Vec<usize>,
    /// Segments of the validation part.
    pub validation: Vec<usize>,
    /// Segments of the test part.
    pub test: Vec<usize>,
    /// The split they come from: of tracks, or of segments for [`Unit::Segment`].
    pub split: Split,
}

impl FeatureStore {
    /// Splits the tracks (or the segments, for [`Unit::Segment`]) and returns the segments of each part.
    ///
    /// # Errors
    /// Those of [`SplitSpec::split`].
    pub fn split(&self, spec: &SplitSpec) -> Result<SegmentSplit, Error> {
        let split = match spec.by {
            Unit::Track | Unit::Group => spec.split(self.tracks(), self.labels())?,
            Unit::Segment => spec.split(&self.segments_as_tracks(), self.labels())?,
        };
        Ok(self.segments_of_split(split))
    }

    /// The segments of each part of a split of this store's tracks.
    #[must_use]
    pub fn segments_of_split(&self, split: Split) -> SegmentSplit {
        let part_of = |segment: &usize| match split.unit {
            Unit::Track | Unit::Group => split.parts[self.track_of(*segment)],
            Unit::Segment => split.parts[*segment],
        };
        let segments = |part| (0..self.n_segments()).filter(|s| part_of(s) == Some(part)).collect();
        let (train, validation, test) =
            (segments(Part::Train), segments(Part::Validation), segments(Part::Test));
        SegmentSplit { train, validation, test, split }
    }

    /// One track for each segment.
    fn segments_as_tracks(&self) -> Vec<Track> {
        let as_track = |segment| Track {
            path: format!("{segment:09}"),
            labels: self.labels_of(segment).to_vec(),
            artist: None,
            group: None,
            part: None,
            fold: None,
            recording: None,
        };
        (0..self.n_segments()).map(as_track).collect()
    }
}
