//! Activation functions and their derivatives.
//!
//! Backpropagation needs the derivative f'(h). For most activations it is a function of the output y = f(h) alone
//! (sigmoid: y (1 - y); tanh: 1 - y²; ReLU: 1 where y > 0), so that h need not be stored. Only [`Activation::Gelu`] and
//! [`Activation::Silu`] are not monotonic: for them a layer stores h.
//!
//! NaN passes through every activation and every derivative, so that it reaches the loss.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::elementwise::{exp, sigmoid, tanh};

/// The activation function of a layer; in an architecture, with the name that Keras gives it.
///
/// Exhaustive, so that an exporter does not compile without a case for a new activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// y = h
    #[default]
    Linear,
    /// y = 1 / (1 + e⁻ʰ), in (0, 1)
    Sigmoid,
    /// y = tanh h, in (-1, 1)
    Tanh,
    /// y = max(0, h)
    Relu,
    /// y = h where h > 0, else 0.2 h (Keras's slope)
    LeakyRelu,
    /// y = h where h > 0, else eʰ - 1
    Elu,
    /// y = h Φ(h), with Φ the distribution function of the normal distribution
    Gelu,
    /// y = h / (1 + e⁻ʰ), also called swish
    Silu,
    /// yᵢ = eʰⁱ / Σⱼ eʰʲ over the last axis: probabilities
    Softmax,
}

const LEAKY_SLOPE: f32 = 0.2;

/// The input of an activation's derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DerivativeReads {
    /// It is 1.
    Nothing,
    /// y
    Output,
    /// h
    NetInput,
}

impl Activation {
    /// The input of its derivative.
    pub(crate) fn derivative_reads(self) -> DerivativeReads {
        match self {
            Self::Linear => DerivativeReads::Nothing,
            Self::Gelu | Self::Silu => DerivativeReads::NetInput,
            Self::Sigmoid | Self::Tanh | Self::Relu | Self::LeakyRelu | Self::Elu | Self::Softmax => {
                DerivativeReads::Output
            }
        }
    }

    /// Whether the derivative is not a function of the output.
    pub(crate) fn needs_net_input(self) -> bool {
        self.derivative_reads() == DerivativeReads::NetInput
    }

    /// Whether the derivative of each element is a function of the same element of the output.
    pub(crate) fn is_elementwise_in_output(self) -> bool {
        self.derivative_reads() == DerivativeReads::Output && self != Self::Softmax
    }

    /// Replaces net inputs by outputs, in place. Softmax is taken over rows of `width` numbers; the others are elementwise.
    pub(crate) fn forward(self, values: &mut [f32], width: usize) {
        forward(self, values, width);
    }

    /// Replaces ∂E/∂y by ∂E/∂h, in place.
    ///
    /// # Shapes
    /// - `outputs`: y; `net_inputs`: h, read only if [`Self::needs_net_input`]
    /// - `gradient`: as `outputs`; rows of `width`
    pub(crate) fn backward(self, outputs: &[f32], net_inputs: &[f32], gradient: &mut [f32], width: usize) {
        backward(self, outputs, net_inputs, gradient, width);
    }
}

#[multiversion]
fn forward(activation: Activation, values: &mut [f32], width: usize) {
    match activation {
        Activation::Linear => {}
        Activation::Sigmoid => each(values, sigmoid),
        Activation::Tanh => each(values, tanh),
        // Not `max`, which drops NaN.
        Activation::Relu => each(values, |h| if h < 0.0 { 0.0 } else { h }),
        Activation::LeakyRelu => each(values, |h| if h > 0.0 { h } else { LEAKY_SLOPE * h }),
        Activation::Elu => each(values, |h| if h > 0.0 { h } else { exp(h) - 1.0 }),
        Activation::Gelu => each(values, |h| h * normal_distribution(h)),
        Activation::Silu => each(values, |h| h * sigmoid(h)),
        Activation::Softmax => values.chunks_exact_mut(width).for_each(softmax),
    }
}

#[multiversion]
fn backward(activation: Activation, outputs: &[f32], net_inputs: &[f32], gradient: &mut [f32], width: usize) {
    match activation {
        Activation::Linear => {}
        Activation::Sigmoid => scale_each(gradient, outputs, |y| y * (1.0 - y)),
        Activation::Tanh => scale_each(gradient, outputs, |y| 1.0 - y * y),
        Activation::Relu => scale_each(gradient, outputs, |y| slope(y, 0.0)),
        Activation::LeakyRelu => scale_each(gradient, outputs, |y| slope(y, LEAKY_SLOPE)),
        Activation::Elu => scale_each(gradient, outputs, |y| if y > 0.0 { 1.0 } else { y + 1.0 }),
        Activation::Gelu => {
            scale_each(gradient, net_inputs, |h| normal_distribution(h) + h * normal_density(h))
        }
        Activation::Silu => scale_each(gradient, net_inputs, |h| {
            let s = sigmoid(h);
            s + h * s * (1.0 - s)
        }),
        Activation::Softmax => {
            for (gradient, y) in gradient.chunks_exact_mut(width).zip(outputs.chunks_exact(width)) {
                softmax_backward(y, gradient);
            }
        }
    }
}

/// Adds `bias` to every row of `values` and applies the activation, after a matrix product.
///
/// `net_inputs` receives the sums, for activations whose derivative needs them.
pub(crate) fn add_bias_and_activate(
    values: &mut [f32],
    bias: &[f32],
    activation: Activation,
    net_inputs: Option<&mut [f32]>,
) {
    add_bias(values, bias, activation == Activation::Relu);
    if let Some(kept) = net_inputs {
        kept.copy_from_slice(values);
    }
    if activation != Activation::Relu {
        activation.forward(values, bias.len());
    }
}

/// 1 where y > 0, else `below`; NaN where y is.
#[inline(always)]
fn slope(y: f32, below: f32) -> f32 {
    if y > 0.0 {
        1.0
    } else if y.is_nan() {
        y
    } else {
        below
    }
}

/// With `relu`, negative sums become 0.
#[multiversion]
fn add_bias(values: &mut [f32], bias: &[f32], relu: bool) {
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    for row in values.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(value, bias)| {
            let sum = *value + bias;
            // Not `max`, which drops NaN.
            *value = if sum < least { least } else { sum };
        });
    }
}

#[inline(always)]
fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
    values.iter_mut().for_each(|value| *value = f(*value));
}

#[inline(always)]
fn scale_each(gradient: &mut [f32], at: &[f32], derivative: impl Fn(f32) -> f32) {
    gradient.iter_mut().zip(at).for_each(|(g, &x)| *g *= derivative(x));
}

/// Softmax of one row. The maximum is subtracted first, so that no exponential overflows.
fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - max);
        sum += *value;
    }
    for value in row.iter_mut() {
        *value /= sum;
    }
}

/// ∂E/∂hᵢ = yᵢ (∂E/∂yᵢ - Σⱼ yⱼ ∂E/∂yⱼ)
fn softmax_backward(y: &[f32], gradient: &mut [f32]) {
    let dot: f32 = y.iter().zip(&*gradient).map(|(y, g)| y * g).sum();
    gradient.iter_mut().zip(y).for_each(|(g, y)| *g = y * (*g - dot));
}

/// Φ(x), within 1.5e-7: formula 7.1.26 of Abramowitz & Stegun 1964 for the error function.
#[inline(always)]
fn normal_distribution(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / z.mul_add(0.327_591_1, 1.0);
    let mut series = 1.061_405_4_f32;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        series = series.mul_add(t, coefficient);
    }
    let half_tail = 0.5 * series * t * exp(-z * z);
    if x > 0.0 { 1.0 - half_tail } else { half_tail }
}

/// The density of the normal distribution.
#[inline(always)]
fn normal_density(x: f32) -> f32 {
    0.398_942_3 * exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, noise};

    const ALL: [Activation; 9] = [
        Activation::Linear,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softmax,
    ];

    #[test]
    fn every_derivative_equals_central_differences() {
        let (net_inputs, direction) = (noise(12, 5), noise(12, 6));
        for activation in ALL {
            // E = Σ direction · y, so that ∂E/∂y = direction.
            let energy = |h: &[f32]| -> f32 {
                let mut y: Vec<f32> = h.to_vec();
                activation.forward(&mut y, 4);
                y.iter().zip(&direction).map(|(y, d)| y * d).sum()
            };
            let mut outputs = net_inputs.clone();
            activation.forward(&mut outputs, 4);
            let mut gradient = direction.clone();
            activation.backward(&outputs, &net_inputs, &mut gradient, 4);
            let differences: Vec<f32> = (0..12)
                .map(|i| {
                    let moved = |by: f32| {
                        let mut h = net_inputs.clone();
                        h[i] += by;
                        energy(&h)
                    };
                    (moved(1e-2) - moved(-1e-2)) / 2e-2
                })
                .collect();
            assert_close(&gradient, &differences, 1e-3);
        }
    }

    /// `keras.activations.gelu([-3., -1., -0.5, 0., 0.5, 1., 3.])`, Keras 3.15.1.
    #[test]
    fn gelu_equals_the_exact_formula() {
        let mut values = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0];
        Activation::Gelu.forward(&mut values, 1);
        assert_close(
            &values,
            &[-0.004_049_7, -0.158_655_26, -0.154_268_77, 0.0, 0.345_731_23, 0.841_344_7, 2.995_950_2],
            1e-6,
        );
    }

    #[test]
    fn nan_passes_through_every_activation_and_every_derivative() {
        for activation in ALL {
            // In a vector and in its remainder.
            for index in [0, 20] {
                let mut values = vec![0.5; 21];
                values[index] = f32::NAN;
                let net_inputs = values.clone();
                activation.forward(&mut values, 21);
                assert!(values[index].is_nan(), "{activation:?} forward");
                if activation.derivative_reads() == DerivativeReads::Nothing {
                    continue;
                }
                let mut gradient = vec![1.0; 21];
                activation.backward(&values, &net_inputs, &mut gradient, 21);
                assert!(gradient[index].is_nan(), "{activation:?} backward");
            }
            let mut sums = [f32::NAN, 1.0];
            add_bias_and_activate(&mut sums, &[1.0, 1.0], activation, None);
            assert!(sums[0].is_nan(), "{activation:?} after a bias");
        }
    }

    #[test]
    fn softmax_sums_to_one_even_for_large_net_inputs() {
        let mut values = [1000.0, 999.0, -1000.0];
        softmax(&mut values);
        assert_close(&values, &[0.731_058_6, 0.268_941_43, 0.0], 1e-6);
    }
}
