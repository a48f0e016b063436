//! Residual: a block of layers with a skip connection (He et al. 2016).
//!
//! Forward: y = x + f(x), where f is some layers, one after another. Backward: ∂E/∂x = ∂E/∂y plus the gradient of f; the skip
//! connection passes the gradient unchanged through any number of blocks.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::elementwise::add;
use crate::error::Error;
use crate::layer::{
    BackwardReads, BatchContext, BatchReduction, BufferSizes, ForwardCache, GradientIo, Layer, LayerId,
    Parameter, Weights,
};

/// A block of layers with a skip connection.
///
/// # Shapes
/// - input and output: the same, which the layers must keep
/// - weights: those of the layers, as `layers.0.…`, `layers.1.…`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// First to last. Not BatchNormalization, which would need a batch reduction inside the block; use LayerNormalization.
    pub layers: Vec<LayerSpec>,
}

impl Residual {
    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<ResidualLayer, Error> {
        id.at_least_one("layers", self.layers.len())?;
        let mut inner: Vec<Inner> = Vec::new();
        let (mut shape, mut memory) = (input_shape.to_vec(), BufferSizes::default());
        for (i, spec) in self.layers.iter().enumerate() {
            let layer = spec.build(&shape, &format!("{}.layers.{i}", id.path))?;
            if let Some(BatchReduction::Statistics(_)) = layer.batch_reduction() {
                return Err(id.setting(
                    "layers",
                    spec.kind(),
                    "layers that are independent of other examples",
                ));
            }
            if layer.is_inference_only() {
                return Err(id.setting("layers", spec.kind(), "layers that can be trained"));
            }
            let input_len: usize = shape.iter().product();
            shape = layer.output_shape().to_vec();
            let before = inner.last();
            let next = |range: fn(&Inner) -> &Range<usize>, len: usize| {
                let start = before.map_or(0, |before| range(before).end);
                start..start + len
            };
            let needed = layer.buffer_sizes();
            let n_weights = layer.parameters().iter().map(Parameter::len).sum();
            let output_len = shape.iter().product();
            inner.push(Inner {
                weights: next(|inner| &inner.weights, n_weights),
                derived: next(|inner| &inner.derived, layer.n_derived()),
                cached: next(|inner| &inner.cached, output_len + needed.cached),
                input_len,
                output_len,
                layer,
            });
            memory.scratch = memory.scratch.max(needed.scratch);
            memory.scratch_per_row = memory.scratch_per_row.max(needed.scratch_per_row);
        }
        if shape != input_shape {
            return Err(id.shape(input_shape, format!("its own output shape, {shape:?}, to add both")));
        }
        let widest = inner.iter().map(|inner| inner.input_len.max(inner.output_len)).max().unwrap_or(0);
        memory.cached = inner.last().map_or(0, |last| last.cached.end);
        memory.scratch_per_row += 2 * widest;
        Ok(ResidualLayer { inner, widest, memory, shape })
    }
}

/// A [`Residual`] block for one input shape.
#[derive(Debug)]
pub(crate) struct ResidualLayer {
    inner: Vec<Inner>,
    /// The largest size of one example between two layers.
    widest: usize,
    memory: BufferSizes,
    shape: Vec<usize>,
}

/// A layer of the block, and its ranges of the block's buffers.
#[derive(Debug)]
struct Inner {
    layer: Box<dyn Layer>,
    weights: Range<usize>,
    derived: Range<usize>,
    /// For one example: its output, then its cache.
    cached: Range<usize>,
    input_len: usize,
    output_len: usize,
}

impl Inner {
    fn weights<'a>(&self, weights: Weights<'a>) -> Weights<'a> {
        let derived = weights.derived.get(self.derived.clone()).unwrap_or_default();
        Weights { values: &weights.values[self.weights.clone()], derived }
    }
}

impl ResidualLayer {
    /// The context of layer `i`, with its own random numbers.
    fn context(context: &BatchContext, i: usize) -> BatchContext {
        BatchContext { key: cantus_random::key(context.key, i as u64), skips_activation: false, ..*context }
    }
}

impl Layer for ResidualLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let named = |(i, inner): (usize, &Inner)| {
            let parameters = inner.layer.parameters().into_iter();
            parameters.map(move |parameter| Parameter {
                name: format!("layers.{i}.{}", parameter.name),
                ..parameter
            })
        };
        self.inner.iter().enumerate().flat_map(named).collect()
    }

    fn buffer_sizes(&self) -> BufferSizes {
        self.memory
    }

    fn n_derived(&self) -> usize {
        self.inner.last().map_or(0, |last| last.derived.end)
    }

    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        for inner in &self.inner {
            inner.layer.derive(&weights[inner.weights.clone()], &mut derived[inner.derived.clone()]);
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
        let rows = context.rows;
        let mut before: &[f32] = x;
        let mut cached = cache.cached;
        for (i, inner) in self.inner.iter().enumerate() {
            let (output, rest) = cached.split_at_mut(rows * inner.output_len);
            let (kept, rest) = rest.split_at_mut(rows * (inner.cached.len() - inner.output_len));
            cached = rest;
            let scratch = &mut cache.scratch[..inner.layer.buffer_sizes().scratch_len(rows)];
            let inner_cache = ForwardCache { cached: kept, scratch };
            inner.layer.forward(
                &Self::context(context, i),
                inner.weights(weights),
                before,
                output,
                inner_cache,
            );
            before = output;
        }
        y.copy_from_slice(x);
        add(y, before);
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let rows = context.rows;
        let (ours, scratch) = cache.scratch.split_at_mut(2 * self.widest * rows);
        let (mut above, mut below) = ours.split_at_mut(self.widest * rows);
        above[..io.dy.len()].copy_from_slice(io.dy);
        for (i, inner) in self.inner.iter().enumerate().rev() {
            let (earlier, cached) = cache.cached.split_at_mut(inner.cached.start * rows);
            let (y, kept) = cached[..inner.cached.len() * rows].split_at_mut(inner.output_len * rows);
            let x = match i.checked_sub(1).map(|i| &self.inner[i]) {
                Some(before) => {
                    &earlier[before.cached.start * rows..(before.cached.start + before.output_len) * rows]
                }
                None => io.x,
            };
            let dy = &mut above[..inner.output_len * rows];
            let inner_flow = GradientIo { x, y, dy, dx: Some(&mut below[..inner.input_len * rows]) };
            let scratch = &mut scratch[..inner.layer.buffer_sizes().scratch_len(rows)];
            let inner_cache = ForwardCache { cached: kept, scratch };
            let gradient = &mut gradient[inner.weights.clone()];
            inner.layer.backward(
                &Self::context(context, i),
                inner.weights(weights),
                inner_flow,
                gradient,
                inner_cache,
            );
            (above, below) = (below, above);
        }
        if let Some(dx) = io.dx {
            dx.copy_from_slice(io.dy);
            add(dx, &above[..dx.len()]);
        }
    }

    /// The outputs of its layers are in its own cache.
    fn backward_reads(&self) -> BackwardReads {
        let first = self.inner.first().is_some_and(|inner| inner.layer.backward_reads().input);
        BackwardReads { input: first, output: false }
    }

    fn prefers_many_rows(&self) -> bool {
        self.inner.iter().any(|inner| inner.layer.prefers_many_rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::layer::{
        BatchNormalization, Conv2D, Dense, Dropout, LayerNormalization, Lstm, MaxPool2D, Padding,
    };
    use crate::testing::{assert_close, gradients_match_differences, run_forward};

    fn block(layers: Vec<LayerSpec>) -> LayerSpec {
        LayerSpec::Residual(Residual { layers })
    }

    #[test]
    fn the_input_is_added_to_the_output_of_the_layers() {
        let spec = block(vec![LayerSpec::Dense(Dense::new(2, Activation::Linear))]);
        let y = run_forward(&spec, &[2], &[1.0, 2.0, 3.0, 4.0, 0.5, 0.5], &[1.0, 1.0]);
        assert_close(&y, &[5.5, 7.5], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        let conv = Conv2D { padding: Padding::Same, ..Conv2D::new(2, [3, 3], Activation::Silu) };
        let norm = LayerSpec::LayerNormalization(LayerNormalization::default());
        let convolutional = vec![LayerSpec::Conv2D(conv.clone()), norm, LayerSpec::Conv2D(conv)];
        gradients_match_differences(&block(convolutional), &[4, 3, 2], 2);
        let pool = MaxPool2D { pool_size: [2, 2], strides: Some([1, 1]), padding: Padding::Same };
        let wide = LayerSpec::Dense(Dense::new(1, Activation::Tanh));
        gradients_match_differences(&block(vec![LayerSpec::MaxPool2D(pool), wide]), &[4, 3, 1], 1);
        let recurrent = vec![LayerSpec::Lstm(Lstm::new(3, true)), LayerSpec::Dropout(Dropout { rate: 0.3 })];
        gradients_match_differences(&block(recurrent), &[4, 3], 2);
    }

    #[test]
    fn layers_that_change_the_shape_or_need_the_batch_are_rejected() {
        let message = |layers| block(layers).build(&[2], "layers.3").unwrap_err().to_string();
        assert_eq!(
            message(vec![LayerSpec::Dense(Dense::new(3, Activation::Linear))]),
            "layers.3 (Residual) needs its own output shape, [3], to add both, but its input has shape [2]"
        );
        let norm = LayerSpec::BatchNormalization(BatchNormalization::default());
        assert!(
            message(vec![norm])
                .contains("layers that are independent of other examples, but is BatchNormalization")
        );
        assert!(message(vec![]).contains("at least 1"));
    }
}
