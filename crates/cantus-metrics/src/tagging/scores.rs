//! Scores of a multi-label tagger on segments and tracks: by tag, and averaged over tags.
//!
//! # Reference
//! scikit-learn 1.9's `average_precision_score`, `roc_auc_score`, `precision_recall_fscore_support` and `f1_score` within 1e-12
//! (`tests/reference/tagging.py`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TagRanking;
use crate::aggregate::TAG_THRESHOLD;
use crate::class_scores::{ClassScores, share};
use crate::curves::curves;
use crate::scores::{duplicate, n_groups};
use crate::{Interval, ScoresError, SegmentResult, TrackDecision};

/// Scores of a tagger; fields without the prefix `track_` are of segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagScores {
    /// Names of the tags.
    pub labels: Vec<String>,
    /// Number of segments.
    pub n_segments: usize,
    /// Number of tracks.
    pub n_tracks: usize,
    /// Number of groups, such as artists; `None` if no group has two tracks.
    #[serde(default)]
    pub n_groups: Option<usize>,
    /// Mean number of tags of a track.
    pub label_cardinality: f64,
    /// A tag is predicted if its probability is above this; precision, recall and F1 depend on it.
    pub threshold: f64,

    /// Mean average precision of the tags that have both positive and negative segments.
    pub macro_average_precision: f64,
    /// Mean area under their ROC curves.
    pub macro_roc_auc: f64,
    /// F1 of all predictions of all tags together (`f1_score(average="micro")`).
    pub micro_f1: f64,
    /// Mean F1 of the tags that occur or are predicted (`f1_score(average="macro")`).
    pub macro_f1: f64,
    /// Scores by tag.
    pub per_label: BTreeMap<String, TagScore>,

    /// As `macro_average_precision`, of tracks.
    pub track_macro_average_precision: f64,
    /// Bootstrap over groups, or over ungrouped tracks; `None` for fewer than two.
    #[serde(default)]
    pub track_macro_average_precision_interval: Option<Interval>,
    /// As `macro_roc_auc`, of tracks.
    pub track_macro_roc_auc: f64,
    /// As `micro_f1`, of tracks.
    pub track_micro_f1: f64,
    /// As `macro_f1`, of tracks.
    pub track_macro_f1: f64,
    /// As `per_label`, of tracks.
    pub track_per_label: BTreeMap<String, TagScore>,

    /// Macro average precision of a random ranking of tracks: the mean prevalence of the tags.
    pub chance_level: f64,
}

/// Scores of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TagScore {
    /// Mean precision over the steps in recall; `None` without both positives and negatives.
    pub average_precision: Option<f64>,
    /// Bootstrap over groups, or over ungrouped tracks; for tracks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_precision_interval: Option<Interval>,
    /// Area under the ROC curve; `None` without both positives and negatives.
    pub roc_auc: Option<f64>,
    /// True positives over predicted positives.
    pub precision: f64,
    /// True positives over all positives.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// Number of positives.
    pub support: usize,
    /// Proportion of positives, which is the average precision of a random ranking.
    pub prevalence: f64,
}

/// Scores averaged over tags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TagFigures {
    /// Mean average precision of the tags that have both positives and negatives.
    pub macro_average_precision: f64,
    /// Mean area under their ROC curves.
    pub macro_roc_auc: f64,
    /// F1 of all predictions together.
    pub micro_f1: f64,
    /// Mean F1 of the tags that occur or are predicted.
    pub macro_f1: f64,
    /// Mean prevalence of the tags that are in the mean average precision.
    pub chance_level: f64,
}

/// Scores segments, and given predictions of tracks.
///
/// # Errors
/// If two tags have the same name, or no tag has both positives and negatives.
pub fn tag_scores(
    segments: &[SegmentResult<'_>],
    tracks: &[TrackDecision],
    labels: &[String],
    seed: u64,
) -> Result<TagScores, ScoresError> {
    if let Some(label) = duplicate(labels) {
        return Err(ScoresError::DuplicateLabel { label: label.clone() });
    }
    let by_segment = by_tag(labels.len(), segments.len(), |i, label| {
        (f64::from(segments[i].probabilities[label]), segments[i].labels.contains(&label))
    });
    let mut by_track = by_tag(labels.len(), tracks.len(), |i, label| tag_probability(&tracks[i], label));
    let none = ScoresError::NothingToTellApart { n_tracks: tracks.len() };
    let (of_segments, of_tracks) =
        (figures(&by_segment).ok_or_else(|| none.clone())?, figures(&by_track).ok_or(none)?);
    let (interval, intervals) = TagRanking::new(tracks, labels.len()).intervals(seed);
    for (tag, interval) in by_track.iter_mut().zip(intervals) {
        tag.score.average_precision_interval = interval.filter(|_| tag.score.average_precision.is_some());
    }
    let n_labels_of_tracks: usize = tracks.iter().map(|track| track.labels.len()).sum();
    Ok(TagScores {
        labels: labels.to_vec(),
        n_segments: segments.len(),
        n_tracks: tracks.len(),
        n_groups: n_groups(tracks),
        label_cardinality: share(n_labels_of_tracks, tracks.len()),
        threshold: TAG_THRESHOLD,
        macro_average_precision: of_segments.macro_average_precision,
        macro_roc_auc: of_segments.macro_roc_auc,
        micro_f1: of_segments.micro_f1,
        macro_f1: of_segments.macro_f1,
        per_label: by_label(labels, &by_segment),
        track_macro_average_precision: of_tracks.macro_average_precision,
        track_macro_average_precision_interval: interval,
        track_macro_roc_auc: of_tracks.macro_roc_auc,
        track_micro_f1: of_tracks.micro_f1,
        track_macro_f1: of_tracks.macro_f1,
        track_per_label: by_label(labels, &by_track),
        chance_level: of_tracks.chance_level,
    })
}

impl TagFigures {
    /// Scores of tracks averaged over tags.
    ///
    /// # Errors
    /// If no tag has both positives and negatives.
    pub fn of_tracks(tracks: &[TrackDecision], n_labels: usize) -> Result<Self, ScoresError> {
        let tags = by_tag(n_labels, tracks.len(), |i, label| tag_probability(&tracks[i], label));
        figures(&tags).ok_or(ScoresError::NothingToTellApart { n_tracks: tracks.len() })
    }
}

/// The probability of a tag, and whether the track has it.
#[must_use]
pub fn tag_probability(track: &TrackDecision, label: usize) -> (f64, bool) {
    (track.probabilities[label], track.labels.contains(&label))
}

/// Scores of a tag and the counts behind them.
struct Tag {
    score: TagScore,
    n_true_positive: usize,
    n_predicted: usize,
}

/// Scores of each tag over `n` examples; `example` gives the probability of a tag in one of them, and whether it is true.
fn by_tag(n_labels: usize, n: usize, example: impl Fn(usize, usize) -> (f64, bool)) -> Vec<Tag> {
    let tag = |label: usize| {
        let examples: Vec<(f64, bool)> = (0..n).map(|i| example(i, label)).collect();
        let count = |wanted: &dyn Fn(bool, bool) -> bool| {
            examples.iter().filter(|(p, has_tag)| wanted(*p > TAG_THRESHOLD, *has_tag)).count()
        };
        let n_true_positive = count(&|is_predicted, has_tag| is_predicted && has_tag);
        let n_predicted = count(&|is_predicted, _| is_predicted);
        let support = count(&|_, has_tag| has_tag);
        let curves = curves(examples.into_iter());
        let ClassScores { precision, recall, f1_score, .. } =
            ClassScores::from_counts(n_true_positive, n_predicted, support);
        let score = TagScore {
            average_precision: curves.as_ref().map(|curves| curves.average_precision),
            average_precision_interval: None,
            roc_auc: curves.as_ref().map(|curves| curves.auc),
            precision,
            recall,
            f1_score,
            support,
            prevalence: share(support, n),
        };
        Tag { score, n_true_positive, n_predicted }
    };
    (0..n_labels).map(tag).collect()
}

/// Averages over tags; `None` if no tag has both positives and negatives.
fn figures(tags: &[Tag]) -> Option<TagFigures> {
    let mean =
        |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let ranked = || tags.iter().map(|tag| tag.score).filter(|score| score.average_precision.is_some());
    let n_true_positive: usize = tags.iter().map(|tag| tag.n_true_positive).sum();
    let n_marked = |tag: &Tag| tag.score.support + tag.n_predicted;
    let f1 = tags.iter().filter(|tag| n_marked(tag) > 0).map(|tag| tag.score.f1_score);
    Some(TagFigures {
        macro_average_precision: mean(ranked().filter_map(|tag| tag.average_precision).collect())?,
        macro_roc_auc: mean(ranked().filter_map(|tag| tag.roc_auc).collect())?,
        micro_f1: share(2 * n_true_positive, tags.iter().map(n_marked).sum()),
        macro_f1: mean(f1.collect()).unwrap_or(0.0),
        chance_level: mean(ranked().map(|tag| tag.prevalence).collect())?,
    })
}

fn by_label(labels: &[String], tags: &[Tag]) -> BTreeMap<String, TagScore> {
    labels.iter().cloned().zip(tags.iter().map(|tag| tag.score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{tagging, tagging_tracks};

    fn close(found: f64, expected: &serde_json::Value, what: &str) {
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{what}: found {found}, expected {expected}");
    }

    fn labels() -> Vec<String> {
        ["drums", "piano", "slow", "voice"].map(str::to_owned).to_vec()
    }

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        let (reference, ..) = tagging();
        let (tracks, _) = tagging_tracks();
        let scores = tag_scores(&[], &tracks, &labels(), 0);
        assert!(scores.is_err(), "without segments no score is defined");
        let rows: Vec<Vec<f32>> =
            tracks.iter().map(|track| track.probabilities.iter().map(|p| *p as f32).collect()).collect();
        let segments: Vec<SegmentResult<'_>> = tracks
            .iter()
            .zip(&rows)
            .map(|(track, row)| SegmentResult {
                track: track.track,
                group: track.group,
                labels: &track.labels,
                probabilities: row,
            })
            .collect();
        let scores = tag_scores(&segments, &tracks, &labels(), 0).unwrap();
        for (found, name) in [
            (scores.track_macro_average_precision, "macro_average_precision"),
            (scores.track_macro_roc_auc, "macro_roc_auc"),
            (scores.track_micro_f1, "micro_f1"),
            (scores.track_macro_f1, "macro_f1"),
            (scores.chance_level, "chance_level"),
            (scores.label_cardinality, "label_cardinality"),
        ] {
            close(found, &reference[name], name);
        }
        for (number, label) in labels().iter().enumerate() {
            let (found, expected) = (scores.track_per_label[label], &reference["tags"][number]);
            close(found.average_precision.unwrap(), &expected["average_precision"], "average precision");
            close(found.roc_auc.unwrap(), &expected["roc_auc"], "area");
            close(found.precision, &expected["precision"], "precision");
            close(found.recall, &expected["recall"], "recall");
            close(found.f1_score, &expected["f1"], "F1");
            assert_eq!(found.support as u64, expected["support"].as_u64().unwrap());
            let interval = found.average_precision_interval.unwrap();
            assert!(interval.low < found.average_precision.unwrap() && interval.high > interval.low);
        }
        // Segments are of f32, which moves no rank here.
        assert!((scores.macro_average_precision - scores.track_macro_average_precision).abs() < 1e-12);
        let json = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<TagScores>(&json).unwrap().track_per_label.len(), 4);
    }

    #[test]
    fn a_tag_without_positives_or_negatives_is_excluded_from_the_mean() {
        let track = |track: usize, labels: &[usize], p: &[f64]| TrackDecision {
            track,
            group: track,
            labels: labels.to_vec(),
            predicted: 0,
            probabilities: p.to_vec(),
        };
        let tracks = [track(0, &[0, 1], &[0.9, 0.9, 0.1]), track(1, &[0], &[0.8, 0.2, 0.3])];
        let figures = TagFigures::of_tracks(&tracks, 3).unwrap();
        assert_eq!((figures.macro_average_precision, figures.chance_level), (1.0, 0.5));
        assert!(TagFigures::of_tracks(&tracks[..1], 3).is_err());
    }
}
