//! Bidirectional: a recurrent layer from the first step to the last, and another one from the last to the first (Schuster &
//! Paliwal 1997).
//!
//! Forward: y = [a, b], the outputs of both layers at each step. Backward: each half of ∂E/∂y is that of its layer; ∂E/∂x is
//! the sum of both layers'.

use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::elementwise::add;
use crate::error::Error;
use crate::layer::{
    BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Parameter, Weights,
};

/// A recurrent layer in both directions.
///
/// # Shapes
/// - input `[time, n]`; output `[2 units]` or `[time, 2 units]`
/// - weights: those of the layer, as `forward.…` and `backward.…`
///
/// # Reference
/// Equals `keras.layers.Bidirectional` with `merge_mode="concat"`, its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bidirectional {
    /// An LSTM, GRU or SimpleRNN.
    pub layer: Box<LayerSpec>,
}

impl Bidirectional {
    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<BidirectionalLayer, Error> {
        let path = format!("{}.layer", id.path);
        let inner = LayerId { path: &path, kind: self.layer.kind() };
        let layers: [Box<dyn Layer>; 2] = match &*self.layer {
            LayerSpec::Lstm(lstm) => [
                Box::new(lstm.build(input_shape, inner)?),
                Box::new(lstm.build(input_shape, inner)?.backwards()),
            ],
            LayerSpec::Gru(gru) => [
                Box::new(gru.build(input_shape, inner)?),
                Box::new(gru.build(input_shape, inner)?.backwards()),
            ],
            LayerSpec::SimpleRnn(rnn) => [
                Box::new(rnn.build(input_shape, inner)?),
                Box::new(rnn.build(input_shape, inner)?.backwards()),
            ],
            other => return Err(id.setting("layer", other.kind(), "an LSTM, GRU or SimpleRNN")),
        };
        let mut output_shape = layers[0].output_shape().to_vec();
        let units = output_shape.last_mut().map_or(0, |units| {
            *units *= 2;
            *units / 2
        });
        let n_weights = layers[0].parameters().iter().map(Parameter::len).sum();
        let input_len = input_shape.iter().product();
        Ok(BidirectionalLayer { layers, units, n_weights, input_len, output_shape })
    }
}

/// A [`Bidirectional`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct BidirectionalLayer {
    /// Forward and backward in time.
    layers: [Box<dyn Layer>; 2],
    units: usize,
    /// Of each.
    n_weights: usize,
    input_len: usize,
    output_shape: Vec<usize>,
}

impl BidirectionalLayer {
    /// Output size of one direction for an example.
    fn half_len(&self) -> usize {
        self.output_shape.iter().product::<usize>() / 2
    }

    fn weights<'a>(&self, direction: usize, weights: Weights<'a>) -> Weights<'a> {
        let (forward, backward) = weights.values.split_at(self.n_weights);
        let (derived_forward, derived_backward) = weights.derived.split_at(weights.derived.len() / 2);
        let (values, derived) =
            if direction == 0 { (forward, derived_forward) } else { (backward, derived_backward) };
        Weights { values, derived }
    }
}

/// One direction's half of the cache, and the scratch space split at `start`.
fn half<'a>(
    direction: usize,
    cache: &'a mut ForwardCache<'_>,
    start: usize,
) -> (&'a mut [f32], ForwardCache<'a>) {
    let half = cache.cached.len() / 2;
    let (ours, scratch) = cache.scratch.split_at_mut(start);
    let cached = &mut cache.cached[direction * half..(direction + 1) * half];
    (ours, ForwardCache { cached, scratch })
}

impl Layer for BidirectionalLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        for (layer, direction) in self.layers.iter().zip(["forward", "backward"]) {
            let parameters = layer.parameters().into_iter();
            all.extend(
                parameters.map(|parameter| Parameter {
                    name: format!("{direction}.{}", parameter.name),
                    ..parameter
                }),
            );
        }
        all
    }

    fn buffer_sizes(&self) -> BufferSizes {
        let one = self.layers[0].buffer_sizes();
        // In scratch: the output of one direction, or its gradient; ∂E/∂x of the second.
        let ours = self.half_len() + self.input_len;
        BufferSizes { cached: 2 * one.cached, scratch_per_row: one.scratch_per_row + ours, ..one }
    }

    fn n_derived(&self) -> usize {
        2 * self.layers[0].n_derived()
    }

    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let pieces = weights.chunks(self.n_weights).zip(derived.chunks_mut(self.layers[0].n_derived()));
        self.layers.iter().zip(pieces).for_each(|(layer, (weights, derived))| layer.derive(weights, derived));
    }

    /// Its recurrent layers cache their inputs and outputs in the order of time.
    fn backward_reads(&self) -> BackwardReads {
        let [one, _] = &self.layers;
        BackwardReads { input: one.backward_reads().input, output: false }
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        mut cache: ForwardCache<'_>,
    ) {
        for (direction, layer) in self.layers.iter().enumerate() {
            let (output, cache) = half(direction, &mut cache, context.rows * self.half_len());
            layer.forward(context, self.weights(direction, weights), x, output, cache);
            for (y, output) in y.chunks_exact_mut(2 * self.units).zip(output.chunks_exact(self.units)) {
                y[direction * self.units..(direction + 1) * self.units].copy_from_slice(output);
            }
        }
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        mut cache: ForwardCache<'_>,
    ) {
        let (half_len, input_len) = (context.rows * self.half_len(), context.rows * self.input_len);
        let mut dx = io.dx;
        for ((direction, layer), gradient) in
            self.layers.iter().enumerate().zip(gradient.chunks_mut(self.n_weights))
        {
            let (ours, cache) = half(direction, &mut cache, half_len + input_len);
            let (d_output, d_input) = ours.split_at_mut(half_len);
            for (dy, d_output) in
                io.dy.chunks_exact(2 * self.units).zip(d_output.chunks_exact_mut(self.units))
            {
                d_output.copy_from_slice(&dy[direction * self.units..(direction + 1) * self.units]);
            }
            let d_input = dx.is_some().then_some(&mut *d_input);
            let inner = GradientIo { x: io.x, y: &[], dy: d_output, dx: d_input };
            layer.backward(context, self.weights(direction, weights), inner, gradient, cache);
            if let Some(dx) = &mut dx {
                let d_input = &ours[half_len..];
                if direction == 0 { dx.copy_from_slice(d_input) } else { add(dx, d_input) }
            }
        }
    }

    fn prefers_many_rows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Gru, Lstm, SimpleRnn};
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    fn both_ways(layer: LayerSpec) -> LayerSpec {
        LayerSpec::Bidirectional(Bidirectional { layer: Box::new(layer) })
    }

    #[test]
    fn the_second_half_is_the_layer_on_the_reversed_sequence() {
        let lstm = LayerSpec::Lstm(Lstm::new(3, true));
        let weights = noise(2 * (2 + 3 + 1) * 12, 1);
        let x = noise(5 * 2, 2);
        let y = run_forward(&both_ways(lstm.clone()), &[5, 2], &weights, &x);
        let reversed: Vec<f32> = x.chunks(2).rev().flatten().copied().collect();
        let (there, back) = weights.split_at(weights.len() / 2);
        let (there, back) =
            (run_forward(&lstm, &[5, 2], there, &x), run_forward(&lstm, &[5, 2], back, &reversed));
        let steps = there.chunks(3).zip(back.chunks(3).rev());
        let expected: Vec<f32> = steps.flat_map(|(there, back)| [there, back].concat()).collect();
        assert_close(&y, &expected, 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        for return_sequences in [false, true] {
            gradients_match_differences(
                &both_ways(LayerSpec::Lstm(Lstm::new(2, return_sequences))),
                &[4, 3],
                2,
            );
            gradients_match_differences(
                &both_ways(LayerSpec::Gru(Gru::new(2, return_sequences))),
                &[4, 3],
                2,
            );
            let rnn = SimpleRnn { units: 2, return_sequences };
            gradients_match_differences(&both_ways(LayerSpec::SimpleRnn(rnn)), &[4, 3], 2);
        }
    }

    #[test]
    fn other_layers_are_rejected() {
        let dense = LayerSpec::Dense(Dense::new(3, Default::default()));
        let error = both_ways(dense).build(&[4, 3], "layers.0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "layers.0 (Bidirectional): layer must be an LSTM, GRU or SimpleRNN, but is Dense"
        );
    }
}
