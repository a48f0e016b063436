//! Scores of a tagger on segments and on tracks: by tag, and one figure for all.
//!
//! # Reference
//! scikit-learn 1.9's `average_precision_score`, `roc_auc_score`, `precision_recall_fscore_support` and `f1_score` within 1e-12
//! (`tests/reference/tagging.py`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TagRanking;
use crate::aggregate::TAG_THRESHOLD;
use crate::class_scores::share;
use crate::curves::curves;
use crate::scores::{duplicate, n_groups};
use crate::{Interval, ScoresError, SegmentResult, TrackDecision};

/// Everything the report of a tagger says in numbers; a bare name is of segments, `track_…` of tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagScores {
    /// Names of the tags.
    pub labels: Vec<String>,
    /// Segments that were judged.
    pub n_segments: usize,
    /// Tracks that they were cut from.
    pub n_tracks: usize,
    /// Groups, such as artists, that the tracks belong to; none where every track stands alone.
    #[serde(default)]
    pub n_groups: Option<usize>,
    /// How many of the tags a track has, on average (label cardinality).
    pub label_cardinality: f64,
    /// A tag is given with more than this probability; precision, recall and F1 depend on it.
    pub threshold: f64,

    /// Mean average precision of the tags that some segments have and others have not.
    pub macro_average_precision: f64,
    /// Mean area under their ROC curves.
    pub macro_roc_auc: f64,
    /// F1 of all answers to all tags together (`f1_score(average="micro")`).
    pub micro_f1: f64,
    /// Mean F1 of the tags that occur or were given (`f1_score(average="macro")`).
    pub macro_f1: f64,
    /// Scores by tag.
    pub per_label: BTreeMap<String, TagScore>,

    /// As `macro_average_precision`, of tracks.
    pub track_macro_average_precision: f64,
    /// Bootstrap over groups, or over tracks that stand alone; none for fewer than two.
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

    /// Macro average precision of tracks that chance has: the mean share of tracks that have a tag.
    pub chance_level: f64,
}

/// Scores of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TagScore {
    /// Mean precision over the steps in recall; none for a tag that all or none have.
    pub average_precision: Option<f64>,
    /// Bootstrap over groups, or over tracks that stand alone; only of tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_precision_interval: Option<Interval>,
    /// Area under the ROC curve; none for a tag that all or none have.
    pub roc_auc: Option<f64>,
    /// Share of those that were given it that have it.
    pub precision: f64,
    /// Share of those that have it that were given it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// How many have it.
    pub support: usize,
    /// Share that has it, which is its average precision by chance.
    pub prevalence: f64,
}

/// What holds for all tags together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TagFigures {
    /// Mean average precision of the tags that some have and others have not.
    pub macro_average_precision: f64,
    /// Mean area under their ROC curves.
    pub macro_roc_auc: f64,
    /// F1 of all answers together.
    pub micro_f1: f64,
    /// Mean F1 of the tags that occur or were given.
    pub macro_f1: f64,
    /// Mean prevalence of the tags that are in the mean average precision.
    pub chance_level: f64,
}

/// Scores segments, and tracks that are decided already.
///
/// # Errors
/// If two tags have one name, or there is none that some tracks have and others have not.
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
        per_label: named(labels, &by_segment),
        track_macro_average_precision: of_tracks.macro_average_precision,
        track_macro_average_precision_interval: interval,
        track_macro_roc_auc: of_tracks.macro_roc_auc,
        track_micro_f1: of_tracks.micro_f1,
        track_macro_f1: of_tracks.macro_f1,
        track_per_label: named(labels, &by_track),
        chance_level: of_tracks.chance_level,
    })
}

impl TagFigures {
    /// Of tracks.
    ///
    /// # Errors
    /// If there is no tag that some have and others have not.
    pub fn of_tracks(tracks: &[TrackDecision], n_labels: usize) -> Result<Self, ScoresError> {
        let tags = by_tag(n_labels, tracks.len(), |i, label| tag_probability(&tracks[i], label));
        figures(&tags).ok_or(ScoresError::NothingToTellApart { n_tracks: tracks.len() })
    }
}

/// The probability of a tag, and whether the track has it.
pub fn tag_probability(track: &TrackDecision, label: usize) -> (f64, bool) {
    (track.probabilities[label], track.labels.contains(&label))
}

/// A tag's scores, and what they are counted from.
struct Tag {
    score: TagScore,
    /// How many were given it and have it.
    n_right: usize,
    /// How many were given it.
    n_given: usize,
}

/// Scores of each tag; `answer` is the probability of a tag in one of `n`, and whether it has it.
fn by_tag(n_labels: usize, n: usize, answer: impl Fn(usize, usize) -> (f64, bool)) -> Vec<Tag> {
    let tag = |label: usize| {
        let answers: Vec<(f64, bool)> = (0..n).map(|i| answer(i, label)).collect();
        let count = |wanted: &dyn Fn(bool, bool) -> bool| {
            answers.iter().filter(|(p, has_tag)| wanted(*p > TAG_THRESHOLD, *has_tag)).count()
        };
        let n_right = count(&|is_given, has_tag| is_given && has_tag);
        let n_given = count(&|is_given, _| is_given);
        let support = count(&|_, has_tag| has_tag);
        let curves = curves(answers.into_iter());
        let score = TagScore {
            average_precision: curves.as_ref().map(|curves| curves.average_precision),
            average_precision_interval: None,
            roc_auc: curves.as_ref().map(|curves| curves.auc),
            precision: share(n_right, n_given),
            recall: share(n_right, support),
            f1_score: share(2 * n_right, support + n_given),
            support,
            prevalence: share(support, n),
        };
        Tag { score, n_right, n_given }
    };
    (0..n_labels).map(tag).collect()
}

/// All tags together; none if none says anything.
fn figures(tags: &[Tag]) -> Option<TagFigures> {
    let mean =
        |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let telling = || tags.iter().map(|tag| tag.score).filter(|score| score.average_precision.is_some());
    let n_right: usize = tags.iter().map(|tag| tag.n_right).sum();
    let n_named = |tag: &Tag| tag.score.support + tag.n_given;
    let f1 = tags.iter().filter(|tag| n_named(tag) > 0).map(|tag| tag.score.f1_score);
    Some(TagFigures {
        macro_average_precision: mean(telling().filter_map(|tag| tag.average_precision).collect())?,
        macro_roc_auc: mean(telling().filter_map(|tag| tag.roc_auc).collect())?,
        micro_f1: share(2 * n_right, tags.iter().map(n_named).sum()),
        macro_f1: mean(f1.collect()).unwrap_or(0.0),
        chance_level: mean(telling().map(|tag| tag.prevalence).collect())?,
    })
}

fn named(labels: &[String], tags: &[Tag]) -> BTreeMap<String, TagScore> {
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
        assert!(scores.is_err(), "no segments tell nothing");
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
    fn a_tag_that_all_or_none_have_is_left_out_of_the_mean() {
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
