//! RMSprop (Tieleman & Hinton 2012).

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{Slots, UpdateStep};

/// A running mean of squared gradients, v ← ρ v + (1 - ρ) g², sets the size of each weight's step: w ← w - η
/// g / √(v + ε).
///
/// With momentum μ, the quotient is accumulated first: u ← μ u + η g / √(v + ε), w ← w - u.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// η
    pub learning_rate: f32,
    /// ρ
    pub rho: f64,
    /// μ, 0 for none.
    pub momentum: f32,
    /// ε, which keeps the quotient finite.
    pub epsilon: f32,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { learning_rate: 0.001, rho: 0.9, momentum: 0.0, epsilon: 1e-7 }
    }
}

impl RmsProp {
    pub(super) fn update(
        &self,
        step: UpdateStep,
        weights: &mut [f32],
        gradient: &[f32],
        [mean_square, momentum]: Slots<'_>,
    ) {
        if self.momentum == 0.0 {
            apply(self, step.learning_rate, weights, gradient, mean_square);
        } else {
            apply_with_momentum(self, step.learning_rate, weights, gradient, mean_square, momentum);
        }
    }
}

/// ρ and 1 - ρ, the latter rounded once.
fn rates(rule: &RmsProp) -> (f32, f32) {
    (rule.rho as f32, (1.0 - rule.rho) as f32)
}

#[multiversion]
fn apply(rule: &RmsProp, eta: f32, weights: &mut [f32], gradient: &[f32], mean_square: &mut [f32]) {
    let RmsProp { epsilon, .. } = *rule;
    let (rho, rest) = rates(rule);
    for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(mean_square) {
        *v = rho * *v + rest * g * g;
        *w -= eta * g / (*v + epsilon).sqrt();
    }
}

#[multiversion]
fn apply_with_momentum(
    rule: &RmsProp,
    eta: f32,
    weights: &mut [f32],
    gradient: &[f32],
    mean_square: &mut [f32],
    momentum: &mut [f32],
) {
    let RmsProp { momentum: mu, epsilon, .. } = *rule;
    let (rho, rest) = rates(rule);
    for (((w, &g), v), u) in weights.iter_mut().zip(gradient).zip(mean_square).zip(momentum) {
        *v = rho * *v + rest * g * g;
        *u = mu * *u + eta * g / (*v + epsilon).sqrt();
        *w -= *u;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keras 3.15.1 in float64: `keras.optimizers.RMSprop(1e-3)` on a weight of 0 with these gradients.
    #[test]
    fn steps_from_zero_are_those_of_keras_to_the_last_digits_of_f32() {
        let expected = [-3.162_271_335_632e-3, -1.687_854_338_284e-3, -4.506_432_519_522e-3];
        let (mut w, mut v) = ([0.0_f32], [0.0]);
        for ((gradient, expected), number) in [0.5, -0.25, 1.0].into_iter().zip(expected).zip(1..) {
            let step = UpdateStep { learning_rate: 1e-3, number };
            RmsProp::default().update(step, &mut w, &[gradient], [&mut v, &mut []]);
            let by = f64::from(w[0]) / expected - 1.0;
            assert!(by.abs() < 5e-7, "step {number}: {} differs by {by:.1e}", w[0]);
        }
    }
}
