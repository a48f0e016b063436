//! Scores of a single-label classifier on segments and tracks, with 95 % confidence intervals.
//!
//! Names and definitions are scikit-learn's. Intervals treat tracks (or groups of tracks, if known), not segments, as
//! independent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aggregate::arg_max;
use crate::{
    ClassScores, Curves, Interval, ScoresError, SegmentResult, TrackDecision,
    class_scores::{balanced_accuracy, by_label, confusion, diagonal, macro_average, share},
    curves::curves,
    interval::{bootstrap, wilson},
    top_k::top_k,
    track_decisions,
};

/// Scores of a classifier. Proportions are in 0..=1; fields without the prefix `track_` are of segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Names of the classes, in the order of the matrices.
    pub labels: Vec<String>,
    /// Number of segments.
    pub n_segments: usize,
    /// Number of tracks.
    pub n_tracks: usize,
    /// Number of groups, such as artists; `None` if no group has two tracks.
    #[serde(default)]
    pub n_groups: Option<usize>,

    /// Proportion of correctly classified segments.
    pub accuracy: f64,
    /// Bootstrap over groups, or over ungrouped tracks; `None` for fewer than two.
    pub accuracy_interval: Option<Interval>,
    /// Mean recall of the classes that occur (`balanced_accuracy_score`).
    pub balanced_accuracy: f64,
    /// Mean F1 of the classes that occur or are predicted (`f1_score(average="macro")`).
    pub macro_f1: f64,
    /// Scores by label, as `classification_report(output_dict=True)`.
    pub per_class: BTreeMap<String, ClassScores>,
    /// Counts `[true][predicted]`.
    pub confusion_matrix: Vec<Vec<usize>>,

    /// Proportion of correctly classified tracks.
    pub track_accuracy: f64,
    /// Wilson's score interval, which assumes independent tracks.
    pub track_accuracy_interval: Interval,
    /// Bootstrap over groups, or over ungrouped tracks; `None` for fewer than two.
    #[serde(default)]
    pub track_accuracy_bootstrap: Option<Interval>,
    /// As `balanced_accuracy`, of tracks.
    pub track_balanced_accuracy: f64,
    /// As `macro_f1`, of tracks.
    pub track_macro_f1: f64,
    /// As `per_class`, of tracks.
    pub track_per_class: BTreeMap<String, ClassScores>,
    /// Counts of tracks `[true][predicted]`.
    pub track_confusion_matrix: Vec<Vec<usize>>,
    /// Proportion of tracks whose true class is among the 1, 2, … most probable (`top_k_accuracy_score`).
    #[serde(default)]
    pub track_top_k: BTreeMap<String, f64>,
    /// Area under the ROC curve of each class against the rest, of tracks (`roc_auc_score`); without classes that all or no
    /// tracks have.
    #[serde(default)]
    pub track_roc_auc: BTreeMap<String, f64>,
    /// Average precision of each class against the rest, of tracks (`average_precision_score`); without classes that all or no
    /// tracks have.
    #[serde(default)]
    pub track_average_precision: BTreeMap<String, f64>,

    /// Expected accuracy of uniformly random predictions: 1 over the number of classes.
    pub chance_level: f64,
    /// Track accuracy of always predicting the most frequent class of these tracks.
    pub majority_baseline: f64,
}

/// Scores segments and their tracks.
///
/// The same segments and `seed` (of the bootstrap) give the same numbers to the last bit.
///
/// # Errors
/// If a segment does not have exactly one true class, a label is duplicated, and those of [`track_decisions`].
///
/// # Reference
/// scikit-learn 1.9 and SciPy 1.17 within 1e-12 (`tests/reference/scores.py`); the bootstrap within 0.01 of NumPy's.
pub fn scores(segments: &[SegmentResult<'_>], labels: &[String], seed: u64) -> Result<Scores, ScoresError> {
    if let Some(segment) = segments.iter().position(|segment| segment.labels.len() != 1) {
        return Err(ScoresError::NotOneClass { segment, found: segments[segment].labels.len() });
    }
    let tracks = track_decisions(segments, labels.len())?;
    scores_of_tracks(segments, &tracks, labels, seed)
}

/// The same for given predictions of tracks, such as calibrated ones.
///
/// # Errors
/// If two labels are the same.
pub fn scores_of_tracks(
    segments: &[SegmentResult<'_>],
    tracks: &[TrackDecision],
    labels: &[String],
    seed: u64,
) -> Result<Scores, ScoresError> {
    if let Some(label) = duplicate(labels) {
        return Err(ScoresError::DuplicateLabel { label: label.clone() });
    }
    let by_segment = segments.iter().map(|s| (s.labels[0], arg_max(s.probabilities)));
    let by_segment = confusion(by_segment, labels.len());
    let by_track = confusion(tracks.iter().map(|t| (t.labels[0], t.predicted)), labels.len());
    let n_correct_tracks = diagonal(&by_track);
    let n_most_frequent = by_track.iter().map(|row| row.iter().sum()).max().unwrap_or(0);
    Ok(Scores {
        labels: labels.to_vec(),
        n_segments: segments.len(),
        n_tracks: tracks.len(),
        n_groups: n_groups(tracks),
        accuracy: share(diagonal(&by_segment), segments.len()),
        accuracy_interval: bootstrap(
            segments.iter().map(|s| (s.group, s.labels == [arg_max(s.probabilities)])),
            seed,
        ),
        balanced_accuracy: balanced_accuracy(&by_segment),
        macro_f1: macro_average(&by_segment).f1_score,
        per_class: by_label(labels, &by_segment),
        confusion_matrix: by_segment,
        track_accuracy: share(n_correct_tracks, tracks.len()),
        track_accuracy_interval: wilson(n_correct_tracks, tracks.len()),
        track_accuracy_bootstrap: bootstrap(tracks.iter().map(|t| (t.group, t.is_right())), seed),
        track_balanced_accuracy: balanced_accuracy(&by_track),
        track_macro_f1: macro_average(&by_track).f1_score,
        track_per_class: by_label(labels, &by_track),
        track_confusion_matrix: by_track,
        track_top_k: top_k(tracks),
        track_roc_auc: by_class(labels, tracks, |curves| curves.auc),
        track_average_precision: by_class(labels, tracks, |curves| curves.average_precision),
        chance_level: share(1, labels.len()),
        majority_baseline: share(n_most_frequent, tracks.len()),
    })
}

impl Scores {
    /// Interval of the track accuracy: the bootstrap over groups if there are any, Wilson's otherwise.
    #[must_use]
    pub fn track_interval(&self) -> Interval {
        self.n_groups.and(self.track_accuracy_bootstrap).unwrap_or(self.track_accuracy_interval)
    }
}

/// A statistic of the curves of each class that has both positives and negatives.
fn by_class(
    labels: &[String],
    tracks: &[TrackDecision],
    statistic: impl Fn(&Curves) -> f64,
) -> BTreeMap<String, f64> {
    let of_class = |(class, label): (usize, &String)| {
        let curves =
            curves(tracks.iter().map(|track| (track.probabilities[class], track.labels.contains(&class))))?;
        Some((label.clone(), statistic(&curves)))
    };
    labels.iter().enumerate().filter_map(of_class).collect()
}

/// Number of groups, if a group has at least two tracks.
pub(crate) fn n_groups(tracks: &[TrackDecision]) -> Option<usize> {
    let groups: BTreeSet<usize> = tracks.iter().map(|track| track.group).collect();
    (groups.len() < tracks.len()).then_some(groups.len())
}

pub(crate) fn duplicate(labels: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    labels.iter().find(|label| !seen.insert(label.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class_scores::weighted_average;
    use serde_json::Value;

    /// Made by `tests/reference/scores.py` with scikit-learn 1.9.1, SciPy 1.17.1 and NumPy 2.4.6.
    fn reference() -> Value {
        let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/scores.json"));
        serde_json::from_str(json).unwrap()
    }

    fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn assert_close(name: &str, found: f64, expected: &Value, tolerance: f64) {
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() <= tolerance, "{name}: found {found}, expected {expected}");
    }

    type Segments = Vec<(usize, usize, Vec<f32>)>;

    fn segments_of(reference: &Value) -> Segments {
        let one = |s: &Value| (parse(&s["track"]), parse(&s["label"]), parse(&s["probabilities"]));
        reference["segments"].as_array().unwrap().iter().map(one).collect()
    }

    fn results(segments: &Segments) -> Vec<SegmentResult<'_>> {
        segments
            .iter()
            .map(|(track, label, probabilities)| SegmentResult {
                track: *track,
                group: *track,
                labels: std::slice::from_ref(label),
                probabilities,
            })
            .collect()
    }

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn reference_labels() -> Vec<String> {
        parse(&reference()["labels"])
    }

    fn reference_scores() -> (Value, Scores) {
        let reference = reference();
        let scores = scores(&results(&segments_of(&reference)), &reference_labels(), 0).unwrap();
        (reference, scores)
    }

    fn assert_class(name: &str, found: &ClassScores, expected: &Value) {
        assert_close(&format!("{name} precision"), found.precision, &expected["precision"], 1e-12);
        assert_close(&format!("{name} recall"), found.recall, &expected["recall"], 1e-12);
        assert_close(&format!("{name} f1-score"), found.f1_score, &expected["f1-score"], 1e-12);
        assert_close(&format!("{name} support"), found.support as f64, &expected["support"], 0.0);
    }

    #[test]
    fn segment_scores_equal_those_of_scikit_learn() {
        let (reference, scores) = reference_scores();
        let expected = &reference["by_segment"];
        assert_close("accuracy", scores.accuracy, &expected["accuracy"], 1e-12);
        assert_close("balanced", scores.balanced_accuracy, &expected["balanced_accuracy"], 1e-12);
        assert_close("macro F1", scores.macro_f1, &expected["macro_f1"], 1e-12);
        assert_eq!(scores.confusion_matrix, parse::<Vec<Vec<usize>>>(&expected["confusion_matrix"]));
        assert_class("macro", &macro_average(&scores.confusion_matrix), &expected["macro_avg"]);
        assert_class("weighted", &weighted_average(&scores.confusion_matrix), &expected["weighted_avg"]);
        for (label, found) in &scores.per_class {
            assert_class(label, found, &expected["per_class"][label]);
        }
    }

    #[test]
    fn track_scores_equal_those_of_scikit_learn() {
        let (reference, scores) = reference_scores();
        let expected = &reference["by_track"];
        assert_close("accuracy", scores.track_accuracy, &expected["accuracy"], 1e-12);
        assert_close("balanced", scores.track_balanced_accuracy, &expected["balanced_accuracy"], 1e-12);
        assert_close("macro F1", scores.track_macro_f1, &expected["macro_f1"], 1e-12);
        assert_eq!(scores.track_confusion_matrix, parse::<Vec<Vec<usize>>>(&expected["confusion_matrix"]));
        for (label, found) in &scores.track_per_class {
            assert_class(label, found, &expected["per_class"][label]);
        }
        let decided = track_decisions(&results(&segments_of(&reference)), 5).unwrap();
        let predicted: Vec<usize> = decided.iter().map(|t| t.predicted).collect();
        assert_eq!(predicted, parse::<Vec<usize>>(&reference["track_predicted"]));
        assert_eq!((scores.n_segments, scores.n_tracks), (167, 30));
        assert_eq!((scores.chance_level, scores.majority_baseline), (0.2, 13.0 / 30.0));
    }

    #[test]
    fn one_track_has_no_bootstrap_interval() {
        let one = vec![(0, 0, vec![0.9, 0.1]), (0, 0, vec![0.2, 0.8])];
        let scores = scores(&results(&one), &labels(&["a", "b"]), 0).unwrap();
        assert_eq!((scores.accuracy, scores.accuracy_interval), (0.5, None));
    }

    #[test]
    fn json_keys_are_stable() {
        let (_, scores) = reference_scores();
        let json = serde_json::to_value(&scores).unwrap();
        for name in ["accuracy", "track_accuracy", "confusion_matrix", "labels", "n_segments", "n_tracks"] {
            assert!(!json[name].is_null(), "{name}");
        }
        let expected = serde_json::json!({"precision": 0.6, "recall": 0.4, "f1-score": 0.48, "support": 10});
        let blues: Vec<&String> = json["per_class"]["blues"].as_object().unwrap().keys().collect();
        assert_eq!(blues, expected.as_object().unwrap().keys().collect::<Vec<_>>());
        assert!(json["track_accuracy_interval"]["low"].is_f64());
        assert_eq!(serde_json::from_value::<Scores>(json).unwrap(), scores);
    }

    #[test]
    fn wilson_intervals_equal_those_of_scipy() {
        for case in reference()["wilson"].as_array().unwrap() {
            let found = wilson(parse(&case[0]), parse(&case[1]));
            assert_close(&format!("{case} low"), found.low, &case[2], 1e-12);
            assert_close(&format!("{case} high"), found.high, &case[3], 1e-12);
        }
    }

    /// 2000 resamples put the ends of an interval within about ±0.004 (one standard error) of their limit here.
    #[test]
    fn the_bootstrap_over_tracks_is_close_to_numpys() {
        let (reference, scores) = reference_scores();
        let found = scores.accuracy_interval.unwrap();
        assert_close("low", found.low, &reference["bootstrap"][0], 0.01);
        assert_close("high", found.high, &reference["bootstrap"][1], 0.01);
        let segments = segments_of(&reference);
        let bootstrap =
            |seed| super::scores(&results(&segments), &scores.labels, seed).unwrap().accuracy_interval;
        assert_eq!(bootstrap(0), Some(found), "the same seed");
        assert_ne!(bootstrap(1), Some(found), "another seed");
    }

    #[test]
    fn copies_of_a_segment_do_not_make_the_interval_narrower() {
        let segments = segments_of(&reference());
        let tenfold: Segments = segments.iter().flat_map(|s| vec![s.clone(); 10]).collect();
        let interval = |segments: &Segments| {
            scores(&results(segments), &reference_labels(), 7).unwrap().accuracy_interval
        };
        assert_eq!(interval(&tenfold), interval(&segments));
    }

    /// Three artists: two with ten tracks each that are all right or all wrong, one with two tracks.
    #[test]
    fn tracks_of_one_artist_make_the_interval_wider() {
        let predictions: Vec<(usize, usize, bool)> =
            (0..22).map(|track| (track, track / 10, track < 10 || track == 20)).collect();
        let of = |grouped: bool| {
            let result = |&(track, artist, is_right): &(usize, usize, bool)| SegmentResult {
                track,
                group: if grouped { artist } else { track },
                labels: &[0],
                probabilities: if is_right { &[1.0, 0.0] } else { &[0.0, 1.0] },
            };
            scores(&predictions.iter().map(result).collect::<Vec<_>>(), &labels(&["a", "b"]), 0).unwrap()
        };
        let (grouped, alone) = (of(true), of(false));
        assert_eq!((grouped.n_groups, alone.n_groups), (Some(3), None));
        assert_eq!(grouped.track_interval(), Interval { low: 0.0, high: 1.0 });
        assert_eq!(alone.track_interval(), alone.track_accuracy_interval);
        assert!(alone.track_accuracy_bootstrap.unwrap().low > 0.2);
    }

    #[test]
    fn inconsistent_segments_are_errors() {
        let two = labels(&["a", "b"]);
        let fails =
            |segments: Segments, labels: &[String]| scores(&results(&segments), labels, 0).unwrap_err();
        assert_eq!(fails(vec![], &two), ScoresError::NoSegments);
        assert_eq!(
            fails(vec![(0, 2, vec![0.5, 0.5])], &two),
            ScoresError::UnknownLabel { segment: 0, label: 2, n_classes: 2 }
        );
        assert_eq!(
            fails(vec![(0, 0, vec![1.0])], &two),
            ScoresError::WrongLength { segment: 0, found: 1, n_classes: 2 }
        );
        assert_eq!(fails(vec![(0, 0, vec![f32::NAN, 1.0])], &two), ScoresError::NotFinite { segment: 0 });
        assert_eq!(
            fails(vec![(3, 0, vec![1.0, 0.0]), (3, 1, vec![1.0, 0.0])], &two),
            ScoresError::TwoLabels { segment: 1, track: 3, first: vec![0], second: vec![1] }
        );
        assert_eq!(
            fails(vec![(0, 0, vec![1.0, 0.0])], &labels(&["a", "a"])),
            ScoresError::DuplicateLabel { label: "a".to_owned() }
        );
    }
}
