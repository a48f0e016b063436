//! The evaluation report of a classifier: test scores, model, split, baseline, calibration, mistakes and remarks.

use cantus_dataset::{Failure, FeatureStore, Part, SegmentSplit, SplitSpec, Unit, Warning};
use cantus_nn::History;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{
    Baseline, CalibrationReport, CrossValidation, FoldSummary, Mistake, WithoutLeak, diagnostics,
    text::{self, percent, range},
};
use crate::predictions::Predictions;
use crate::{Error, Model, Recipe};
use cantus_metrics::{Scores, paired_in_words};

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
    /// The scores of the same recipe without leakage, if this is a split by segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_leak: Option<WithoutLeak>,
    /// Calibration of the probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
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
    /// Files that could not be extracted, and why.
    pub failures: Vec<Failure>,
    /// Damage in files that could be extracted.
    pub warnings: Vec<Warning>,
}

/// Key facts of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The recipe that it was trained with.
    pub recipe: String,
    /// Seed of the training.
    pub seed: u64,
    /// Number of its parameters.
    pub n_parameters: usize,
    /// Number of trained epochs; in a cross-validation, each fold has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_epochs: Option<usize>,
    /// The epoch whose weights were kept, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// SHA-256 of the features that it was trained and evaluated on.
    pub data_sha256: String,
}

impl ModelSummary {
    pub(super) fn new(model: &Model, course: TrainingCurve<'_>) -> Self {
        Self {
            recipe: model.provenance.recipe.clone(),
            seed: model.provenance.seed,
            n_parameters: model.network.n_parameters(),
            n_epochs: Some(course.history.n_epochs()),
            best_epoch: course.best_epoch.map(|epoch| epoch + 1).or(Some(course.history.n_epochs())),
            data_sha256: model.provenance.data_sha256.clone(),
        }
    }
}

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

impl Report {
    pub(crate) fn new(
        predictions: &Predictions,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        course: TrainingCurve<'_>,
    ) -> Result<Self, Error> {
        let report = Self {
            cantus_version: env!("CARGO_PKG_VERSION").to_owned(),
            scores: predictions.scores(store)?,
            cross_validation: None,
            remarks: split.remarks.clone(),
            baseline: None,
            without_leak: None,
            calibration: None,
            mistakes: Vec::new(),
            model: ModelSummary::new(model, course),
            split,
            training_s: None,
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

    /// The report as plain text.
    pub fn to_text(&self) -> String {
        let folds = self.cross_validation.as_ref().map(CrossValidation::to_text).unwrap_or_default();
        let mut out = folds + &text::headline(&self.scores) + &self.beside() + &text::tables(&self.scores);
        for failure in &self.failures {
            out += &format!("\nlost: {}: {}", failure.path, failure.reason);
        }
        for remark in &self.remarks {
            out += &format!("\nnote: {remark}");
        }
        if !(self.failures.is_empty() && self.remarks.is_empty()) {
            out.push('\n');
        }
        out
    }
}

impl Report {
    /// The lines below the scores: scores without leakage, baseline, calibration.
    fn beside(&self) -> String {
        let mut out = String::new();
        if let Some(without) = &self.without_leak {
            out += &format!(
                "without the leak, on a split by track: {} of tracks {}, {} of segments\n",
                percent(without.track_accuracy),
                range(without.track_accuracy_interval, None),
                percent(without.accuracy),
            );
        }
        if let Some(baseline) = &self.baseline {
            let against = &baseline.model_against_it;
            out += &format!(
                "baseline {} of tracks {}: logistic regression on means and deviations; the model {}\n",
                percent(baseline.track_accuracy),
                range(baseline.track_accuracy_interval, self.scores.n_groups),
                paired_in_words(against),
            );
        }
        if let Some(calibration) = &self.calibration {
            out += &(calibration.in_words() + "\n");
        }
        out
    }
}

/// The training history with the epoch whose weights were kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingCurve<'a> {
    /// Loss and accuracy by epoch.
    pub(crate) history: &'a History,
    /// The epoch whose weights were kept, from 0; `None` if that is the last by definition.
    pub(crate) best_epoch: Option<usize>,
}

impl<'a> TrainingCurve<'a> {
    /// The curve of a training with a recipe: early stopping keeps the first epoch with the lowest validation loss (training
    /// loss without a validation part).
    pub(crate) fn new(history: &'a History, recipe: &Recipe) -> Self {
        let keeps_best = recipe.training.early_stopping.is_some_and(|stopping| stopping.restore_best_weights);
        Self { history, best_epoch: history.best_epoch().filter(|_| keeps_best) }
    }
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

fn tracks_of(store: &FeatureStore, segments: &[usize]) -> BTreeSet<usize> {
    segments.iter().map(|&segment| store.track_of(segment)).collect()
}

/// Remarks on what may bias the scores of a split upwards.
fn remarks(store: &FeatureStore, split: &SegmentSplit) -> Vec<String> {
    let mut remarks = Vec::new();
    if split.split.unit == Unit::Segment {
        remarks.push(
            "split by segment, as the lecture course does: pieces of one track were learnt from and examined with, \
             so these scores are too high; split by track for scores that hold for new songs"
                .to_owned(),
        );
    } else if !store.tracks_known() {
        remarks.push(
            "imported features do not say which segments belong to one track, so pieces of one track may stand on \
             both sides of the split, and the scores may be too high"
                .to_owned(),
        );
    } else {
        remarks.extend(shared_artists(&artists(store, &split.train), &artists(store, &split.test)));
    }
    remarks.extend(left_out(split));
    remarks.extend(missing_remarks(store, &split.split.missing, ""));
    remarks
}

/// Maximum number of tags named in a remark; further ones are counted.
const MOST_NAMED: usize = 5;

/// Remarks on labels without a track in a part: one line per class; one line per part for tags, of which many may be rare.
/// `suffix` follows the name of the part.
pub(crate) fn missing_remarks(store: &FeatureStore, missing: &[(usize, Part)], suffix: &str) -> Vec<String> {
    let name = |label: usize| format!("'{}'", store.labels()[label]);
    if !store.is_tagged() {
        let remark = |&(label, part): &(usize, Part)| {
            format!("{} has no track in the {} part{suffix}", name(label), part_name(part))
        };
        return missing.iter().map(remark).collect();
    }
    let remark = |part: Part| {
        let labels: Vec<String> =
            missing.iter().filter(|(_, of)| *of == part).map(|(label, _)| name(*label)).collect();
        let more = labels.len().saturating_sub(MOST_NAMED);
        let named = labels[..labels.len() - more].join(", ");
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!labels.is_empty())
            .then(|| format!("no track of the {} part{suffix} has {named}{and_more}", part_name(part)))
    };
    Part::ALL.into_iter().filter_map(remark).collect()
}

/// Remark on artists in both the training and the test part: the network may recognise the artist instead of the genre.
pub(crate) fn shared_artists(train: &BTreeSet<String>, test: &BTreeSet<String>) -> Option<String> {
    let n_shared = train.intersection(test).count();
    (n_shared > 0).then(|| {
        format!(
            "{n_shared} artist{} both in the training and in the test part, which makes the scores too high for new \
             artists; `--group artist` keeps them apart",
            if n_shared == 1 { " is" } else { "s are" }
        )
    })
}

/// Artist tags of the tracks of some segments, in lower case.
pub(crate) fn artists(store: &FeatureStore, segments: &[usize]) -> BTreeSet<String> {
    let artist =
        |track: usize| store.tracks()[track].artist.as_deref().map(|artist| artist.trim().to_lowercase());
    tracks_of(store, segments).into_iter().filter_map(artist).collect()
}

/// Remark on tracks that a given split puts into no part.
fn left_out(split: &SegmentSplit) -> Option<String> {
    let n = split.split.parts.iter().filter(|part| part.is_none()).count();
    let tracks = if n == 1 { "1 track is" } else { &format!("{n} tracks are") };
    (n > 0).then(|| format!("{tracks} in no part of the given split, and played no role"))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use cantus_metrics::{Reliability, SegmentResult, scores};

    /// A report on three tracks, two of them of the class `label`, one of them wrong.
    pub(crate) fn sample(label: &str) -> Report {
        let decision =
            |track, labels, probabilities| SegmentResult { track, group: track, labels, probabilities };
        let predictions = [
            decision(0, &[0][..], &[0.9, 0.1][..]),
            decision(1, &[1], &[0.2, 0.8]),
            decision(2, &[0], &[0.3, 0.7]),
        ];
        let labels = [label.to_owned(), "other".to_owned()];
        let size = PartSize { n_tracks: 3, n_segments: 3 };
        let mistake = Mistake {
            path: format!("{label}/2.wav"),
            label: label.to_owned(),
            predicted: "other".to_owned(),
            probability: 0.7,
            start_s: Some(3.0),
            end_s: Some(6.0),
        };
        Report {
            cantus_version: "0.1.0".to_owned(),
            scores: scores(&predictions, &labels, 0).unwrap(),
            cross_validation: None,
            remarks: vec![format!("'{label}' is a remark")],
            baseline: None,
            without_leak: None,
            calibration: Some(CalibrationReport::default()),
            mistakes: vec![mistake],
            model: ModelSummary {
                recipe: "mlp".to_owned(),
                seed: 0,
                n_parameters: 1234,
                n_epochs: Some(3),
                best_epoch: Some(2),
                data_sha256: "00".to_owned(),
            },
            split: SplitSummary {
                spec: SplitSpec::default(),
                given: false,
                train_part: size,
                validation_part: size,
                test_part: size,
                remarks: Vec::new(),
            },
            training_s: Some(1.5),
            failures: vec![Failure { path: format!("{label}/9.wav"), reason: "cut".to_owned() }],
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_best_epoch_is_set_with_early_stopping_only() {
        let (loss, val_loss) = (vec![0.9, 0.5, 0.1], vec![0.8, 0.95, 0.9]);
        let history = History { loss, val_loss, ..History::default() };
        let best = |history: &History, recipe: &str| {
            TrainingCurve::new(history, &Recipe::load(recipe).unwrap()).best_epoch
        };
        assert_eq!((best(&history, "mlp-normalised"), best(&history, "mlp")), (Some(0), None));
        let without_validation = History { val_loss: Vec::new(), ..history };
        assert_eq!(best(&without_validation, "mlp-normalised"), Some(2));
    }

    #[test]
    fn probabilities_without_temperature_scaling_are_not_called_calibrated() {
        let error = |expected_calibration_error| Reliability { expected_calibration_error, bins: Vec::new() };
        let (tracks_before, tracks_after) = (error(0.25), error(0.125));
        let calibrated = CalibrationReport { tracks_before, tracks_after, ..CalibrationReport::default() };
        assert!(
            calibrated.in_words().contains("12.5 % of tracks, 25.0 % before"),
            "{}",
            calibrated.in_words()
        );
        let untouched = CalibrationReport { tracks_before: error(0.125), ..calibrated };
        assert!(untouched.in_words().ends_with("not calibrated, since that takes a validation part"));
    }

    #[test]
    fn a_report_round_trips_through_json_without_the_training_time() {
        let report = sample("rock");
        let json = serde_json::to_string(&report).unwrap();
        let again: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(again, Report { training_s: None, ..report });
    }
}
