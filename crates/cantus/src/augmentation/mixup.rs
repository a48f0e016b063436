//! Mixup: trains on convex combinations of two examples and of their targets.
//!
//! `x = λ x₁ + (1 - λ) x₂` and `y = λ y₁ + (1 - λ) y₂` with `λ ~ Beta(α, α)`: the smaller α is, the more often λ is near 0
//! or 1. The second example is drawn from the whole training part instead of the batch, so that an example does not
//! depend on its batch.
//!
//! # Reference
//! Zhang, Cissé, Dauphin & Lopez-Paz, "mixup: beyond empirical risk minimization", 2018. Beta variates as a ratio of
//! gamma variates, drawn by the method of Marsaglia & Tsang, "A simple method for generating gamma variables", 2000.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

/// Parameters of mixup.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixup {
    /// Both parameters of the Beta distribution, more than 0; the paper recommends 0.1 to 0.4.
    pub alpha: f64,
}

impl Mixup {
    /// Error text for an invalid parameter; `None` if all are valid.
    pub(crate) fn problem(self) -> Option<String> {
        let is_valid = self.alpha > 0.0 && self.alpha <= 100.0;
        (!is_valid).then(|| format!("mixup: alpha = {}: must be more than 0 and at most 100", self.alpha))
    }

    /// λ, the weight of the first example, in [0, 1].
    pub(crate) fn share(self, rng: &mut KeyedRng) -> f32 {
        let (a, b) = (gamma(self.alpha, rng), gamma(self.alpha, rng));
        // For a small α both variates may underflow to 0.
        if a + b > 0.0 { (a / (a + b)) as f32 } else { f32::from(u8::from(rng.bernoulli(0.5))) }
    }
}

/// A gamma variate of this shape and scale 1.
fn gamma(shape: f64, rng: &mut KeyedRng) -> f64 {
    if shape < 1.0 {
        // Γ(a) = Γ(a + 1) · U^(1/a), with U in (0, 1].
        return gamma(shape + 1.0, rng) * (1.0 - rng.uniform()).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        let u = 1.0 - rng.uniform();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Beta(α, α) variate has mean 1/2 and variance 1 / (4 (2 α + 1)); the probability below 0.1 is
    /// `scipy.stats.beta.cdf(0.1, a, a)` (SciPy 1.17): 0.3367, 0.2048, 0.1, 0.0027.
    #[test]
    fn shares_follow_the_beta_distribution() {
        for (alpha, below_a_tenth) in [(0.2, 0.3367), (0.5, 0.2048), (1.0, 0.1), (4.0, 0.002_728)] {
            let mixup = Mixup { alpha };
            let n = 20_000;
            let shares: Vec<f64> =
                (0..n).map(|i| f64::from(mixup.share(&mut KeyedRng::new([7, i, 0, 0])))).collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = shares.iter().sum::<f64>() / n as f64;
            let variance = shares.iter().map(|s| (s - 0.5).powi(2)).sum::<f64>() / n as f64;
            let below = shares.iter().filter(|share| **share < 0.1).count() as f64 / n as f64;
            assert!((mean - 0.5).abs() < 0.015, "alpha {alpha}: mean {mean}");
            let expected = 0.25 / (2.0 * alpha + 1.0);
            assert!((variance / expected - 1.0).abs() < 0.05, "alpha {alpha}: {variance}, not {expected}");
            assert!((below - below_a_tenth).abs() < 0.012, "alpha {alpha}: {below}, not {below_a_tenth}");
        }
    }

    #[test]
    fn a_share_is_finite_for_every_valid_alpha() {
        for alpha in [1e-300, 1e-6, 0.01, 1.0, 100.0] {
            let mixup = Mixup { alpha };
            assert_eq!(mixup.problem(), None);
            for i in 0..200 {
                let share = mixup.share(&mut KeyedRng::new([1, i, 0, 0]));
                assert!((0.0..=1.0).contains(&share), "alpha {alpha}: {share}");
            }
        }
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Mixup { alpha }.problem().is_some(), "{alpha}");
        }
    }
}
