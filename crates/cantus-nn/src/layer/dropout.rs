//! Dropout and SpatialDropout: a random fraction of the numbers, or of the channels, is set to 0 in training.
//!
//! Dropout prevents neurons from relying on single others (Srivastava et al. 2014); SpatialDropout drops whole channels, since
//! neighbours in time or space are strongly correlated (Tompson et al. 2015).
//!
//! Forward: y = m x / (1 - rate), where m is 0 with probability `rate`, else 1 (the same for all positions of a channel); the
//! division preserves the mean. Inference: y = x. Backward: ∂E/∂x = m ∂E/∂y / (1 - rate). The mask m is not stored: it is a
//! hash of step, layer, example and position.

use cantus_random::{bits, key};
use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, LayerId, Weights};
use crate::error::Error;

/// Sets each number to 0 with probability `rate` in training.
///
/// # Shapes
/// - input and output: any
///
/// # Reference
/// Has the distribution of `keras.layers.Dropout`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability, in [0, 1).
    pub rate: f32,
}

impl Dropout {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<DropoutLayer, Error> {
        let rate = id.fraction("rate", self.rate)?;
        Ok(DropoutLayer { rate, shape: input_shape.to_vec(), n_independent: input_shape.iter().product() })
    }
}

impl SpatialDropout {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<DropoutLayer, Error> {
        let rate = id.fraction("rate", self.rate)?;
        let n_independent = input_shape.last().copied().unwrap_or(1);
        Ok(DropoutLayer { rate, shape: input_shape.to_vec(), n_independent })
    }
}

/// Sets each channel (of the last axis) to 0 with probability `rate` in training.
///
/// # Shapes
/// - input and output `[..., channels]`
///
/// # Reference
/// Has the distribution of `keras.layers.SpatialDropout1D` and `SpatialDropout2D`, whose names architectures accept too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialDropout {
    /// The probability, in [0, 1).
    pub rate: f32,
}

/// `to` = `scale` · `from`, or 0 where random bits are below `limit`.
#[multiversion]
fn mask_row(key: u64, limit: u32, scale: f32, from: &[f32], to: &mut [f32]) {
    for (i, (from, to)) in (0_u32..).zip(from.iter().zip(to)) {
        *to = if bits(key, i) < limit { 0.0 } else { from * scale };
    }
}

/// A [`Dropout`] or [`SpatialDropout`] layer for one shape.
#[derive(Debug)]
pub(crate) struct DropoutLayer {
    rate: f32,
    shape: Vec<usize>,
    /// Numbers of an example with a mask of their own: all, or one for each channel, repeated at all positions.
    n_independent: usize,
}

impl DropoutLayer {
    /// `to` = mask · `from` / (1 - rate)
    fn apply_mask(&self, context: &BatchContext, from: &[f32], to: &mut [f32]) {
        let width = self.shape.iter().product();
        let limit = (f64::from(self.rate) * 2.0_f64.powi(32)) as u32;
        let scale = 1.0 / (1.0 - self.rate);
        for (row, (from, to)) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)).enumerate() {
            let key = key(context.key, (context.first_row + row) as u64);
            for (from, to) in
                from.chunks_exact(self.n_independent).zip(to.chunks_exact_mut(self.n_independent))
            {
                mask_row(key, limit, scale, from, to);
            }
        }
    }
}

impl Layer for DropoutLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn forward(&self, context: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        if context.training {
            self.apply_mask(context, x, y);
        } else {
            y.copy_from_slice(x);
        }
    }

    fn backward(
        &self,
        context: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        if let Some(dx) = io.dx {
            self.apply_mask(context, io.dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{gradients_match_differences, run_forward};

    #[test]
    fn gradients_equal_central_differences_under_the_same_mask() {
        gradients_match_differences(&LayerSpec::Dropout(Dropout { rate: 0.4 }), &[7], 5);
        gradients_match_differences(&LayerSpec::SpatialDropout(SpatialDropout { rate: 0.5 }), &[3, 4], 3);
    }

    #[test]
    fn the_fraction_of_zeros_is_the_rate_and_the_mean_stays() {
        let layer = Dropout { rate: 0.3 }.build(&[1000], LayerId { path: "", kind: "Dropout" }).unwrap();
        let mut y = vec![0.0; 20_000];
        let context =
            BatchContext { rows: 20, first_row: 0, training: true, skips_activation: false, key: 77 };
        layer.apply_mask(&context, &vec![1.0; 20_000], &mut y);
        let zeros = y.iter().filter(|&&y| y == 0.0).count() as f32 / 2e4;
        let mean = y.iter().sum::<f32>() / 2e4;
        assert!((zeros - 0.3).abs() < 0.02 && (mean - 1.0).abs() < 0.03, "{zeros} {mean}");
    }

    #[test]
    fn a_channel_is_dropped_as_a_whole() {
        let layer = SpatialDropout { rate: 0.5 }.build(&[6, 40], LayerId { path: "", kind: "" }).unwrap();
        let mut y = vec![0.0; 480];
        let context = BatchContext { rows: 2, first_row: 0, training: true, skips_activation: false, key: 5 };
        layer.apply_mask(&context, &[1.0; 480], &mut y);
        for example in y.chunks(240) {
            assert!(example.chunks(40).all(|step| step == &example[..40]));
            assert!(example.contains(&0.0) && example.contains(&2.0));
        }
        assert_ne!(y[..40], y[240..280]);
    }

    #[test]
    fn inference_changes_nothing() {
        for spec in [
            LayerSpec::Dropout(Dropout { rate: 0.5 }),
            LayerSpec::SpatialDropout(SpatialDropout { rate: 0.9 }),
        ] {
            assert_eq!(run_forward(&spec, &[3], &[], &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        }
    }

    #[test]
    fn a_rate_of_one_is_rejected() {
        assert!(Dropout { rate: 1.0 }.build(&[3], LayerId { path: "", kind: "Dropout" }).is_err());
        assert!(Dropout { rate: f32::NAN }.build(&[3], LayerId { path: "", kind: "Dropout" }).is_err());
    }
}
