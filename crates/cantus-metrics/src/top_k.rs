//! How far down the list the right answer stands: top-k accuracy.
//!
//! # Reference
//! scikit-learn 1.9's `top_k_accuracy_score`, except where probabilities are equal: there the lower class comes first, as
//! it does wherever Cantus answers with one label.

use std::collections::BTreeMap;

use super::TrackDecision;
use super::class_scores::share;

/// Longest list that is looked at.
const MOST: usize = 5;

/// Share of tracks whose true class is among the `k` most probable, for k from 1 to 5 as far as that says anything.
pub(super) fn top_k(tracks: &[TrackDecision]) -> BTreeMap<String, f64> {
    let n_classes = tracks.first().map_or(0, |track| track.probabilities.len());
    let ranks: Vec<usize> = tracks.iter().map(|track| rank(&track.probabilities, track.labels[0])).collect();
    // Numbers cannot be keys in a flattened part of a JSON document.
    let within =
        |k: usize| (k.to_string(), share(ranks.iter().filter(|rank| **rank < k).count(), ranks.len()));
    (1..n_classes.min(MOST + 1)).map(within).collect()
}

/// Number of classes that come before `class`.
fn rank(probabilities: &[f64], class: usize) -> usize {
    let own = probabilities[class];
    let before = |&(other, p): &(usize, &f64)| *p > own || (*p == own && other < class);
    probabilities.iter().enumerate().filter(before).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::arg_max;
    use crate::reference::examination;

    #[test]
    fn top_k_accuracy_equals_that_of_scikit_learn() {
        let (reference, labels, probabilities) = examination();
        // The first twelve have equal probabilities.
        let tracks: Vec<TrackDecision> = labels[12..]
            .iter()
            .zip(&probabilities[12..])
            .map(|(&label, p)| TrackDecision {
                track: 0,
                group: 0,
                labels: vec![label],
                predicted: arg_max(p),
                probabilities: p.clone(),
            })
            .collect();
        for (k, found) in top_k(&tracks) {
            let expected = reference["top"][&k].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-12, "{k}: found {found}, expected {expected}");
        }
        assert_eq!(top_k(&tracks).len(), 3);
    }

    #[test]
    fn the_lower_of_equal_classes_comes_first() {
        assert_eq!([0, 1, 2].map(|class| rank(&[0.25, 0.5, 0.25], class)), [1, 0, 2]);
    }
}
