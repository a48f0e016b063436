//! The evaluation report of a classifier: test scores, model, split, baseline, calibration, mistakes and remarks.

use cantus_dataset::{Failure, FeatureStore, LeftOut, Warning};
use serde::{Deserialize, Serialize};

use super::{Baseline, CrossValidation, FoldSummary, Mistake, WithoutLeak, diagnostics};
use crate::predictions::Predictions;
use crate::report::{
    CalibrationReport, FoldTable, ModelSummary, NoiseReport, ReportContext, SplitSummary, TrainingCurve,
};
use crate::{Error, Model};
use cantus_metrics::Scores;

/// The content of `report.json` and of `cantus evaluate --json`; the scores are at the top level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of Cantus that trained the model.
    pub cantus_version: String,
    /// Scores on the test part; in a cross-validation, on all folds' test parts together.
    #[serde(flatten)]
    pub scores: Scores,
    /// The folds, if this is the report of a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Remarks on what may bias the scores.
    pub remarks: Vec<String>,
    /// The baseline and its difference from the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The scores of the same recipe without leakage, if this is a split by segment, or by track although groups are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_leak: Option<WithoutLeak>,
    /// Calibration of the probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// Predictions for sounds that belong to no class; absent if no test track is predicted correctly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseReport>,
    /// The misclassified tracks with the highest probabilities.
    #[serde(default)]
    pub mistakes: Vec<Mistake>,
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

impl Report {
    pub(crate) fn new(
        predictions: &Predictions,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        curve: TrainingCurve<'_>,
    ) -> Result<Self, Error> {
        let report = Self {
            cantus_version: env!("CARGO_PKG_VERSION").to_owned(),
            scores: predictions.scores(store)?,
            cross_validation: None,
            remarks: split.remarks.iter().cloned().chain(model.provenance.remark()).collect(),
            baseline: None,
            without_leak: None,
            calibration: None,
            noise: None,
            mistakes: Vec::new(),
            model: ModelSummary::new(model, curve),
            split,
            training_s: None,
            left_out: store.left_out(),
            failures: store.failures().to_vec(),
            warnings: store.warnings().to_vec(),
        };
        let calibration = diagnostics::calibration(predictions, store, Some(model.calibration));
        Self { calibration: Some(calibration), ..report }.renewed(predictions, store)
    }

    /// The report with new predictions of the same models.
    pub(crate) fn renewed(self, predictions: &Predictions, store: &FeatureStore) -> Result<Self, Error> {
        let temperatures = self.calibration.as_ref().and_then(|calibration| calibration.temperatures);
        Ok(Self {
            scores: predictions.scores(store)?,
            baseline: Some(diagnostics::baseline(predictions, store.labels())?),
            calibration: Some(diagnostics::calibration(predictions, store, temperatures)),
            noise: NoiseReport::of_classes(predictions, store.labels()),
            mistakes: diagnostics::mistakes(predictions, store),
            ..self
        })
    }

    /// The report of a cross-validation; `first` is the report of its first fold.
    pub(crate) fn of_folds(
        first: Self,
        predictions: &Predictions,
        store: &FeatureStore,
        cross_validation: CrossValidation,
        remarks: Vec<String>,
    ) -> Result<Self, Error> {
        let parts: Vec<_> = cross_validation.folds.iter().map(FoldSummary::parts).collect();
        let split = first.split.of_folds(cross_validation.given, &parts, remarks.clone());
        let model = ModelSummary { n_epochs: None, best_epoch: None, ..first.model };
        let calibration = diagnostics::calibration(predictions, store, None);
        let (cross_validation, calibration) = (Some(cross_validation), Some(calibration));
        Self { cross_validation, calibration, remarks, model, split, ..first }.renewed(predictions, store)
    }

    /// The results of the fold `name` of a cross-validation, of whose run this is the report.
    pub(crate) fn fold_summary(&self, name: &str) -> FoldSummary {
        FoldSummary {
            fold: name.to_owned(),
            track_accuracy: self.scores.track_accuracy,
            accuracy: self.scores.accuracy,
            train_part: self.split.train_part,
            validation_part: self.split.validation_part,
            test_part: self.split.test_part,
            n_epochs: self.model.n_epochs.unwrap_or(0),
            best_epoch: self.model.best_epoch.unwrap_or(0),
        }
    }

    /// The content that a tagger's report has, too.
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
            calibration: self.calibration.as_ref(),
            noise: self.noise.as_ref(),
            left_out: &self.left_out,
            failures: &self.failures,
            warnings: &self.warnings,
        }
    }

    /// The scores of each fold, in a cross-validation.
    pub(super) fn folds(&self) -> Option<FoldTable<'_>> {
        self.cross_validation.as_ref().map(CrossValidation::table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::class_report;

    #[test]
    fn a_report_round_trips_through_json_without_the_training_time() {
        let report = class_report("rock");
        let json = serde_json::to_string(&report).unwrap();
        let again: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(again, Report { training_s: None, ..report });
    }
}
