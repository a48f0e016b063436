//! The evaluation report of a tagger: test scores, model, split, baseline, calibration, mistakes and remarks.

use cantus_dataset::{Failure, FeatureStore, LeftOut, Warning};
use serde::{Deserialize, Serialize};

use super::{TagBaseline, TagCrossValidation, TagFold, TagMistake, diagnostics};
use crate::predictions::Predictions;
use crate::report::{
    CalibrationReport, FoldTable, ModelSummary, NoiseReport, ReportContext, SplitSummary, TrainingCurve,
};
use crate::{Error, Model, Task};
use cantus_metrics::ScoresError;
use cantus_metrics::tagging::{TagScores, tag_scores};

/// The content of `report.json` and of `cantus evaluate --json` for a tagger; the scores are at the top level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagReport {
    /// `tagging`, which distinguishes this report from that of a classifier.
    pub task: Task,
    /// The version of Cantus that trained the model.
    pub cantus_version: String,
    /// Scores on the test part; in a cross-validation, on all folds' test parts together.
    #[serde(flatten)]
    pub scores: TagScores,
    /// The folds, if this is the report of a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<TagCrossValidation>,
    /// Remarks on what may bias the scores.
    pub remarks: Vec<String>,
    /// The baseline and its difference from the model.
    pub baseline: TagBaseline,
    /// Calibration of the probabilities of all tags.
    pub calibration: CalibrationReport,
    /// Tags given to sounds that have none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseReport>,
    /// The wrong predictions with the highest confidence.
    pub mistakes: Vec<TagMistake>,
    /// The model that was scored.
    pub model: ModelSummary,
    /// Specification and sizes of the split.
    pub split: SplitSummary,
    /// Duration of the training in seconds; not in `report.json`, which does not depend on it.
    #[serde(skip)]
    pub training_s: Option<f64>,
    /// Numbers of recordings that could not be used, by reason and label; absent if all could be.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
    /// Files that could not be extracted, and why.
    pub failures: Vec<Failure>,
    /// Damage in files that could be extracted.
    pub warnings: Vec<Warning>,
}

impl TagReport {
    pub(crate) fn new(
        predictions: &Predictions,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        curve: TrainingCurve<'_>,
    ) -> Result<Self, Error> {
        let scores = scores(predictions, store)?;
        Ok(Self {
            task: Task::Tagging,
            cantus_version: env!("CARGO_PKG_VERSION").to_owned(),
            noise: NoiseReport::of_tags(predictions, scores.threshold),
            scores,
            cross_validation: None,
            remarks: split.remarks.iter().cloned().chain(model.provenance.remark()).collect(),
            baseline: diagnostics::baseline(predictions, store.labels().len())?,
            calibration: diagnostics::calibration(predictions, store, Some(model.calibration)),
            mistakes: diagnostics::mistakes(predictions, store),
            model: ModelSummary::new(model, curve),
            split,
            training_s: None,
            left_out: store.left_out(),
            failures: store.failures().to_vec(),
            warnings: store.warnings().to_vec(),
        })
    }

    /// The report with new predictions of the same models.
    pub(crate) fn renewed(self, predictions: &Predictions, store: &FeatureStore) -> Result<Self, Error> {
        let scores = scores(predictions, store)?;
        Ok(Self {
            noise: NoiseReport::of_tags(predictions, scores.threshold),
            scores,
            baseline: diagnostics::baseline(predictions, store.labels().len())?,
            calibration: diagnostics::calibration(predictions, store, self.calibration.temperatures),
            mistakes: diagnostics::mistakes(predictions, store),
            ..self
        })
    }

    /// The report of a cross-validation; `first` is the report of its first fold.
    pub(crate) fn of_folds(
        first: Self,
        predictions: &Predictions,
        store: &FeatureStore,
        folds: TagCrossValidation,
        remarks: Vec<String>,
    ) -> Result<Self, Error> {
        let parts: Vec<_> = folds.folds.iter().map(TagFold::parts).collect();
        let split = first.split.of_folds(folds.given, &parts, remarks.clone());
        let model = ModelSummary { n_epochs: None, best_epoch: None, ..first.model };
        let calibration = CalibrationReport { temperatures: None, ..first.calibration };
        Self { cross_validation: Some(folds), calibration, remarks, model, split, ..first }
            .renewed(predictions, store)
    }

    /// The results of the fold `name` of a cross-validation, of whose run this is the report.
    pub(crate) fn fold_summary(&self, name: &str) -> TagFold {
        TagFold {
            fold: name.to_owned(),
            track_macro_average_precision: self.scores.track_macro_average_precision,
            macro_average_precision: self.scores.macro_average_precision,
            train_part: self.split.train_part,
            validation_part: self.split.validation_part,
            test_part: self.split.test_part,
            n_epochs: self.model.n_epochs.unwrap_or(0),
            best_epoch: self.model.best_epoch.unwrap_or(0),
        }
    }

    /// The content that a classifier's report has, too.
    pub(in crate::report) fn context(&self) -> ReportContext<'_> {
        ReportContext {
            cantus_version: &self.cantus_version,
            model: &self.model,
            split: &self.split,
            n_folds: self.cross_validation.as_ref().map(|cross| cross.folds.len()),
            n_tracks: self.scores.n_tracks,
            n_segments: self.scores.n_segments,
            training_s: self.training_s,
            remarks: &self.remarks,
            calibration: Some(&self.calibration),
            noise: self.noise.as_ref(),
            left_out: &self.left_out,
            failures: &self.failures,
            warnings: &self.warnings,
        }
    }

    /// The scores of each fold, in a cross-validation.
    pub(super) fn folds(&self) -> Option<FoldTable<'_>> {
        self.cross_validation.as_ref().map(TagCrossValidation::table)
    }
}

fn scores(predictions: &Predictions, store: &FeatureStore) -> Result<TagScores, ScoresError> {
    if predictions.segments.is_empty() {
        return Err(ScoresError::NoSegments);
    }
    tag_scores(&predictions.results(store), &predictions.tracks, store.labels(), 0)
}
