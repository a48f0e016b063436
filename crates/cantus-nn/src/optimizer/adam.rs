//! Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019).

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::{Slots, Step};

/// Running means of the gradient, m ← m + (1 - β₁)(g - m), and of its square, v ← v + (1 - β₂)(g² - v), give
/// the step w ← w - η m̂ / (√v̂ + ε), where m̂ and v̂ make up for beginning at 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// η
    pub learning_rate: f32,
    /// β₁
    pub beta_1: f64,
    /// β₂
    pub beta_2: f64,
    /// ε, which keeps the quotient finite.
    pub epsilon: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

/// Adam, before each step of which weights fade: w ← w - η λ w.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// η
    pub learning_rate: f32,
    /// λ
    pub weight_decay: f32,
    /// β₁
    pub beta_1: f64,
    /// β₂
    pub beta_2: f64,
    /// ε, which keeps the quotient finite.
    pub epsilon: f32,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { learning_rate: 0.001, weight_decay: 0.004, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Adam {
    pub(super) fn update(&self, step: Step, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        self.update_fading(step, 1.0, weights, gradient, slots);
    }

    /// One step, before which every weight is multiplied by `fade`.
    fn update_fading(&self, step: Step, fade: f32, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        // Both corrections for beginning at 0, folded into the learning rate.
        let n = i32::try_from(step.number).unwrap_or(i32::MAX);
        let correction = (1.0 - self.beta_2.powi(n)).sqrt() / (1.0 - self.beta_1.powi(n));
        let rate = (f64::from(step.learning_rate) * correction) as f32;
        follow(self, rate, fade, weights, gradient, slots);
    }
}

#[multiversion(targets = "simd")]
fn follow(rule: &Adam, rate: f32, fade: f32, weights: &mut [f32], gradient: &[f32], [m, v]: Slots<'_>) {
    // Rounded once, after the subtraction, as Keras does: 1 - 0.999 in f32 is off by 1.3e-5 of itself.
    let (mean_rate, square_rate) = ((1.0 - rule.beta_1) as f32, (1.0 - rule.beta_2) as f32);
    let epsilon = rule.epsilon;
    for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(m).zip(v) {
        *m = (g - *m).mul_add(mean_rate, *m);
        *v = g.mul_add(g, -*v).mul_add(square_rate, *v);
        *w = *w * fade - rate * *m / (v.sqrt() + epsilon);
    }
}

impl AdamW {
    pub(super) fn update(&self, step: Step, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        let Self { learning_rate, weight_decay, beta_1, beta_2, epsilon } = *self;
        let adam = Adam { learning_rate, beta_1, beta_2, epsilon };
        adam.update_fading(step, 1.0 - step.learning_rate * weight_decay, weights, gradient, slots);
    }
}
