//! How sure one can be of a share: 95 % confidence intervals over tracks, or over groups of them.
//!
//! Tracks are the independent observations; segments of one track are not, and neither are tracks of one artist. Hence
//! Wilson's score interval for the share of tracks that stand alone (Wilson 1927), and otherwise a percentile bootstrap that
//! draws whole tracks, or whole groups of them where groups are known (Field & Welsh 2007, "Bootstrapping clustered data").

use std::collections::BTreeMap;

use cantus_random::{KeyedRng, text_key};
use serde::{Deserialize, Serialize};

use super::class_scores::share;

/// A 95 % confidence interval of a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, 0..=1.
    pub low: f64,
    /// Upper end, 0..=1.
    pub high: f64,
}

/// Part of the key of the random numbers that draw groups.
pub(crate) const BOOTSTRAP: u64 = text_key("bootstrap");
pub(crate) const N_RESAMPLES: usize = 2000;
/// 97.5th percentile of the normal distribution: 95 % lie between it and its negative.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval: unlike the textbook one it stays within 0..=1 and holds for few tracks.
pub(crate) fn wilson(right: usize, n: usize) -> Interval {
    let (p, n) = (share(right, n), n as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Interval { low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) }
}

/// Percentile interval of an accuracy over resampled sets of groups; none for fewer than two groups.
///
/// `answers` are the group of each answer, and whether it is right.
pub(crate) fn bootstrap(answers: impl Iterator<Item = (usize, bool)>, seed: u64) -> Option<Interval> {
    let mut groups: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (group, is_right) in answers {
        let (right, n) = groups.entry(group).or_default();
        *right += usize::from(is_right);
        *n += 1;
    }
    resampled_mean(&groups.into_values().map(|(right, n)| (right as f64, n)).collect::<Vec<_>>(), seed)
}

/// Percentile interval of a mean over resampled sets of groups, each a sum and how many it is of; none for fewer than two.
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

/// Where the middle 95 % of values lie; of one value or more.
pub(crate) fn percentiles(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    Interval { low: percentile(&values, 0.025), high: percentile(&values, 0.975) }
}

/// Of sorted values, linear between neighbours (NumPy's default).
fn percentile(sorted: &[f64], fraction: f64) -> f64 {
    let place = fraction * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}
