//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::{Slots, Step};
use crate::elementwise::vectorised;

/// w ← w - η g; with momentum μ, a velocity v ← μ v - η g is added instead, so that steps in a lasting direction grow.
///
/// Nesterov's variant looks ahead: w ← w + μ v - η g, with the new v.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// η
    pub learning_rate: f32,
    /// μ, 0 for none.
    pub momentum: f32,
    /// Whether to look ahead.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl Sgd {
    pub(super) fn update(&self, step: Step, weights: &mut [f32], gradient: &[f32], [velocity, _]: Slots<'_>) {
        let (eta, mu) = (step.learning_rate, self.momentum);
        if mu == 0.0 {
            vectorised(|| weights.iter_mut().zip(gradient).for_each(|(w, &g)| *w -= eta * g));
            return;
        }
        vectorised(|| {
            for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
                *v = mu * *v - eta * g;
                *w += if self.nesterov { mu * *v - eta * g } else { *v };
            }
        });
    }
}
