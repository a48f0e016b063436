//! Scores of a classifier on segments and on tracks, with how sure one can be of them.
//!
//! A track is given the class with the highest mean probability over its segments. Scores are named and defined as in
//! scikit-learn. Intervals hold 95 % and treat *tracks* as the independent observations, which segments of one track are
//! not: Wilson's score interval for the share of tracks (Wilson 1927), and for the share of segments a percentile
//! bootstrap that draws whole tracks (Field & Welsh 2007, "Bootstrapping clustered data").

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What the network said of one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentResult<'a> {
    /// Which track it was cut from; any number that the track's segments share.
    pub track: usize,
    /// Index of the true class.
    pub label: usize,
    /// Probability of each class, `[n_classes]`.
    pub probabilities: &'a [f32],
}

/// What the segments of a track say together.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackDecision {
    /// The number that its segments share.
    pub track: usize,
    /// Index of the true class.
    pub label: usize,
    /// Index of the class with the highest mean probability; of equals the lowest.
    pub predicted: usize,
    /// Mean probability of each class over the segments, `[n_classes]`.
    pub probabilities: Vec<f64>,
}

/// Everything the report says in numbers. Shares are in 0..=1; a bare name is of segments, `track_…` of tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Names of the classes, in the order of the matrices.
    pub labels: Vec<String>,
    /// Segments that were judged.
    pub n_segments: usize,
    /// Tracks that they were cut from.
    pub n_tracks: usize,

    /// Share of segments that were given their true class.
    pub accuracy: f64,
    /// Bootstrap over tracks; none for fewer than two tracks.
    pub accuracy_interval: Option<Interval>,
    /// Mean recall of the classes that occur (`balanced_accuracy_score`).
    pub balanced_accuracy: f64,
    /// Mean F1 of the classes that occur or were predicted (`f1_score(average="macro")`).
    pub macro_f1: f64,
    /// Scores by label, as `classification_report(output_dict=True)`.
    pub per_class: BTreeMap<String, ClassScores>,
    /// Counts `[true][predicted]`.
    pub confusion_matrix: Vec<Vec<usize>>,

    /// Share of tracks that were given their true class.
    pub track_accuracy: f64,
    /// Wilson's score interval.
    pub track_accuracy_interval: Interval,
    /// As `balanced_accuracy`, of tracks.
    pub track_balanced_accuracy: f64,
    /// As `macro_f1`, of tracks.
    pub track_macro_f1: f64,
    /// As `per_class`, of tracks.
    pub track_per_class: BTreeMap<String, ClassScores>,
    /// Counts of tracks `[true][predicted]`.
    pub track_confusion_matrix: Vec<Vec<usize>>,

    /// Expected accuracy of guessing every class alike: one over the number of classes.
    pub chance_level: f64,
    /// Track accuracy of always answering with the commonest class of these tracks.
    pub majority_baseline: f64,
}

/// A 95 % confidence interval of a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, 0..=1.
    pub low: f64,
    /// Upper end, 0..=1.
    pub high: f64,
}

/// Scores of one class, or their average; a share of nothing is 0, as in scikit-learn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClassScores {
    /// Share of right answers among those that name the class.
    pub precision: f64,
    /// Share of the class that was recognised.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// How often the class occurs.
    pub support: usize,
}

/// Why there are no scores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// Nothing to score.
    #[error("there are no segments to score: the test part is empty, or every track in it is too short")]
    NoSegments,
    /// Two classes with one name would share their scores.
    #[error("two classes are named {label:?}; give each its own name")]
    DuplicateLabel {
        /// The name.
        label: String,
    },
    /// A true class that the labels do not name.
    #[error("segment {segment}: true class {label} of {n_classes} classes; count them from 0")]
    UnknownLabel {
        /// Position among the segments.
        segment: usize,
        /// What was found.
        label: usize,
        /// How many classes there are.
        n_classes: usize,
    },
    /// Not one probability per class.
    #[error("segment {segment}: {found} probabilities for {n_classes} classes")]
    WrongLength {
        /// Position among the segments.
        segment: usize,
        /// What was found.
        found: usize,
        /// How many classes there are.
        n_classes: usize,
    },
    /// A probability that is not a number; the network has diverged.
    #[error(
        "segment {segment}: a probability is not finite; the network has diverged, train it at a lower learning rate"
    )]
    NotFinite {
        /// Position among the segments.
        segment: usize,
    },
    /// Two segments of one track with different true classes.
    #[error("segment {segment}: track {track} has the true classes {first} and {second}; a track has one")]
    TwoLabels {
        /// Position among the segments.
        segment: usize,
        /// The track.
        track: usize,
        /// Its class before.
        first: usize,
        /// Its class now.
        second: usize,
    },
}

const N_RESAMPLES: usize = 2000;
/// 97.5th percentile of the normal distribution: 95 % lie between it and its negative.
const Z_95: f64 = 1.959_963_984_540_054;

/// Scores segments and the tracks that they come from.
///
/// The same segments and `seed` (of the bootstrap) give the same numbers to the last bit.
///
/// # Errors
/// If there are no segments, or one does not fit the labels or its track.
///
/// # Reference
/// scikit-learn 1.9 and SciPy 1.17 within 1e-12 (`tests/reference/scores.py`); the bootstrap within 0.01 of NumPy's.
pub fn scores(segments: &[SegmentResult<'_>], labels: &[String], seed: u64) -> Result<Scores, ScoresError> {
    if let Some(label) = duplicate(labels) {
        return Err(ScoresError::DuplicateLabel { label: label.clone() });
    }
    let tracks = track_decisions(segments, labels.len())?;
    let by_segment = confusion(segments.iter().map(|s| (s.label, arg_max(s.probabilities))), labels.len());
    let by_track = confusion(tracks.iter().map(|t| (t.label, t.predicted)), labels.len());
    let right_tracks = diagonal(&by_track);
    let commonest = by_track.iter().map(|row| row.iter().sum()).max().unwrap_or(0);
    Ok(Scores {
        labels: labels.to_vec(),
        n_segments: segments.len(),
        n_tracks: tracks.len(),
        accuracy: share(diagonal(&by_segment), segments.len()),
        accuracy_interval: bootstrap(segments, seed),
        balanced_accuracy: balanced_accuracy(&by_segment),
        macro_f1: macro_average(&by_segment).f1_score,
        per_class: named(labels, &by_segment),
        confusion_matrix: by_segment,
        track_accuracy: share(right_tracks, tracks.len()),
        track_accuracy_interval: wilson(right_tracks, tracks.len()),
        track_balanced_accuracy: balanced_accuracy(&by_track),
        track_macro_f1: macro_average(&by_track).f1_score,
        track_per_class: named(labels, &by_track),
        track_confusion_matrix: by_track,
        chance_level: share(1, labels.len()),
        majority_baseline: share(commonest, tracks.len()),
    })
}

/// The vote of each track's segments, ordered by track.
///
/// # Errors
/// As [`scores`].
pub fn track_decisions(
    segments: &[SegmentResult<'_>],
    n_classes: usize,
) -> Result<Vec<TrackDecision>, ScoresError> {
    if segments.is_empty() {
        return Err(ScoresError::NoSegments);
    }
    let mut tracks: BTreeMap<usize, (usize, Vec<&[f32]>)> = BTreeMap::new();
    for (segment, result) in segments.iter().enumerate() {
        check(segment, result, n_classes)?;
        let SegmentResult { track, label: second, probabilities } = *result;
        let (first, votes) = tracks.entry(track).or_insert((second, Vec::new()));
        if *first != second {
            return Err(ScoresError::TwoLabels { segment, track, first: *first, second });
        }
        votes.push(probabilities);
    }
    let decided = tracks.into_iter().map(|(track, (label, votes))| {
        let probabilities = mean(&votes, n_classes);
        TrackDecision { track, label, predicted: arg_max(&probabilities), probabilities }
    });
    Ok(decided.collect())
}

fn check(segment: usize, result: &SegmentResult<'_>, n_classes: usize) -> Result<(), ScoresError> {
    let found = result.probabilities.len();
    if result.label >= n_classes {
        return Err(ScoresError::UnknownLabel { segment, label: result.label, n_classes });
    }
    if found != n_classes {
        return Err(ScoresError::WrongLength { segment, found, n_classes });
    }
    if !result.probabilities.iter().all(|p| p.is_finite()) {
        return Err(ScoresError::NotFinite { segment });
    }
    Ok(())
}

fn duplicate(labels: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    labels.iter().find(|label| !seen.insert(label.as_str()))
}

fn mean(votes: &[&[f32]], n_classes: usize) -> Vec<f64> {
    let sum = |class: usize| votes.iter().map(|vote| f64::from(vote[class])).sum::<f64>();
    (0..n_classes).map(|class| sum(class) / votes.len() as f64).collect()
}

/// Index of the largest value; of equals the first.
fn arg_max<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

/// Zero of nothing, as scikit-learn's `zero_division` has it by default.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counts `[true][predicted]`.
fn confusion(pairs: impl Iterator<Item = (usize, usize)>, n_classes: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; n_classes]; n_classes];
    pairs.for_each(|(label, predicted)| counts[label][predicted] += 1);
    counts
}

fn diagonal(confusion: &[Vec<usize>]) -> usize {
    confusion.iter().enumerate().map(|(i, row)| row[i]).sum()
}

/// Scores of the class in row and column `class`, and how often it was predicted.
fn class_scores(confusion: &[Vec<usize>], class: usize) -> (ClassScores, usize) {
    let right = confusion[class][class];
    let support = confusion[class].iter().sum();
    let predicted = confusion.iter().map(|row| row[class]).sum();
    let scores = ClassScores {
        precision: share(right, predicted),
        recall: share(right, support),
        f1_score: share(2 * right, support + predicted),
        support,
    };
    (scores, predicted)
}

fn named(labels: &[String], confusion: &[Vec<usize>]) -> BTreeMap<String, ClassScores> {
    let scores =
        labels.iter().enumerate().map(|(class, label)| (label.clone(), class_scores(confusion, class).0));
    scores.collect()
}

fn balanced_accuracy(confusion: &[Vec<usize>]) -> f64 {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class).0);
    average(classes.filter(|class| class.support > 0).map(|class| (class, 1.0))).recall
}

/// Plain mean over the classes that occur or were predicted; one that does neither says nothing of the classifier.
pub(super) fn macro_average(confusion: &[Vec<usize>]) -> ClassScores {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class));
    average(classes.filter(|(class, predicted)| class.support + predicted > 0).map(|(class, _)| (class, 1.0)))
}

/// Mean over the classes, weighted by how often they occur.
pub(super) fn weighted_average(confusion: &[Vec<usize>]) -> ClassScores {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class).0);
    average(classes.map(|class| (class, class.support as f64)))
}

fn average(classes: impl Iterator<Item = (ClassScores, f64)>) -> ClassScores {
    let (mut sum, mut weights) = (ClassScores::default(), 0.0);
    for (class, weight) in classes {
        sum.precision += weight * class.precision;
        sum.recall += weight * class.recall;
        sum.f1_score += weight * class.f1_score;
        sum.support += class.support;
        weights += weight;
    }
    if weights > 0.0 {
        sum.precision /= weights;
        sum.recall /= weights;
        sum.f1_score /= weights;
    }
    sum
}

/// Wilson's score interval: unlike the textbook one it stays within 0..=1 and holds for few tracks.
fn wilson(right: usize, n: usize) -> Interval {
    let (p, n) = (share(right, n), n as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Interval { low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) }
}

/// Percentile interval of segment accuracy over resampled sets of tracks.
fn bootstrap(segments: &[SegmentResult<'_>], seed: u64) -> Option<Interval> {
    let mut tracks: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for segment in segments {
        let (right, n) = tracks.entry(segment.track).or_default();
        *right += usize::from(arg_max(segment.probabilities) == segment.label);
        *n += 1;
    }
    let tracks: Vec<(usize, usize)> = tracks.into_values().collect();
    if tracks.len() < 2 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut resample = || {
        let drawn = (0..tracks.len()).map(|_| tracks[rng.random_range(0..tracks.len())]);
        let (right, n) = drawn.fold((0, 0), |sum, track| (sum.0 + track.0, sum.1 + track.1));
        share(right, n)
    };
    let mut accuracies: Vec<f64> = (0..N_RESAMPLES).map(|_| resample()).collect();
    accuracies.sort_by(f64::total_cmp);
    Some(Interval { low: percentile(&accuracies, 0.025), high: percentile(&accuracies, 0.975) })
}

/// Of sorted values, linear between neighbours (NumPy's default).
fn percentile(sorted: &[f64], fraction: f64) -> f64 {
    let place = fraction * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
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
                label: *label,
                probabilities,
            })
            .collect()
    }

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn reference_scores() -> (Value, Scores) {
        let reference = reference();
        let labels: Vec<String> = parse(&reference["labels"]);
        let scores = scores(&results(&segments_of(&reference)), &labels, 0).unwrap();
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
    fn wilson_intervals_equal_those_of_scipy() {
        for case in reference()["wilson"].as_array().unwrap() {
            let found = wilson(parse(&case[0]), parse(&case[1]));
            assert_close(&format!("{case} low"), found.low, &case[2], 1e-12);
            assert_close(&format!("{case} high"), found.high, &case[3], 1e-12);
        }
    }

    /// 2000 resamples put the ends of an interval within about ±0.005 (one standard error) of their limit here.
    #[test]
    fn the_bootstrap_over_tracks_agrees_with_numpy() {
        let (reference, scores) = reference_scores();
        let found = scores.accuracy_interval.unwrap();
        assert_close("low", found.low, &reference["bootstrap"][0], 0.01);
        assert_close("high", found.high, &reference["bootstrap"][1], 0.01);
        let segments = segments_of(&reference);
        assert_eq!(bootstrap(&results(&segments), 0), Some(found), "the same seed");
        assert_ne!(bootstrap(&results(&segments), 1), Some(found), "another seed");
    }

    #[test]
    fn copies_of_a_segment_do_not_make_the_interval_narrower() {
        let segments = segments_of(&reference());
        let tenfold: Segments = segments.iter().flat_map(|s| vec![s.clone(); 10]).collect();
        assert_eq!(bootstrap(&results(&tenfold), 7), bootstrap(&results(&segments), 7));
    }

    #[test]
    fn the_lowest_class_wins_a_tie() {
        let votes =
            vec![(4, 1, vec![0.5, 0.5, 0.0]), (4, 1, vec![0.25, 0.25, 0.5]), (2, 0, vec![0.0, 0.5, 0.5])];
        let decided = track_decisions(&results(&votes), 3).unwrap();
        let predicted: Vec<_> = decided.iter().map(|t| (t.track, t.predicted)).collect();
        assert_eq!(predicted, [(2, 1), (4, 0)]);
        assert_eq!(decided[1].probabilities, [0.375, 0.375, 0.25]);
    }

    #[test]
    fn one_track_has_no_bootstrap_interval() {
        let one = vec![(0, 0, vec![0.9, 0.1]), (0, 0, vec![0.2, 0.8])];
        let scores = scores(&results(&one), &labels(&["a", "b"]), 0).unwrap();
        assert_eq!((scores.accuracy, scores.accuracy_interval), (0.5, None));
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_it() {
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
            ScoresError::TwoLabels { segment: 1, track: 3, first: 0, second: 1 }
        );
        assert_eq!(
            fails(vec![(0, 0, vec![1.0, 0.0])], &labels(&["a", "a"])),
            ScoresError::DuplicateLabel { label: "a".to_owned() }
        );
    }

    #[test]
    fn scripts_find_the_names_they_rely_on() {
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
}
