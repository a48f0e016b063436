//! The gradient of a loss.

use super::Loss;
use super::score::EPSILON;
use crate::activation::Activation;
use crate::examples::Target;

impl Loss {
    /// Writes `scale` · ∂E/∂(outputs) of one example; with `from_logits`, ∂E/∂(logits).
    ///
    /// # Shapes
    /// - `outputs`, `gradient`: as `outputs` of [`Loss::score`]
    pub(crate) fn gradient(
        self,
        outputs: &[f32],
        target: Target<'_>,
        n_classes: usize,
        scale: f32,
        from_logits: bool,
        gradient: &mut [f32],
    ) {
        let scale = scale * n_classes as f32 / outputs.len() as f32;
        gradient.copy_from_slice(outputs);
        if from_logits {
            self.fused_activation().forward(gradient, n_classes);
        }
        for (row, values) in gradient.chunks_exact_mut(n_classes).enumerate() {
            let t = |j: usize| self.smoothed(target, row, j, n_classes);
            let sum_t: f32 = if from_logits { (0..n_classes).map(t).sum() } else { 0.0 };
            for (j, value) in values.iter_mut().enumerate() {
                let (p, t) = (*value, t(j));
                *value = scale
                    * match self {
                        Self::MeanSquaredError => 2.0 * (p - t) / n_classes as f32,
                        Self::BinaryCrossentropy { .. } if from_logits => (p - t) / n_classes as f32,
                        Self::BinaryCrossentropy { .. } => {
                            let p = p.clamp(EPSILON, 1.0 - EPSILON);
                            (p - t) / (p * (1.0 - p)) / n_classes as f32
                        }
                        _ if from_logits => p.mul_add(sum_t, -t),
                        _ => -t / p.clamp(EPSILON, f32::INFINITY),
                    };
            }
        }
    }

    /// The activation that turns logits into probabilities.
    fn fused_activation(self) -> Activation {
        match self {
            Self::BinaryCrossentropy { .. } => Activation::Sigmoid,
            _ => Activation::Softmax,
        }
    }
}
