//! Specification and sizes of a split in the report of a model.

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec, Unit};
use serde::{Deserialize, Serialize};

use super::split_remarks::{remarks, tracks_of};

/// Specification and sizes of a split; in a cross-validation, sizes are means over the folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Its specification.
    #[serde(flatten)]
    pub spec: SplitSpec,
    /// Whether it is predefined by the manifest or by lists.
    pub given: bool,
    /// Sizes of the training part.
    pub train_part: PartSize,
    /// Sizes of the validation part.
    pub validation_part: PartSize,
    /// Sizes of the test part.
    pub test_part: PartSize,
    /// Remarks on what may bias the scores upwards.
    pub remarks: Vec<String>,
}

impl SplitSummary {
    pub(crate) fn new(store: &FeatureStore, spec: &SplitSpec, split: &SegmentSplit) -> Self {
        let size = |segments: &[usize]| PartSize {
            n_tracks: tracks_of(store, segments).len(),
            n_segments: segments.len(),
        };
        Self {
            spec: spec.clone(),
            given: split.split.predefined,
            train_part: size(&split.train),
            validation_part: size(&split.validation),
            test_part: size(&split.test),
            remarks: remarks(store, split),
        }
    }

    /// The split of a cross-validation: `self` is the first fold's, `parts` are each fold's training, validation and test
    /// part.
    pub(super) fn of_folds(self, given: bool, parts: &[[PartSize; 3]], remarks: Vec<String>) -> Self {
        let size = |i: usize| PartSize::mean(parts.iter().map(|parts| parts[i]));
        Self {
            spec: SplitSpec { test: 1.0 / parts.len() as f64, ..self.spec },
            given,
            train_part: size(0),
            validation_part: size(1),
            test_part: size(2),
            remarks,
        }
    }
}

impl std::fmt::Display for SplitSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.spec.by {
            Unit::Track => "track",
            Unit::Group => "group",
            Unit::Segment => "segment (leaks)",
        };
        let origin = if self.given { "as given".to_owned() } else { format!("by {unit}") };
        let [train, validation, test] = [self.train_part, self.validation_part, self.test_part]
            .map(|part| (part.n_tracks, part.n_segments));
        write!(
            f,
            "split {origin}: {} tracks ({} segments) for training, {} ({}) for validation, {} ({}) for test",
            train.0, train.1, validation.0, validation.1, test.0, test.1
        )
    }
}

/// Size of a part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSize {
    /// Tracks with at least one segment in the part.
    pub n_tracks: usize,
    /// Number of segments.
    pub n_segments: usize,
}

impl PartSize {
    /// The rounded mean.
    pub(super) fn mean(parts: impl ExactSizeIterator<Item = Self>) -> Self {
        let n = parts.len().max(1);
        let sum = parts.fold((0, 0), |sum, part| (sum.0 + part.n_tracks, sum.1 + part.n_segments));
        Self { n_tracks: (sum.0 + n / 2) / n, n_segments: (sum.1 + n / 2) / n }
    }
}
