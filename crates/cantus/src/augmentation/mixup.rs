//! Mixup: a network learns from mixtures of two examples, and is to answer with the mixture of their labels.
//!
//! `x = λ x₁ + (1 - λ) x₂` and `y = λ y₁ + (1 - λ) y₂` with `λ ~ Beta(α, α)`: the smaller α is, the more often one of the
//! two is heard almost alone. Here the partner is drawn from the whole training part and not only from the batch, so
//! that an example does not depend on its batch.
//!
//! # Reference
//! Zhang, Cissé, Dauphin & Lopez-Paz, "mixup: beyond empirical risk minimization", 2018. Beta variates as a ratio of
//! gamma variates, which are drawn after Marsaglia & Tsang, "A simple method for generating gamma variables", 2000.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

/// How strongly examples are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixup {
    /// Both parameters of the Beta distribution, more than 0; the paper recommends 0.1 to 0.4.
    pub alpha: f64,
}

impl Mixup {
    /// What makes no sense, in words; none if all does.
    pub(crate) fn problem(self) -> Option<String> {
        let sound = self.alpha > 0.0 && self.alpha <= 100.0;
        (!sound).then(|| format!("mixup: alpha = {}: must be more than 0 and at most 100", self.alpha))
    }

    /// How much the first of two examples counts, in [0, 1].
    pub(crate) fn share(self, chance: &mut KeyedRng) -> f32 {
        let (a, b) = (gamma(self.alpha, chance), gamma(self.alpha, chance));
        // Two numbers of a small α may both be smaller than f64 can tell from 0.
        if a + b > 0.0 { (a / (a + b)) as f32 } else { f32::from(u8::from(chance.bernoulli(0.5))) }
    }
}

/// A gamma variate of this shape and scale 1.
fn gamma(shape: f64, chance: &mut KeyedRng) -> f64 {
    if shape < 1.0 {
        // Γ(a) = Γ(a + 1) · U^(1/a), with U in (0, 1].
        return gamma(shape + 1.0, chance) * (1.0 - chance.uniform()).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = chance.normal();
        let v = (1.0 + c * x).powi(3);
        let u = 1.0 - chance.uniform();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Beta(α, α) variate has mean 1/2 and variance 1 / (4 (2 α + 1)); below 0.1 lies what
    /// `scipy.stats.beta.cdf(0.1, a, a)` says (SciPy 1.17): 0.3367, 0.2048, 0.1,
    /// 0.0027.
    #[test]
    fn shares_are_distributed_as_beta_says() {
        for (alpha, below_a_tenth) in [(0.2, 0.3367), (0.5, 0.2048), (1.0, 0.1), (4.0, 0.002_728)] {
            let mixup = Mixup { alpha };
            let n = 20_000;
            let shares: Vec<f64> =
                (0..n).map(|i| f64::from(mixup.share(&mut KeyedRng::new([7, i, 0, 0])))).collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = shares.iter().sum::<f64>() / n as f64;
            let variance = shares.iter().map(|s| (s - 0.5).powi(2)).sum::<f64>() / n as f64;
            let few = shares.iter().filter(|share| **share < 0.1).count() as f64 / n as f64;
            assert!((mean - 0.5).abs() < 0.015, "alpha {alpha}: mean {mean}");
            let expected = 0.25 / (2.0 * alpha + 1.0);
            assert!((variance / expected - 1.0).abs() < 0.05, "alpha {alpha}: {variance}, not {expected}");
            assert!((few - below_a_tenth).abs() < 0.012, "alpha {alpha}: {few}, not {below_a_tenth}");
        }
    }

    #[test]
    fn a_share_is_a_number_for_every_alpha_that_is_accepted() {
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
