//! Diagnostics of a classifier's evaluation: comparison with the baseline, calibration, and most confident mistakes.

use cantus_dataset::FeatureStore;
use serde::{Deserialize, Serialize};

use crate::Calibration;
use crate::predictions::{Predictions, named};
use crate::report::CalibrationReport;
use crate::report::mistakes::{N_MISTAKES, most_confident_segment_s};
use cantus_metrics::aggregate::arg_max;
use cantus_metrics::{
    Interval, Paired, ScoresError, TrackDecision, paired, probable_label_errors, reliability,
    scores_of_tracks,
};

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
    /// Whether its label is probably wrong, by [`probable_label_errors`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_probable_label_error: bool,
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
    CalibrationReport::new(predictions, temperatures, of_tracks, of_segments)
}

/// The misclassified tracks with the highest probabilities.
pub(super) fn mistakes(predictions: &Predictions, store: &FeatureStore) -> Vec<Mistake> {
    let is_label_error = probable_label_errors(&predictions.tracks, store.labels().len());
    let mut wrong: Vec<(&TrackDecision, bool)> =
        predictions.tracks.iter().zip(is_label_error).filter(|(track, _)| !track.is_right()).collect();
    let probability = |track: &TrackDecision| track.probabilities[track.predicted];
    // A stable sort keeps the order of tracks with equal probabilities.
    wrong.sort_by(|(a, _), (b, _)| probability(b).total_cmp(&probability(a)));
    wrong.truncate(N_MISTAKES);
    let labels = store.labels();
    let mistake = |(track, is_probable_label_error): (&TrackDecision, bool)| {
        let segment_s = most_confident_segment_s(predictions, store, track.track, |row| row[track.predicted]);
        Mistake {
            path: store.tracks()[track.track].path.clone(),
            label: named(&track.labels, labels),
            predicted: labels[track.predicted].clone(),
            probability: probability(track),
            start_s: segment_s.map(|(start, _)| start),
            end_s: segment_s.map(|(_, end)| end),
            is_probable_label_error,
        }
    };
    wrong.into_iter().map(mistake).collect()
}
