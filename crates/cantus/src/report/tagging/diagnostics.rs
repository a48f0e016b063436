//! Diagnostics of a tagger's evaluation: comparison with the baseline, calibration, and most confident mistakes.

use cantus_dataset::FeatureStore;
use serde::{Deserialize, Serialize};

use crate::Calibration;
use crate::predictions::Predictions;
use crate::report::CalibrationReport;
use crate::report::mistakes::{N_MISTAKES, most_confident_segment_s};
use cantus_metrics::aggregate::TAG_THRESHOLD;
use cantus_metrics::reliability;
use cantus_metrics::tagging::{TagFigures, TagPaired, TagRanking, paired};
use cantus_metrics::{Interval, ScoresError, TrackDecision};

/// Scores of the baseline: a logistic regression per tag on the mean and deviation of each feature over the track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagBaseline {
    /// Mean average precision over the tags that some tracks have and others do not.
    pub track_macro_average_precision: f64,
    /// Bootstrap interval, as for the model.
    pub track_macro_average_precision_interval: Option<Interval>,
    /// Mean area under their ROC curves.
    pub track_macro_roc_auc: f64,
    /// F1 over all predictions of all tags.
    pub track_micro_f1: f64,
    /// Mean F1 of the tags that occur or were predicted.
    pub track_macro_f1: f64,
    /// The model against the baseline, on the same tracks.
    pub model_against_it: TagPaired,
}

/// A wrong prediction of a tag: a false positive or a false negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagMistake {
    /// Its file.
    pub path: String,
    /// The tag.
    pub label: String,
    /// Whether the track has the tag, which makes it a false negative.
    pub has_it: bool,
    /// The predicted probability of the tag.
    pub probability: f64,
    /// Start, in seconds, of the segment most confident in the wrong prediction; `None` if it is not known.
    pub start_s: Option<f64>,
    /// End of that segment, in seconds.
    pub end_s: Option<f64>,
}

impl TagMistake {
    /// What kind of mistake it is, as text.
    pub(super) fn kind(&self) -> &'static str {
        if self.has_it { "false negative" } else { "false positive" }
    }
}

/// The baseline's scores, and the model's difference from them.
pub(super) fn baseline(predictions: &Predictions, n_labels: usize) -> Result<TagBaseline, ScoresError> {
    let figures = TagFigures::of_tracks(&predictions.baseline, n_labels)?;
    Ok(TagBaseline {
        track_macro_average_precision: figures.macro_average_precision,
        track_macro_average_precision_interval: TagRanking::new(&predictions.baseline, n_labels)
            .intervals(0)
            .0,
        track_macro_roc_auc: figures.macro_roc_auc,
        track_micro_f1: figures.micro_f1,
        track_macro_f1: figures.macro_f1,
        model_against_it: paired(&predictions.tracks, &predictions.baseline, n_labels, 0),
    })
}

/// Calibration over all tags of all tracks (segments), before and after temperature scaling.
pub(super) fn calibration(
    predictions: &Predictions,
    store: &FeatureStore,
    temperatures: Option<Calibration>,
) -> CalibrationReport {
    let of_tracks = |tracks: &[TrackDecision]| {
        let pooled = |track: &TrackDecision| {
            let prediction = |label: usize| (track.probabilities[label], track.labels.contains(&label));
            (0..track.probabilities.len()).map(prediction).collect::<Vec<_>>()
        };
        reliability(tracks.iter().flat_map(pooled))
    };
    let of_segments = |probabilities: &[f32]| {
        let rows = probabilities.chunks_exact(store.labels().len()).zip(&predictions.segments);
        reliability(rows.flat_map(|(row, segment)| {
            let labels = store.labels_of(*segment);
            row.iter().enumerate().map(move |(label, p)| (f64::from(*p), labels.contains(&label)))
        }))
    };
    CalibrationReport::new(predictions, temperatures, of_tracks, of_segments)
}

/// The wrong predictions with the highest confidence.
pub(super) fn mistakes(predictions: &Predictions, store: &FeatureStore) -> Vec<TagMistake> {
    let of_track = |track: &'_ TrackDecision| {
        let is_wrong =
            |&label: &usize| (track.probabilities[label] > TAG_THRESHOLD) != track.labels.contains(&label);
        (0..track.probabilities.len()).filter(is_wrong).collect::<Vec<_>>()
    };
    let wrong = predictions
        .tracks
        .iter()
        .flat_map(|track| of_track(track).into_iter().map(move |label| (track, label)));
    let mut wrong: Vec<(&TrackDecision, usize)> = wrong.collect();
    let confidence =
        |(track, label): &(&TrackDecision, usize)| (track.probabilities[*label] - TAG_THRESHOLD).abs();
    // A stable sort keeps the order of tracks with equal confidence.
    wrong.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    wrong.truncate(N_MISTAKES);
    let mistake = |(track, label): (&TrackDecision, usize)| {
        let has_it = track.labels.contains(&label);
        let confidence = |row: &[f32]| if has_it { -row[label] } else { row[label] };
        let segment_s = most_confident_segment_s(predictions, store, track.track, confidence);
        TagMistake {
            path: store.tracks()[track.track].path.clone(),
            label: store.labels()[label].clone(),
            has_it,
            probability: track.probabilities[label],
            start_s: segment_s.map(|(start, _)| start),
            end_s: segment_s.map(|(_, end)| end),
        }
    };
    wrong.into_iter().map(mistake).collect()
}
