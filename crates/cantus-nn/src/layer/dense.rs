//! Dense: a fully connected layer.
//!
//! Forward: h = x W + b, y = f(h). Each column of W holds the weights of one neuron.
//!
//! Backward, by the chain rule, from ∂E/∂y of the next layer:
//!
//! - ∂E/∂h = ∂E/∂y · f'(h), elementwise (softmax excepted);
//! - ∂E/∂W = xᵀ ∂E/∂h, since ∂hⱼ/∂Wᵢⱼ = xᵢ, summed over the examples;
//! - ∂E/∂b = Σ ∂E/∂h over the examples;
//! - ∂E/∂x = ∂E/∂h Wᵀ, since input i affects the loss through every neuron; for the layer before.

use serde::{Deserialize, Serialize};

use super::{
    BackwardReads, BatchContext, BatchReduction, BufferSizes, ForwardCache, GradientIo, Layer, LayerId,
    Parameter, Weights, split, split_mut,
};
use crate::activation::{Activation, add_bias_and_activate};
use crate::elementwise::{add, add_rows};
use crate::error::Error;
use crate::initializer::Initializer;
use crate::matmul::{Accumulate, Matrix, matmul};
use crate::regularizer::Regularizer;

/// A fully connected layer over the last axis.
///
/// # Shapes
/// - input `[..., n]`, output `[..., units]`
/// - weights: `kernel [n, units]`, `bias [units]`
///
/// # Reference
/// Equals `keras.layers.Dense`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of neurons.
    pub units: usize,
    /// f
    #[serde(default)]
    pub activation: Activation,
    /// The initialiser of W.
    #[serde(default = "Dense::default_kernel_initializer")]
    pub kernel_initializer: Initializer,
    /// A penalty on W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
    /// A penalty on b.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_regularizer: Option<Regularizer>,
}

impl Dense {
    /// A layer of `units` neurons, otherwise with Keras's defaults.
    #[must_use]
    pub fn new(units: usize, activation: Activation) -> Self {
        Self {
            units,
            activation,
            kernel_initializer: Self::default_kernel_initializer(),
            kernel_regularizer: None,
            bias_regularizer: None,
        }
    }

    fn default_kernel_initializer() -> Initializer {
        Initializer::GlorotUniform
    }

    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<DenseLayer, Error> {
        let units = id.at_least_one("units", self.units)?;
        let Some((&n_inputs, leading)) = input_shape.split_last() else {
            return Err(id.shape(input_shape, "at least one axis"));
        };
        Ok(DenseLayer {
            description: self.clone(),
            n_inputs,
            repeats: leading.iter().product(),
            output_shape: [leading, &[units]].concat(),
        })
    }
}

/// From this many weights on, threads divide the columns and not the examples: the gradients of all shards, and their sum,
/// would exceed the second-level cache.
const MANY_WEIGHTS: usize = 65_536;

/// From this many weights on, the product of a single example is the sum of those of some parts of the inputs: sums of fewer
/// numbers have smaller rounding errors.
const MIN_WEIGHTS_IN_PARTS: usize = 16_384;
/// Parts of the inputs.
const PARTS: usize = 4;

/// A [`Dense`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct DenseLayer {
    pub(crate) description: Dense,
    /// n
    pub(crate) n_inputs: usize,
    /// Rows of n numbers of one example.
    repeats: usize,
    output_shape: Vec<usize>,
}

impl DenseLayer {
    /// Lengths of kernel and bias.
    fn lens(&self) -> [usize; 2] {
        [self.n_inputs * self.description.units, self.description.units]
    }

    fn is_in_parts(&self) -> bool {
        self.repeats == 1 && self.lens()[0] >= MIN_WEIGHTS_IN_PARTS
    }
}

impl Layer for DenseLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::INPUT
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Dense { units, kernel_initializer, kernel_regularizer, bias_regularizer, .. } = self.description;
        vec![
            Parameter::new("kernel", &[self.n_inputs, units], kernel_initializer)
                .regularized(kernel_regularizer),
            Parameter::new("bias", &[units], Initializer::Zeros).regularized(bias_regularizer),
        ]
    }

    fn buffer_sizes(&self) -> BufferSizes {
        let (kept, units) = (self.description.activation.needs_net_input(), self.description.units);
        BufferSizes {
            cached: if kept { self.repeats * units } else { 0 },
            scratch: if self.is_in_parts() { units } else { 0 },
            ..BufferSizes::default()
        }
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (units, activation) = (self.description.units, context.activation(self.description.activation));
        let [kernel, bias] = split(weights.values, self.lens());
        let x = Matrix::new(x, context.rows * self.repeats, self.n_inputs);
        matmul(y, units, x, Matrix::new(kernel, self.n_inputs, units), Accumulate::Overwrite);
        add_bias_and_activate(y, bias, activation, activation.needs_net_input().then_some(cache.cached));
    }

    fn forward_one(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (units, activation) = (self.description.units, context.activation(self.description.activation));
        if !self.is_in_parts() {
            return self.forward(context, weights, x, y, cache);
        }
        let [kernel, bias] = split(weights.values, self.lens());
        let height = self.n_inputs.div_ceil(PARTS).next_multiple_of(8);
        let sum = &mut cache.scratch[..units];
        y.fill(0.0);
        for (x, kernel) in x.chunks(height).zip(kernel.chunks(height * units)) {
            let (x, kernel) = (Matrix::new(x, 1, x.len()), Matrix::new(kernel, x.len(), units));
            matmul(sum, units, x, kernel, Accumulate::Overwrite);
            add(y, sum);
        }
        add_bias_and_activate(y, bias, activation, activation.needs_net_input().then_some(cache.cached));
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (units, activation) = (self.description.units, context.activation(self.description.activation));
        let n_rows = context.rows * self.repeats;
        let [kernel, _] = split(weights.values, self.lens());
        let [d_kernel, d_bias] = split_mut(gradient, self.lens());
        activation.backward(io.y, cache.cached, io.dy, units);
        let dh = Matrix::new(io.dy, n_rows, units);
        matmul(d_kernel, units, Matrix::new(io.x, n_rows, self.n_inputs).transposed(), dh, Accumulate::Add);
        add_rows(d_bias, io.dy);
        if let Some(dx) = io.dx {
            matmul(
                dx,
                self.n_inputs,
                dh,
                Matrix::new(kernel, self.n_inputs, units).transposed(),
                Accumulate::Overwrite,
            );
        }
    }

    fn last_activation(&self) -> Activation {
        self.description.activation
    }

    fn batch_reduction(&self) -> Option<BatchReduction<'_>> {
        let wide = self.repeats == 1 && self.lens()[0] >= MANY_WEIGHTS;
        wide.then_some(BatchReduction::ColumnParallel(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward, run_forward_one};

    fn dense(activation: Activation) -> LayerSpec {
        LayerSpec::Dense(Dense::new(3, activation))
    }

    #[test]
    fn output_is_the_weighted_sum_through_the_activation() {
        // x W + b with W = [[1, 2], [3, 4]], b = [10, -30].
        let layer = LayerSpec::Dense(Dense::new(2, Activation::Relu));
        let y = run_forward(&layer, &[2], &[1.0, 2.0, 3.0, 4.0, 10.0, -30.0], &[1.0, 2.0, 0.5, 1.0]);
        assert_close(&y, &[17.0, 0.0, 13.5, 0.0], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences_for_every_activation() {
        for activation in [
            Activation::Linear,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::Relu,
            Activation::LeakyRelu,
            Activation::Elu,
            Activation::Gelu,
            Activation::Silu,
            Activation::Softmax,
        ] {
            gradients_match_differences(&dense(activation), &[5], 4);
        }
    }

    #[test]
    fn gradients_hold_along_the_last_of_several_axes() {
        gradients_match_differences(&dense(Activation::Gelu), &[2, 3, 5], 2);
    }

    /// With so few inputs that some parts have none.
    #[test]
    fn a_wide_layer_with_few_inputs_equals_the_batch() {
        for n_inputs in [1, 7, 8, 9, 24, 25] {
            let layer =
                LayerSpec::Dense(Dense::new(MIN_WEIGHTS_IN_PARTS.div_ceil(n_inputs), Activation::Tanh));
            let units = MIN_WEIGHTS_IN_PARTS.div_ceil(n_inputs);
            let (x, weights) = (noise(n_inputs, 1), noise((n_inputs + 1) * units, 2));
            let output = run_forward_one(&layer, &[n_inputs], &weights, &x);
            assert_close(&output, &run_forward(&layer, &[n_inputs], &weights, &x), 1e-5);
        }
    }

    #[test]
    fn zero_units_are_rejected() {
        let error = Dense::new(0, Activation::Linear)
            .build(&[4], LayerId { path: "layers.7", kind: "Dense" })
            .unwrap_err();
        assert_eq!(error.to_string(), "layers.7 (Dense): units must be at least 1, but is 0");
    }
}
