//! Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019).

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{Slots, UpdateStep};

/// Running means of the gradient, m ← m + (1 - β₁)(g - m), and of its square, v ← v + (1 - β₂)(g² - v), give
/// the step w ← w - η m̂ / (√v̂ + ε), where m̂ and v̂ are corrected for the initial 0.
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

/// Adam with weight decay before each step: w ← w - η λ w.
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
    pub(super) fn update(&self, step: UpdateStep, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        self.update_with_decay(step, 1.0, weights, gradient, slots);
    }

    /// One step, before which every weight is multiplied by `decay`.
    fn update_with_decay(
        &self,
        step: UpdateStep,
        decay: f32,
        weights: &mut [f32],
        gradient: &[f32],
        slots: Slots<'_>,
    ) {
        // Both bias corrections, folded into the learning rate.
        let n = i32::try_from(step.number).unwrap_or(i32::MAX);
        // Keras takes powers of β rounded to f32, in f32 and in f64; the difference is 6.7e-6 of every step.
        let power = |beta: f64| f64::from(beta as f32).powi(n);
        let correction = (1.0 - power(self.beta_2)).sqrt() / (1.0 - power(self.beta_1));
        let rate = (f64::from(step.learning_rate) * correction) as f32;
        apply(self, rate, decay, weights, gradient, slots);
    }
}

#[multiversion]
fn apply(rule: &Adam, rate: f32, decay: f32, weights: &mut [f32], gradient: &[f32], [m, v]: Slots<'_>) {
    // Rounded once, after the subtraction, as Keras does: 1 - 0.999 in f32 is off by 1.3e-5 of itself.
    let (mean_rate, square_rate) = ((1.0 - rule.beta_1) as f32, (1.0 - rule.beta_2) as f32);
    let epsilon = rule.epsilon;
    for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(m).zip(v) {
        *m = (g - *m).mul_add(mean_rate, *m);
        *v = g.mul_add(g, -*v).mul_add(square_rate, *v);
        *w = *w * decay - rate * *m / (v.sqrt() + epsilon);
    }
}

impl AdamW {
    pub(super) fn update(&self, step: UpdateStep, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        let Self { learning_rate, weight_decay, beta_1, beta_2, epsilon } = *self;
        let adam = Adam { learning_rate, beta_1, beta_2, epsilon };
        adam.update_with_decay(step, 1.0 - step.learning_rate * weight_decay, weights, gradient, slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keras 3.15.1 in float64, which its float32 equals within 6e-7:
    ///
    /// ```python
    /// w, opt = keras.Variable(np.zeros(1)), keras.optimizers.Adam(1e-3)
    /// opt.build([w])
    /// for g in [0.5, -0.25, 1.0]: opt.apply([keras.ops.convert_to_tensor(np.array([g]))], [w]); print(w.numpy())
    /// ```
    #[test]
    fn steps_from_zero_are_those_of_keras_to_the_last_digits_of_f32() {
        let expected = [-9.999_869_997_876e-4, -1.266_320_758_437e-3, -1.924_426_168_826e-3];
        let (mut w, mut m, mut v) = ([0.0_f32], [0.0], [0.0]);
        for ((gradient, expected), number) in [0.5, -0.25, 1.0].into_iter().zip(expected).zip(1..) {
            let step = UpdateStep { learning_rate: 1e-3, number };
            Adam::default().update(step, &mut w, &[gradient], [&mut m, &mut v]);
            let by = f64::from(w[0]) / expected - 1.0;
            assert!(by.abs() < 5e-7, "step {number}: {} differs by {by:.1e}", w[0]);
        }
    }
}
