//! 95 % confidence intervals of proportions: Wilson's score interval, and a bootstrap over groups of tracks.
//!
//! Tracks are the independent observations; segments of one track are not, and neither are tracks of one artist. Hence
//! Wilson's score interval for the proportion of ungrouped tracks (Wilson 1927), and otherwise a percentile bootstrap that
//! resamples whole tracks, or whole groups if they are known (Field & Welsh 2007, "Bootstrapping clustered data").

use std::collections::BTreeMap;

use cantus_random::{KeyedRng, text_key};
use serde::{Deserialize, Serialize};

use crate::class_scores::share;

/// A 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether the interval lies on one side of 0.
    pub(crate) fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Part of the key of the random numbers that resample groups.
pub(crate) const BOOTSTRAP: u64 = text_key("bootstrap");
pub(crate) const N_RESAMPLES: usize = 2000;
/// 97.5th percentile of the standard normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval of `n_correct` of `n` independent predictions; 0 to 1 if there are none.
///
/// # Reference
/// Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
#[must_use]
pub fn wilson_interval(n_correct: usize, n: usize) -> Interval {
    if n == 0 { Interval { low: 0.0, high: 1.0 } } else { wilson(n_correct.min(n), n) }
}

/// Percentile bootstrap interval of the mean of `values`, which resamples whole groups; `None` for fewer than two groups.
///
/// `groups`: the group of each value, such as the track of a segment. Values of one group need not be independent.
///
/// # Reference
/// Field & Welsh, "Bootstrapping clustered data", 2007.
#[must_use]
pub fn bootstrap_interval(values: &[f64], groups: &[usize], seed: u64) -> Option<Interval> {
    let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for (value, group) in values.iter().zip(groups) {
        let (sum, n) = sums.entry(*group).or_default();
        *sum += value;
        *n += 1;
    }
    resampled_mean(&sums.into_values().collect::<Vec<_>>(), seed)
}

/// Wilson's score interval: unlike the normal approximation it stays within 0..=1 and is valid for few tracks.
pub(crate) fn wilson(n_correct: usize, n: usize) -> Interval {
    let (p, n) = (share(n_correct, n), n as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Interval { low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) }
}

/// Bootstrap interval of an accuracy; `None` for fewer than two groups.
///
/// `predictions`: group, and whether the prediction is correct.
pub(crate) fn bootstrap(predictions: impl Iterator<Item = (usize, bool)>, seed: u64) -> Option<Interval> {
    let mut groups: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (group, is_correct) in predictions {
        let (n_correct, n) = groups.entry(group).or_default();
        *n_correct += usize::from(is_correct);
        *n += 1;
    }
    resampled_mean(
        &groups.into_values().map(|(n_correct, n)| (n_correct as f64, n)).collect::<Vec<_>>(),
        seed,
    )
}

/// Bootstrap interval of a mean; each group is a sum and its number of terms. `None` for fewer than two groups.
pub(crate) fn resampled_mean(groups: &[(f64, usize)], seed: u64) -> Option<Interval> {
    if groups.len() < 2 {
        return None;
    }
    let mut rng = KeyedRng::new([seed, BOOTSTRAP]);
    let mut resample = || {
        let drawn = (0..groups.len()).map(|_| groups[rng.below(groups.len())]);
        let (sum, n) = drawn.fold((0.0, 0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
        sum / n as f64
    };
    Some(percentiles((0..N_RESAMPLES).map(|_| resample()).collect()))
}

/// 2.5th and 97.5th percentiles of at least one value.
pub(crate) fn percentiles(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    Interval { low: percentile(&values, 0.025), high: percentile(&values, 0.975) }
}

/// Percentile of sorted values with linear interpolation (NumPy's default).
fn percentile(sorted: &[f64], fraction: f64) -> f64 {
    let position = fraction * (sorted.len() - 1) as f64;
    let below = position as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bootstrap_of_correct_predictions_is_that_of_the_scores() {
        let correct = [true, false, true, true, false, true, true, false];
        let groups = [0, 0, 1, 1, 2, 2, 3, 3];
        let values = correct.map(|is_correct| f64::from(u8::from(is_correct)));
        let expected = bootstrap(groups.into_iter().zip(correct), 7);
        assert!(expected.is_some());
        assert_eq!(bootstrap_interval(&values, &groups, 7), expected);
    }

    #[test]
    fn intervals_without_observations_are_those_of_no_knowledge() {
        assert_eq!(wilson_interval(0, 0), Interval { low: 0.0, high: 1.0 });
        assert_eq!(wilson_interval(9, 3), wilson_interval(3, 3));
        assert_eq!(bootstrap_interval(&[1.0, 2.0], &[4, 4], 0), None);
        assert_eq!(bootstrap_interval(&[], &[], 0), None);
    }

    #[test]
    fn an_interval_of_groups_is_wider_than_one_that_ignores_them() {
        let values: Vec<f64> = (0..40).map(|n| f64::from(n / 10 % 2)).collect();
        let width = |groups: &[usize]| {
            let Interval { low, high } = bootstrap_interval(&values, groups, 0).unwrap();
            high - low
        };
        let alone: Vec<usize> = (0..40).collect();
        let grouped: Vec<usize> = (0..40).map(|n| n / 10).collect();
        assert!(width(&grouped) > 2.0 * width(&alone));
    }
}
