//! Spread of a score over the folds of a cross-validation.
//!
//! It shows the dependence on the choice of test tracks; it is not a confidence interval, because the folds' training parts
//! overlap (Bengio & Grandvalet 2004, "No unbiased estimator of the variance of k-fold cross-validation").

use serde::{Deserialize, Serialize};

/// Spread of a score over the folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Unweighted mean over the folds.
    pub mean: f64,
    /// Sample standard deviation over the folds (`ddof=1`).
    pub deviation: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Spread of at least one value.
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { mean, deviation, low, high }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.std([0.5, 0.6, 0.4, 0.7], ddof=1)` is 0.12909944487358058, NumPy 2.4.6.
    #[test]
    fn the_spread_matches_numpy() {
        let spread = Spread::of(&[0.5, 0.6, 0.4, 0.7]);
        assert!((spread.mean - 0.55).abs() < 1e-12);
        assert!((spread.deviation - 0.129_099_444_873_580_58).abs() < 1e-12);
        assert_eq!((spread.low, spread.high), (0.4, 0.7));
        assert_eq!(Spread::of(&[0.5]).deviation, 0.0);
    }
}
