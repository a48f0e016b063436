//! GaussianNoise: adds normal noise in training, as regularisation.
//!
//! Forward: y = x + s n, with n from a normal distribution; backward: ∂E/∂x = ∂E/∂y. Inference: y = x.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

use super::{BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, LayerId, Weights};
use crate::error::Error;

/// Adds noise in training.
///
/// # Shapes
/// - input and output: any
///
/// # Reference
/// Has the distribution of `keras.layers.GaussianNoise`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    /// s, the deviation.
    pub stddev: f32,
}

impl GaussianNoise {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<GaussianNoiseLayer, Error> {
        if !(self.stddev.is_finite() && self.stddev >= 0.0) {
            return Err(id.setting("stddev", self.stddev, "a finite number of at least 0"));
        }
        Ok(GaussianNoiseLayer { stddev: self.stddev, shape: input_shape.to_vec() })
    }
}

/// A [`GaussianNoise`] layer for one shape.
#[derive(Debug)]
pub(crate) struct GaussianNoiseLayer {
    stddev: f32,
    shape: Vec<usize>,
}

impl Layer for GaussianNoiseLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn forward(&self, context: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        y.copy_from_slice(x);
        if context.training {
            let width = self.shape.iter().product();
            for (row, y) in y.chunks_exact_mut(width).enumerate() {
                let mut rng = KeyedRng::new([context.key, (context.first_row + row) as u64]);
                y.iter_mut().for_each(|y| *y += self.stddev * rng.normal() as f32);
            }
        }
    }

    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        if let Some(dx) = io.dx {
            dx.copy_from_slice(io.dy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{gradients_match_differences, run_forward};

    const TRAINING: BatchContext =
        BatchContext { rows: 2, first_row: 0, training: true, skips_activation: false, key: 5 };

    #[test]
    fn gradients_equal_central_differences_under_the_same_noise() {
        gradients_match_differences(&LayerSpec::GaussianNoise(GaussianNoise { stddev: 0.3 }), &[5], 3);
    }

    #[test]
    fn noise_has_the_deviation_asked_for() {
        let layer = GaussianNoise { stddev: 0.3 }.build(&[5000], LayerId { path: "", kind: "" }).unwrap();
        let mut y = vec![0.0; 10_000];
        let (weights, cache) =
            (Weights { values: &[], derived: &[] }, ForwardCache { cached: &mut [], scratch: &mut [] });
        layer.forward(&TRAINING, weights, &[1.0; 10_000], &mut y, cache);
        let mean = y.iter().sum::<f32>() / 1e4;
        let deviation = (y.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 1e4).sqrt();
        assert!((mean - 1.0).abs() < 0.02 && (deviation - 0.3).abs() < 0.01, "{mean} {deviation}");
    }

    #[test]
    fn inference_changes_nothing() {
        let noise = LayerSpec::GaussianNoise(GaussianNoise { stddev: 1.0 });
        assert_eq!(run_forward(&noise, &[3], &[], &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
    }
}
