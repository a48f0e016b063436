//! Stochastic gradient descent.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{Slots, UpdateStep};

/// w ← w - η g; with momentum μ, a velocity v ← μ v - η g is added instead, so that steps in a constant
/// direction grow.
///
/// Nesterov's variant: w ← w + μ v - η g, with the new v.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// η
    pub learning_rate: f32,
    /// μ, 0 for none.
    pub momentum: f32,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl Sgd {
    pub(super) fn update(
        &self,
        step: UpdateStep,
        weights: &mut [f32],
        gradient: &[f32],
        [velocity, _]: Slots<'_>,
    ) {
        if self.momentum == 0.0 {
            descend(step.learning_rate, weights, gradient);
        } else {
            descend_with_momentum(
                step.learning_rate,
                self.momentum,
                self.nesterov,
                weights,
                gradient,
                velocity,
            );
        }
    }
}

#[multiversion]
fn descend(eta: f32, weights: &mut [f32], gradient: &[f32]) {
    weights.iter_mut().zip(gradient).for_each(|(w, &g)| *w -= eta * g);
}

#[multiversion]
fn descend_with_momentum(
    eta: f32,
    mu: f32,
    nesterov: bool,
    weights: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
) {
    for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
        *v = mu * *v - eta * g;
        *w += if nesterov { mu * *v - eta * g } else { *v };
    }
}
