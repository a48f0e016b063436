//! The report of a tagger: the scores of the test part, and what a reader has to know to judge them.

use cantus_dataset::{Failure, FeatureStore, Warning};
use serde::{Deserialize, Serialize};

use super::{TagBaseline, TagCrossValidation, TagFold, TagMistake, diagnostics, text};
use crate::evaluation::Predictions;
use crate::report::{CalibrationReport, ModelSummary, SplitSummary, TrainingCurve};
use crate::{Error, Model, Task};
use cantus_metrics::ScoresError;
use cantus_metrics::tagging::{TagScores, tag_scores};

/// What `report.json` holds and `cantus evaluate --json` prints where labels are tags; the scores stand at the top level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagReport {
    /// `tagging`, which tells this report from that of a classifier.
    pub task: Task,
    /// The version of Cantus that trained.
    pub cantus_version: String,
    /// Scores on the test part; of a cross-validation, those of all folds' test parts together.
    #[serde(flatten)]
    pub scores: TagScores,
    /// The folds, if this is the report of a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<TagCrossValidation>,
    /// What a reader should know before quoting the scores.
    pub remarks: Vec<String>,
    /// What the model has to beat.
    pub baseline: TagBaseline,
    /// How far the probabilities can be trusted: of all tags that were said to be so probable, how many are there.
    pub calibration: CalibrationReport,
    /// The predictions that were most confidently wrong.
    pub mistakes: Vec<TagMistake>,
    /// The model that was scored.
    pub model: ModelSummary,
    /// Who was learnt from and who was examined.
    pub split: SplitSummary,
    /// How long the training took, in seconds; not in `report.json`, which is the same whenever it is written.
    #[serde(skip)]
    pub training_s: Option<f64>,
    /// Files that were lost, and why.
    pub failures: Vec<Failure>,
    /// Damage that cost less than the file.
    pub warnings: Vec<Warning>,
}

impl TagReport {
    pub(crate) fn new(
        predictions: &Predictions,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        course: TrainingCurve<'_>,
    ) -> Result<Self, Error> {
        Ok(Self {
            task: Task::Tagging,
            cantus_version: env!("CARGO_PKG_VERSION").to_owned(),
            scores: scores(predictions, store)?,
            cross_validation: None,
            remarks: split.remarks.clone(),
            baseline: diagnostics::baseline(predictions, store.labels().len())?,
            calibration: diagnostics::calibration(predictions, store, Some(model.calibration)),
            mistakes: diagnostics::mistakes(predictions, store),
            model: ModelSummary::new(model, course),
            split,
            training_s: None,
            failures: store.failures().to_vec(),
            warnings: store.warnings().to_vec(),
        })
    }

    /// The report on other predictions of the same models.
    pub(crate) fn renewed(self, predictions: &Predictions, store: &FeatureStore) -> Result<Self, Error> {
        Ok(Self {
            scores: scores(predictions, store)?,
            baseline: diagnostics::baseline(predictions, store.labels().len())?,
            calibration: diagnostics::calibration(predictions, store, self.calibration.temperatures),
            mistakes: diagnostics::mistakes(predictions, store),
            ..self
        })
    }

    /// The report of a cross-validation, of which `first` is the report of a fold.
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

    /// The report for a person at a terminal.
    pub fn to_text(&self) -> String {
        text::text(self)
    }
}

fn scores(predictions: &Predictions, store: &FeatureStore) -> Result<TagScores, ScoresError> {
    if predictions.segments.is_empty() {
        return Err(ScoresError::NoSegments);
    }
    tag_scores(&predictions.results(store), &predictions.tracks, store.labels(), 0)
}
