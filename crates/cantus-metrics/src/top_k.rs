//! Top-k accuracy.
//!
//! # Reference
//! scikit-learn 1.9's `top_k_accuracy_score`, except for equal probabilities: the lower class ranks first, as in
//! [`arg_max`](crate::aggregate::arg_max).

use std::collections::BTreeMap;

use crate::TrackDecision;
use crate::class_scores::share;

const MAX_K: usize = 5;

/// Proportion of tracks whose true class is among the `k` most probable, for k from 1 to 5 and below the number of classes.
pub(super) fn top_k(tracks: &[TrackDecision]) -> BTreeMap<String, f64> {
    let n_classes = tracks.first().map_or(0, |track| track.probabilities.len());
    let ranks: Vec<usize> = tracks.iter().map(|track| rank(&track.probabilities, track.labels[0])).collect();
    // Strings, since serde cannot deserialise integer keys of a flattened map.
    let within =
        |k: usize| (k.to_string(), share(ranks.iter().filter(|rank| **rank < k).count(), ranks.len()));
    (1..n_classes.min(MAX_K + 1)).map(within).collect()
}

/// Number of classes that rank before `class`.
fn rank(probabilities: &[f64], class: usize) -> usize {
    let own = probabilities[class];
    let before = |&(other, p): &(usize, &f64)| *p > own || (*p == own && other < class);
    probabilities.iter().enumerate().filter(before).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::arg_max;
    use crate::reference::classification;

    #[test]
    fn top_k_accuracy_equals_that_of_scikit_learn() {
        let (reference, labels, probabilities) = classification();
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
    fn the_lower_of_equally_probable_classes_ranks_first() {
        assert_eq!([0, 1, 2].map(|class| rank(&[0.25, 0.5, 0.25], class)), [1, 0, 2]);
    }
}
