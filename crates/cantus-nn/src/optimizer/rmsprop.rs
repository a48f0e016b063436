//! RMSprop (Tieleman & Hinton 2012).

use serde::{Deserialize, Serialize};

use super::{Slots, Step};
use crate::elementwise::vectorised;

/// A running mean of squared gradients, v ← ρ v + (1 - ρ) g², sets the size of each weight's step: w ← w - η g / √(v + ε).
///
/// With momentum μ, the quotient is collected first: u ← μ u + η g / √(v + ε), w ← w - u.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// η
    pub learning_rate: f32,
    /// ρ
    pub rho: f32,
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
        step: Step,
        weights: &mut [f32],
        gradient: &[f32],
        [mean_square, momentum]: Slots<'_>,
    ) {
        let (eta, epsilon) = (step.learning_rate, self.epsilon);
        let (rho, mu) = (self.rho, self.momentum);
        vectorised(|| {
            let stepped = weights.iter_mut().zip(gradient).zip(mean_square);
            if mu == 0.0 {
                for ((w, &g), v) in stepped {
                    *v = rho * *v + (1.0 - rho) * g * g;
                    *w -= eta * g / (*v + epsilon).sqrt();
                }
            } else {
                for (((w, &g), v), u) in stepped.zip(momentum) {
                    *v = rho * *v + (1.0 - rho) * g * g;
                    *u = mu * *u + eta * g / (*v + epsilon).sqrt();
                    *w -= *u;
                }
            }
        });
    }
}
