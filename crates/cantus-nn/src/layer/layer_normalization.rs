//! LayerNormalization: each row is normalised, then scaled and shifted (Ba, Kiros & Hinton 2016).
//!
//! Forward, with mean μ and variance σ² of the n numbers of a row (the last axis): x̂ = (x - μ) / √(σ² + ε), y = γ x̂ + β. Unlike
//! batch normalisation, it is independent of the other examples, and the same in training and inference.
//!
//! Backward, with d = γ ∂E/∂y: ∂E/∂x = (d - mean(d) - x̂ mean(d x̂)) / √(σ² + ε); ∂E/∂γ = Σ x̂ ∂E/∂y, ∂E/∂β = Σ ∂E/∂y over rows.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{
    BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, LayerId, Parameter, Weights, split,
    split_mut,
};
use crate::error::Error;
use crate::initializer::Initializer;

/// Normalises along the last axis.
///
/// # Shapes
/// - input and output `[..., n]`
/// - weights: `gamma [n]`, `beta [n]`
///
/// # Reference
/// Equals `keras.layers.LayerNormalization`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNormalization {
    /// ε
    pub epsilon: f32,
}

impl Default for LayerNormalization {
    fn default() -> Self {
        Self { epsilon: 1e-3 }
    }
}

impl LayerNormalization {
    pub(crate) fn build(
        self,
        input_shape: &[usize],
        id: LayerId<'_>,
    ) -> Result<LayerNormalizationLayer, Error> {
        let Some(&n) = input_shape.last() else {
            return Err(id.shape(input_shape, "at least one axis"));
        };
        Ok(LayerNormalizationLayer { epsilon: self.epsilon, n, shape: input_shape.to_vec() })
    }
}

/// A [`LayerNormalization`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct LayerNormalizationLayer {
    epsilon: f32,
    n: usize,
    shape: Vec<usize>,
}

/// Mean, and 1 / √(variance + ε), of one row.
#[inline(always)]
fn mean_and_scale(x: &[f32], epsilon: f32) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = x.iter().sum::<f32>() / n;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

#[multiversion]
fn normalise(x: &[f32], y: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
    let n = gamma.len();
    for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
        let (mean, scale) = mean_and_scale(x, epsilon);
        for ((x, y), (gamma, beta)) in x.iter().zip(y).zip(gamma.iter().zip(beta)) {
            *y = gamma * ((x - mean) * scale) + beta;
        }
    }
}

#[multiversion]
fn add_gradient(x: &[f32], dy: &[f32], d_gamma: &mut [f32], d_beta: &mut [f32], epsilon: f32) {
    let n = d_gamma.len();
    for (x, dy) in x.chunks_exact(n).zip(dy.chunks_exact(n)) {
        let (mean, scale) = mean_and_scale(x, epsilon);
        for ((x, dy), (d_gamma, d_beta)) in x.iter().zip(dy).zip(d_gamma.iter_mut().zip(&mut *d_beta)) {
            *d_gamma += dy * ((x - mean) * scale);
            *d_beta += dy;
        }
    }
}

#[multiversion]
fn input_gradient(x: &[f32], dy: &[f32], dx: &mut [f32], gamma: &[f32], epsilon: f32) {
    let n = gamma.len();
    for ((x, dy), dx) in x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
        let (mean, scale) = mean_and_scale(x, epsilon);
        let (mut sum, mut sum_normal) = (0.0, 0.0);
        for ((x, dy), gamma) in x.iter().zip(dy).zip(gamma) {
            sum += gamma * dy;
            sum_normal += gamma * dy * ((x - mean) * scale);
        }
        let (mean_d, mean_normal) = (sum / n as f32, sum_normal / n as f32);
        for (((x, dy), dx), gamma) in x.iter().zip(dy).zip(dx).zip(gamma) {
            *dx = scale * (gamma * dy - mean_d - (x - mean) * scale * mean_normal);
        }
    }
}

impl Layer for LayerNormalizationLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::INPUT
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter::new("gamma", &[self.n], Initializer::Ones),
            Parameter::new("beta", &[self.n], Initializer::Zeros),
        ]
    }

    fn forward(&self, _: &BatchContext, weights: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        let [gamma, beta] = split(weights.values, [self.n; 2]);
        normalise(x, y, gamma, beta, self.epsilon);
    }

    fn backward(
        &self,
        _: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let [gamma, _] = split(weights.values, [self.n; 2]);
        let [d_gamma, d_beta] = split_mut(gradient, [self.n; 2]);
        add_gradient(io.x, io.dy, d_gamma, d_beta, self.epsilon);
        if let Some(dx) = io.dx {
            input_gradient(io.x, io.dy, dx, gamma, self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, run_forward};

    #[test]
    fn rows_are_normalised_on_their_own() {
        let spec = LayerSpec::LayerNormalization(LayerNormalization { epsilon: 0.0 });
        let y = run_forward(&spec, &[2, 2], &[1.0, 2.0, 0.0, 10.0], &[1.0, 3.0, -5.0, 5.0]);
        assert_close(&y, &[-1.0, 12.0, -1.0, 12.0], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        gradients_match_differences(
            &LayerSpec::LayerNormalization(LayerNormalization::default()),
            &[3, 7],
            2,
        );
    }
}
