//! Specification and sizes of a split in the report of a model.

use std::collections::BTreeSet;

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec, Track, Unit};
use serde::{Deserialize, Serialize};

use super::format::counted;
use super::group_remarks::are_artists;
use super::split_remarks::remarks;
use crate::predictions::n_tracks;

/// Specification and sizes of a split; in a cross-validation, sizes are means over the folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Its specification.
    #[serde(flatten)]
    pub spec: SplitSpec,
    /// Whether it is predefined by the manifest or by lists.
    pub given: bool,
    /// The groups, none of which is in two parts, if it is a random split by group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<SplitGroups>,
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
        let size =
            |segments: &[usize]| PartSize { n_tracks: n_tracks(store, segments), n_segments: segments.len() };
        Self {
            spec: spec.clone(),
            given: split.split.predefined,
            groups: (split.split.unit == Unit::Group && !split.split.predefined)
                .then(|| SplitGroups::of(store.tracks())),
            train_part: size(&split.train),
            validation_part: size(&split.validation),
            test_part: size(&split.test),
            remarks: remarks(store, spec, split),
        }
    }

    /// The split of a cross-validation: `self` is the first fold's, `parts` are each fold's training, validation and test
    /// part.
    pub(super) fn of_folds(self, given: bool, parts: &[[PartSize; 3]], remarks: Vec<String>) -> Self {
        let size = |i: usize| PartSize::mean(parts.iter().map(|parts| parts[i]));
        Self {
            spec: SplitSpec { test: 1.0 / parts.len() as f64, ..self.spec },
            given,
            groups: self.groups,
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

/// The groups that a split keeps whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitGroups {
    /// Number of groups; tracks without one are not counted.
    pub n_groups: usize,
    /// Number of tracks without a group: each is a group of its own.
    pub n_ungrouped: usize,
    /// Whether the groups are those of the artist tags.
    pub are_artists: bool,
}

impl SplitGroups {
    fn of(tracks: &[Track]) -> Self {
        let groups: BTreeSet<&str> = tracks.iter().filter_map(|track| track.group.as_deref()).collect();
        Self {
            n_groups: groups.len(),
            n_ungrouped: tracks.iter().filter(|track| track.group.is_none()).count(),
            are_artists: are_artists(tracks),
        }
    }

    /// As the first line of a report, for example `split by group: 68 artists, none in two parts`.
    pub(super) fn in_words(self, is_cross_validation: bool) -> String {
        let (what, parts) = if is_cross_validation { ("folds", "folds") } else { ("split", "parts") };
        let noun = if self.are_artists { "artist" } else { "group" };
        let alone = match self.n_ungrouped {
            0 => String::new(),
            n => format!("; without {noun}: {}, each a group of its own", counted(n, "track")),
        };
        format!("{what} by group: {}, none in two {parts}{alone}", counted(self.n_groups, noun))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_in_the_first_line() {
        let groups = SplitGroups { n_groups: 68, n_ungrouped: 0, are_artists: true };
        assert_eq!(groups.in_words(false), "split by group: 68 artists, none in two parts");
        let some = SplitGroups { n_groups: 1, n_ungrouped: 2, are_artists: false };
        assert_eq!(
            some.in_words(true),
            "folds by group: 1 group, none in two folds; without group: 2 tracks, each a group of its own"
        );
    }
}
