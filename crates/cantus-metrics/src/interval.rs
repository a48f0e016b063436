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
