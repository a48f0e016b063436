//! Diagnostics of a classifier's evaluation: comparison with the baseline, calibration, and most confident mistakes.

use cantus_dataset::FeatureStore;
use serde::{Deserialize, Serialize};

use super::text::percent;
use crate::Calibration;
use crate::predictions::{Predictions, named};
use cantus_metrics::aggregate::arg_max;
use cantus_metrics::reliability;
use cantus_metrics::{Interval, Paired, Reliability, ScoresError, TrackDecision, paired, scores_of_tracks};

/// Maximum number of mistakes listed.
pub(super) const N_MISTAKES: usize = 20;

/// Scores of the baseline: logistic regression on the mean and deviation of each feature over the track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Track accuracy.
    pub track_accuracy: f64,
    /// Bootstrap interval, as for the model: over groups where they are known, over tracks otherwise.
    pub track_accuracy_interval: Interval,
    /// Mean recall of the classes that occur.
    pub track_balanced_accuracy: f64,
    /// Mean F1 of the classes that occur or were predicted.
    pub track_macro_f1: f64,
    /// The model against the baseline, on the same tracks.
    pub model_against_it: Paired,
}

/// Calibration of the probabilities, before and after temperature scaling.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// The model's temperatures; `None` in a cross-validation, where each fold's model has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperatures: Option<Calibration>,
    /// Of tracks, before calibration.
    pub tracks_before: Reliability,
    /// Of tracks, after calibration.
    pub tracks_after: Reliability,
    /// Of segments, before calibration.
    pub segments_before: Reliability,
    /// Of segments, after calibration.
    pub segments_after: Reliability,
}

impl CalibrationReport {
    /// Whether the probabilities are calibrated, which requires a validation part.
    pub fn is_calibrated(&self) -> bool {
        self.tracks_after != self.tracks_before || self.segments_after != self.segments_before
    }

    pub(super) fn in_words(&self) -> String {
        let after = percent(self.tracks_after.expected_calibration_error);
        if self.is_calibrated() {
            let before = percent(self.tracks_before.expected_calibration_error);
            format!("calibration error {after} of tracks, {before} before temperature scaling")
        } else {
            format!("calibration error {after} of tracks; not calibrated, since that takes a validation part")
        }
    }
}

/// A misclassified track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its file.
    pub path: String,
    /// Its true label.
    pub label: String,
    /// Its predicted label.
    pub predicted: String,
    /// The predicted label's probability.
    pub probability: f64,
    /// Start, in seconds, of the segment with the highest probability of that label; `None` if it is not known.
    pub start_s: Option<f64>,
    /// End of that segment, in seconds.
    pub end_s: Option<f64>,
}

/// The baseline's scores, and the model's difference from them.
pub(super) fn baseline(predictions: &Predictions, labels: &[String]) -> Result<Baseline, ScoresError> {
    let scores = scores_of_tracks(&[], &predictions.baseline, labels, 0)?;
    let pairs = predictions.tracks.iter().zip(&predictions.baseline);
    let pairs: Vec<_> =
        pairs.map(|(model, other)| (model.group, model.is_right(), other.is_right())).collect();
    Ok(Baseline {
        track_accuracy: scores.track_accuracy,
        track_accuracy_interval: scores.track_interval(),
        track_balanced_accuracy: scores.track_balanced_accuracy,
        track_macro_f1: scores.track_macro_f1,
        model_against_it: paired(&pairs, 0),
    })
}

/// Calibration of the probabilities before and after temperature scaling.
pub(super) fn calibration(
    predictions: &Predictions,
    store: &FeatureStore,
    temperatures: Option<Calibration>,
) -> CalibrationReport {
    let of_tracks = |tracks: &[TrackDecision]| {
        reliability(tracks.iter().map(|t| (t.probabilities[t.predicted], t.is_right())))
    };
    let of_segments = |probabilities: &[f32]| {
        let rows = probabilities.chunks_exact(store.labels().len()).zip(&predictions.segments);
        reliability(rows.map(|(row, segment)| {
            let named = arg_max(row);
            (f64::from(row[named]), store.labels_of(*segment) == [named])
        }))
    };
    CalibrationReport {
        temperatures,
        tracks_before: of_tracks(&predictions.uncalibrated.1),
        tracks_after: of_tracks(&predictions.tracks),
        segments_before: of_segments(&predictions.uncalibrated.0),
        segments_after: of_segments(&predictions.probabilities),
    }
}

/// The misclassified tracks with the highest probabilities.
pub(super) fn mistakes(predictions: &Predictions, store: &FeatureStore) -> Vec<Mistake> {
    let mut wrong: Vec<&TrackDecision> =
        predictions.tracks.iter().filter(|track| !track.is_right()).collect();
    let probability = |track: &TrackDecision| track.probabilities[track.predicted];
    // A stable sort keeps the order of tracks with equal probabilities.
    wrong.sort_by(|a, b| probability(b).total_cmp(&probability(a)));
    wrong.truncate(N_MISTAKES);
    let segment_s = store.spec().segment_samples() as f64 / f64::from(store.spec().sample_rate);
    let labels = store.labels();
    let mistake = |track: &TrackDecision| {
        let place = most_wrong(predictions, store, track).filter(|_| store.tracks_known());
        Mistake {
            path: store.tracks()[track.track].path.clone(),
            label: named(&track.labels, labels),
            predicted: labels[track.predicted].clone(),
            probability: probability(track),
            start_s: place.map(|place| place as f64 * segment_s),
            end_s: place.map(|place| (place + 1) as f64 * segment_s),
        }
    };
    wrong.into_iter().map(mistake).collect()
}

/// The index, within its track, of the segment with the highest probability of the track's predicted label.
fn most_wrong(predictions: &Predictions, store: &FeatureStore, track: &TrackDecision) -> Option<usize> {
    let rows = predictions.probabilities.chunks_exact(store.labels().len()).zip(&predictions.segments);
    let of_track = rows.filter(|(_, segment)| store.track_of(**segment) == track.track);
    let scored = of_track.map(|(row, segment)| (row[track.predicted], *segment));
    let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
    Some(best.1 - store.segments_of(track.track).start)
}
