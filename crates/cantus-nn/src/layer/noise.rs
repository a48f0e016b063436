//! GaussianNoise and SpatialDropout: two more ways to disturb training; see [`Dropout`](super::Dropout) for
//! the first.
//!
//! GaussianNoise, forward: y = x + s n, with n from a normal distribution; backward: ∂E/∂x = ∂E/∂y.
//! SpatialDropout silences whole channels instead of single numbers, since neighbours in time or space say
//! much the same (Tompson et al. 2015): y[·, c] = m[c] x[·, c] / (1 - rate). In inference both do nothing.

use serde::{Deserialize, Serialize};

use super::{Flow, Layer, Pass, Site, Tape, Weights};
use crate::error::Error;
use crate::random::{Random, bits, key};

/// Adds noise in training.
///
/// # Shapes
/// - input and output: any
///
/// # Reference
/// Means what `keras.layers.GaussianNoise` means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    /// s, the deviation.
    pub stddev: f32,
}

/// Silences each channel (of the last axis) with probability `rate` in training.
///
/// # Shapes
/// - input and output `[..., channels]`
///
/// # Reference
/// Means what `keras.layers.SpatialDropout1D` and `SpatialDropout2D` mean, by which names architectures know
/// it too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialDropout {
    /// Which share is silenced; at least 0, less than 1.
    pub rate: f32,
}

impl GaussianNoise {
    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<GaussianNoiseLayer, Error> {
        if !(self.stddev.is_finite() && self.stddev >= 0.0) {
            return Err(site.setting("stddev", self.stddev, "a finite number of at least 0"));
        }
        Ok(GaussianNoiseLayer { stddev: self.stddev, shape: input_shape.to_vec() })
    }
}

impl SpatialDropout {
    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<SpatialDropoutLayer, Error> {
        let rate = site.share("rate", self.rate)?;
        Ok(SpatialDropoutLayer { rate, shape: input_shape.to_vec() })
    }
}

/// A [`GaussianNoise`] layer for one shape.
#[derive(Debug)]
pub(crate) struct GaussianNoiseLayer {
    stddev: f32,
    shape: Vec<usize>,
}

/// A [`SpatialDropout`] layer for one shape.
#[derive(Debug)]
pub(crate) struct SpatialDropoutLayer {
    rate: f32,
    shape: Vec<usize>,
}

impl Layer for GaussianNoiseLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn forward(&self, pass: &Pass, _: Weights<'_>, x: &[f32], y: &mut [f32], _: Tape<'_>) {
        y.copy_from_slice(x);
        if pass.training {
            let width = self.shape.iter().product();
            for (row, y) in y.chunks_exact_mut(width).enumerate() {
                let mut random = Random::new(key(pass.key, (pass.first_row + row) as u64));
                y.iter_mut().for_each(|y| *y += self.stddev * random.normal() as f32);
            }
        }
    }

    fn backward(&self, _: &Pass, _: Weights<'_>, flow: Flow<'_>, _: &mut [f32], _: Tape<'_>) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
        }
    }
}

impl SpatialDropoutLayer {
    /// `to` = mask · `from` / (1 - rate)
    fn silence(&self, pass: &Pass, from: &[f32], to: &mut [f32]) {
        let (width, channels) = (self.shape.iter().product(), self.shape.last().copied().unwrap_or(1));
        let limit = (f64::from(self.rate) * 2.0_f64.powi(32)) as u32;
        for (row, (from, to)) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)).enumerate() {
            let key = key(pass.key, (pass.first_row + row) as u64);
            let factor = |c: usize| if bits(key, c as u32) < limit { 0.0 } else { 1.0 / (1.0 - self.rate) };
            for (i, (from, to)) in from.iter().zip(to).enumerate() {
                *to = from * factor(i % channels);
            }
        }
    }
}

impl Layer for SpatialDropoutLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn forward(&self, pass: &Pass, _: Weights<'_>, x: &[f32], y: &mut [f32], _: Tape<'_>) {
        if pass.training {
            self.silence(pass, x, y);
        } else {
            y.copy_from_slice(x);
        }
    }

    fn backward(&self, pass: &Pass, _: Weights<'_>, flow: Flow<'_>, _: &mut [f32], _: Tape<'_>) {
        if let Some(dx) = flow.dx {
            self.silence(pass, flow.dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{gradients_match_differences, run_forward};

    const TRAINING: Pass = Pass { rows: 2, first_row: 0, training: true, fused: false, key: 5 };

    #[test]
    fn gradients_equal_central_differences_under_the_same_noise() {
        gradients_match_differences(&LayerSpec::GaussianNoise(GaussianNoise { stddev: 0.3 }), &[5], 3);
        gradients_match_differences(&LayerSpec::SpatialDropout(SpatialDropout { rate: 0.5 }), &[3, 4], 3);
    }

    #[test]
    fn noise_has_the_deviation_asked_for() {
        let layer = GaussianNoise { stddev: 0.3 }.build(&[5000], Site { path: "", kind: "" }).unwrap();
        let mut y = vec![0.0; 10_000];
        let (weights, tape) =
            (Weights { values: &[], derived: &[] }, Tape { floats: &mut [], scratch: &mut [] });
        layer.forward(&TRAINING, weights, &[1.0; 10_000], &mut y, tape);
        let mean = y.iter().sum::<f32>() / 1e4;
        let deviation = (y.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 1e4).sqrt();
        assert!((mean - 1.0).abs() < 0.02 && (deviation - 0.3).abs() < 0.01, "{mean} {deviation}");
    }

    #[test]
    fn a_channel_is_silenced_as_a_whole() {
        let layer = SpatialDropout { rate: 0.5 }.build(&[6, 40], Site { path: "", kind: "" }).unwrap();
        let mut y = vec![0.0; 480];
        layer.silence(&TRAINING, &[1.0; 480], &mut y);
        for example in y.chunks(240) {
            assert!(example.chunks(40).all(|step| step == &example[..40]));
            assert!(example.contains(&0.0) && example.contains(&2.0));
        }
        assert_ne!(y[..40], y[240..280]);
    }

    #[test]
    fn inference_changes_nothing() {
        for spec in [
            LayerSpec::GaussianNoise(GaussianNoise { stddev: 1.0 }),
            LayerSpec::SpatialDropout(SpatialDropout { rate: 0.9 }),
        ] {
            assert_eq!(run_forward(&spec, &[3], &[], &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        }
    }
}
