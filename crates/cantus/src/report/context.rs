//! What the reports of classes and of tags have in common: model, split, folds, remarks, calibration, failed files.

use cantus_dataset::{Failure, LeftOut, Warning};

use super::{CalibrationReport, ModelSummary, NoiseReport, SplitSummary};

/// The common content, from which each format makes its common sections.
pub(super) struct ReportContext<'a> {
    /// The version of Cantus that trained the model.
    pub(super) cantus_version: &'a str,
    pub(super) model: &'a ModelSummary,
    pub(super) split: &'a SplitSummary,
    /// Number of folds, if this is the report of a cross-validation.
    pub(super) n_folds: Option<usize>,
    /// Number of test tracks.
    pub(super) n_tracks: usize,
    /// Number of test segments.
    pub(super) n_segments: usize,
    /// Duration of the training in seconds.
    pub(super) training_s: Option<f64>,
    /// Remarks on what may bias the scores.
    pub(super) remarks: &'a [String],
    /// Absent from reports of early versions.
    pub(super) calibration: Option<&'a CalibrationReport>,
    /// Predictions for sounds of no class; absent for taggers.
    pub(super) noise: Option<&'a NoiseReport>,
    /// Numbers of recordings that could not be used.
    pub(super) left_out: &'a LeftOut,
    /// Files that could not be extracted.
    pub(super) failures: &'a [Failure],
    /// Damage in files that could be extracted.
    pub(super) warnings: &'a [Warning],
}

impl ReportContext<'_> {
    /// The groups that the split keeps whole, in a line; `None` if it is not by group.
    pub(super) fn groups(&self) -> Option<String> {
        self.split.groups.map(|groups| groups.in_words(self.n_folds.is_some()))
    }

    /// How many recordings are scored, and how many are left out, by reason and by label; `None` if none is.
    pub(super) fn coverage(&self) -> Option<String> {
        let summary = self.left_out.summary()?;
        let labels = self.left_out.labels_summary().map(|labels| format!(" (by label: {labels})"));
        Some(summary + &labels.unwrap_or_default())
    }
}
