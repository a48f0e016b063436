//! How sure one can be of a share: 95 % confidence intervals over tracks.
//!
//! Tracks are the independent observations; segments of one track are not. Hence Wilson's score interval for the share of
//! tracks (Wilson 1927), and for the share of segments a percentile bootstrap that draws whole tracks (Field & Welsh 2007,
//! "Bootstrapping clustered data").

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{SegmentResult, by_class::share};
use crate::vote::arg_max;

/// A 95 % confidence interval of a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, 0..=1.
    pub low: f64,
    /// Upper end, 0..=1.
    pub high: f64,
}

const N_RESAMPLES: usize = 2000;
/// 97.5th percentile of the normal distribution: 95 % lie between it and its negative.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval: unlike the textbook one it stays within 0..=1 and holds for few tracks.
pub(super) fn wilson(right: usize, n: usize) -> Interval {
    let (p, n) = (share(right, n), n as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Interval { low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) }
}

/// Percentile interval of segment accuracy over resampled sets of tracks.
pub(super) fn bootstrap(segments: &[SegmentResult<'_>], seed: u64) -> Option<Interval> {
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
