//! TimeDistributed: a layer applied to each step of a sequence separately.
//!
//! A batch of sequences is a larger batch of steps: forward and backward are those of the layer, with one row
//! for each step.

use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::activation::Activation;
use crate::error::Error;
use crate::layer::{
    BackwardReads, BatchContext, BatchReduction, BufferSizes, ForwardCache, GradientIo, Layer, LayerId,
    Parameter, Weights,
};

/// A layer applied to every step.
///
/// # Shapes
/// - input `[time, ...]`, where the layer takes `[...]`; output `[time, ...]`
/// - weights: those of the layer
///
/// # Reference
/// Equals `keras.layers.TimeDistributed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeDistributed {
    /// Any layer but BatchNormalization, which normalises over all steps by itself.
    pub layer: Box<LayerSpec>,
}

impl TimeDistributed {
    pub(crate) fn build(
        &self,
        input_shape: &[usize],
        id: LayerId<'_>,
    ) -> Result<TimeDistributedLayer, Error> {
        let Some((&n_steps, of_step)) = input_shape.split_first().filter(|(_, of_step)| !of_step.is_empty())
        else {
            return Err(id.shape(input_shape, "a sequence, [time, ...]"));
        };
        let layer = self.layer.build(of_step, &format!("{}.layer", id.path))?;
        if let Some(BatchReduction::Statistics(_)) = layer.batch_reduction() {
            return Err(id.setting(
                "layer",
                self.layer.kind(),
                "a layer that is independent of other examples",
            ));
        }
        if layer.is_inference_only() {
            return Err(id.setting("layer", self.layer.kind(), "a layer that can be trained"));
        }
        let output_shape = [&[n_steps], layer.output_shape()].concat();
        Ok(TimeDistributedLayer { layer, n_steps, output_shape })
    }
}

/// A [`TimeDistributed`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct TimeDistributedLayer {
    layer: Box<dyn Layer>,
    n_steps: usize,
    output_shape: Vec<usize>,
}

impl TimeDistributedLayer {
    fn context(&self, context: &BatchContext) -> BatchContext {
        BatchContext {
            rows: context.rows * self.n_steps,
            first_row: context.first_row * self.n_steps,
            ..*context
        }
    }
}

impl Layer for TimeDistributedLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.layer.parameters()
    }

    fn buffer_sizes(&self) -> BufferSizes {
        let BufferSizes { cached, scratch_per_row, scratch } = self.layer.buffer_sizes();
        let n = self.n_steps;
        BufferSizes { cached: n * cached, scratch_per_row: n * scratch_per_row, scratch }
    }

    fn n_derived(&self) -> usize {
        self.layer.n_derived()
    }

    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        self.layer.derive(weights, derived);
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        self.layer.forward(&self.context(context), weights, x, y, cache);
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        self.layer.backward(&self.context(context), weights, io, gradient, cache);
    }

    fn backward_reads(&self) -> BackwardReads {
        self.layer.backward_reads()
    }

    fn last_activation(&self) -> Activation {
        self.layer.last_activation()
    }

    fn prefers_many_rows(&self) -> bool {
        self.layer.prefers_many_rows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{BatchNormalization, Conv2D, Dense};
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    fn each_step(layer: LayerSpec) -> LayerSpec {
        LayerSpec::TimeDistributed(TimeDistributed { layer: Box::new(layer) })
    }

    #[test]
    fn every_step_is_an_example_of_its_own() {
        let conv = LayerSpec::Conv2D(Conv2D::new(2, [2, 2], Activation::Relu));
        let (x, weights) = (noise(2 * 3 * 16, 1), noise(4 * 2 + 2, 2));
        let together = run_forward(&each_step(conv.clone()), &[3, 4, 4, 1], &weights, &x);
        assert_close(&together, &run_forward(&conv, &[4, 4, 1], &weights, &x), 0.0);
    }

    #[test]
    fn gradients_equal_central_differences() {
        gradients_match_differences(
            &each_step(LayerSpec::Dense(Dense::new(3, Activation::Tanh))),
            &[4, 2],
            2,
        );
        gradients_match_differences(
            &each_step(LayerSpec::Conv2D(Conv2D::new(2, [2, 2], Activation::Tanh))),
            &[2, 3, 3, 1],
            2,
        );
    }

    #[test]
    fn batch_normalization_is_rejected() {
        let error = each_step(LayerSpec::BatchNormalization(BatchNormalization::default()))
            .build(&[4, 2], "layers.1");
        assert!(error.unwrap_err().to_string().contains("independent of other examples"));
    }
}
