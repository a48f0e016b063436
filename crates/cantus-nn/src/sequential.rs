//! The layers of a network, built one after another for the output shape of the layer before.
//!
//! *Buffers* are numbered along the network: 0 is the input, i + 1 the output of layer i. A layer that only changes the
//! shape (a view) has no buffer of its own; the layer after it reads the buffer before it.

use std::ops::Range;

use cantus_random::KeyedRng;

use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::error::Error;
use crate::layer::{BatchReduction, Layer, MAX_SIZE, Parameter, size};
use crate::loss::Loss;
use crate::rng_streams;
use crate::tensor::Tensor;

/// Largest number of weights of a network: 2 GiB of f32.
const MAX_PARAMETERS: usize = 1 << 29;
/// Largest number of values that a network computes for one example, all layers together: 512 MiB of f32.
const MAX_EXAMPLE: usize = 1 << 27;

/// A layer built for its input shape.
#[derive(Debug)]
pub(crate) struct BuiltLayer {
    /// Such as `layers.2`.
    pub(crate) path: String,
    /// Such as `LSTM`.
    pub(crate) kind: &'static str,
    pub(crate) layer: Box<dyn Layer>,
    pub(crate) tensors: Vec<TensorRange>,
    /// The buffer that it reads.
    pub(crate) input_index: usize,
    /// Factor of the learning rate; at 0 the layer is frozen.
    pub(crate) learning_rate_factor: f32,
}

/// A tensor and its range within the layer's weights.
#[derive(Debug)]
pub(crate) struct TensorRange {
    pub(crate) parameter: Parameter,
    pub(crate) range: Range<usize>,
}

impl BuiltLayer {
    /// Number of weights, trained or not.
    pub(crate) fn n_weights(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    /// Whether training leaves its weights as they are.
    pub(crate) fn is_frozen(&self) -> bool {
        self.learning_rate_factor == 0.0
    }

    /// The reduction over the whole batch that it needs in training. A frozen layer needs none: its weights are not updated, and a
    /// batch normalisation uses its moving averages, as in inference.
    pub(crate) fn batch_reduction(&self) -> Option<BatchReduction<'_>> {
        if self.is_frozen() { None } else { self.layer.batch_reduction() }
    }

    /// Number of trained weights; they come first.
    pub(crate) fn n_trainable(&self) -> usize {
        if self.is_frozen() {
            return 0;
        }
        self.tensors.iter().filter(|tensor| tensor.parameter.trainable).map(|tensor| tensor.range.len()).sum()
    }

    /// Number of values that it computes for one example, in any buffer.
    pub(crate) fn n_values(&self) -> usize {
        let sizes = self.layer.buffer_sizes();
        [sizes.cached, sizes.scratch_per_row, sizes.scratch]
            .into_iter()
            .fold(self.output_len(), usize::saturating_add)
    }

    /// Output size of one example.
    pub(crate) fn output_len(&self) -> usize {
        self.layer.output_shape().iter().product()
    }
}

impl Architecture {
    /// Checks that a network can be built from it, without allocating its weights; returns its output shape, of one example.
    ///
    /// # Errors
    /// As [`Network::new`](crate::Network::new).
    pub fn output_shape(&self) -> Result<Vec<usize>, Error> {
        Ok(Sequential::new(self)?.output_shape().to_vec())
    }
}

/// All layers of a network.
#[derive(Debug)]
pub(crate) struct Sequential {
    pub(crate) input_shape: Vec<usize>,
    pub(crate) layers: Vec<BuiltLayer>,
}

impl Sequential {
    /// Builds each layer for the output shape of the one before.
    pub(crate) fn new(architecture: &Architecture) -> Result<Self, Error> {
        if architecture.layers.is_empty() {
            return Err(Error::Empty { missing: "layers" });
        }
        if architecture.input_shape.contains(&0) || architecture.input_shape.is_empty() {
            return Err(Error::Empty { missing: "input: every axis of input_shape must be at least 1" });
        }
        if size(&architecture.input_shape) > MAX_SIZE {
            return Err(Error::TooLarge { what: "input_shape".into(), limit: MAX_SIZE });
        }
        let mut shape = architecture.input_shape.clone();
        let mut layers: Vec<BuiltLayer> = Vec::new();
        for (i, spec) in architecture.layers.iter().enumerate() {
            let path = format!("layers.{i}");
            let layer = spec.build(&shape, &path)?;
            shape = layer.output_shape().to_vec();
            let input_index =
                layers.last().map_or(0, |before| if before.layer.is_view() { before.input_index } else { i });
            let tensors = tensor_ranges(layer.parameters());
            layers.push(BuiltLayer {
                path,
                kind: spec.kind(),
                layer,
                tensors,
                input_index,
                learning_rate_factor: 1.0,
            });
        }
        let network = Self { input_shape: architecture.input_shape.clone(), layers };
        network.check_size()?;
        Ok(network)
    }

    /// Checks the memory of the whole network, whose layers may each be within their limits.
    fn check_size(&self) -> Result<(), Error> {
        let within = |what: &str, n: usize, limit: usize| match n <= limit {
            true => Ok(()),
            false => Err(Error::TooLarge { what: what.to_owned(), limit }),
        };
        within("the network", self.n_weights(), MAX_PARAMETERS)?;
        within("what the network computes for one example", self.n_values(), MAX_EXAMPLE)
    }

    /// Number of weights, trained or not.
    pub(crate) fn n_weights(&self) -> usize {
        self.layers.iter().map(BuiltLayer::n_weights).fold(0, usize::saturating_add)
    }

    /// Number of values that it computes for one example, in any buffer.
    pub(crate) fn n_values(&self) -> usize {
        self.layers.iter().map(BuiltLayer::n_values).fold(self.input_len(), usize::saturating_add)
    }

    /// Checks that no layer is for inference only.
    pub(crate) fn check_trainable(&self) -> Result<(), Error> {
        match self.layers.iter().find(|built| built.layer.is_inference_only()) {
            Some(built) => Err(Error::InferenceOnly { layer: format!("{} ({})", built.path, built.kind) }),
            None => Ok(()),
        }
    }

    /// Sets the factors of the layers' learning rates, first layer to last; those beyond the end are 1.
    ///
    /// # Errors
    /// If there are more factors than layers.
    pub(crate) fn set_learning_rate_factors(&mut self, factors: &[f32]) -> Result<(), Error> {
        if factors.len() > self.layers.len() {
            let got = format!("{} factors for {} layers", factors.len(), self.layers.len());
            let wanted = "at most one factor for each layer";
            return Err(Error::Setting { layer: "training".into(), setting: "layer_rates", got, wanted });
        }
        let factors = factors.iter().copied().chain(std::iter::repeat(1.0));
        self.layers.iter_mut().zip(factors).for_each(|(built, factor)| built.learning_rate_factor = factor);
        Ok(())
    }

    /// Initial weights of layer `index`; the same seed gives the same weights.
    pub(crate) fn initial_weights(&self, index: usize, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; self.layers[index].n_weights()];
        for (i, tensor) in self.layers[index].tensors.iter().enumerate() {
            let Parameter { initializer, shape, values: given, .. } = &tensor.parameter;
            let values = &mut values[tensor.range.clone()];
            match given {
                Some(given) => values.copy_from_slice(given),
                None => {
                    let key = [seed, rng_streams::INITIAL_WEIGHTS, index as u64, i as u64];
                    initializer.fill(values, shape, &mut KeyedRng::new(key));
                }
            }
        }
        values
    }

    /// The names of all tensors, first layer to last.
    pub(crate) fn tensor_names(&self) -> impl Iterator<Item = String> {
        let of_layer = |built: &BuiltLayer| {
            let name = |tensor: &TensorRange| format!("{}.{}", built.path, tensor.parameter.name);
            built.tensors.iter().map(name).collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(of_layer)
    }

    /// All weights by name.
    pub(crate) fn tensors(&self, parameters: &[Vec<f32>]) -> Vec<Tensor> {
        let mut tensors = Vec::new();
        for (built, values) in self.layers.iter().zip(parameters) {
            for TensorRange { parameter, range } in &built.tensors {
                let name = format!("{}.{}", built.path, parameter.name);
                tensors.push(Tensor {
                    name,
                    shape: parameter.shape.clone(),
                    values: values[range.clone()].to_vec(),
                });
            }
        }
        tensors
    }

    pub(crate) fn input_len(&self) -> usize {
        self.input_shape.iter().product()
    }

    pub(crate) fn output_shape(&self) -> &[usize] {
        self.layers.last().map_or(&self.input_shape, |built| built.layer.output_shape())
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output_shape().iter().product()
    }

    /// The length of the last axis, over which softmax and cross-entropy are taken.
    pub(crate) fn n_classes(&self) -> usize {
        self.output_shape().last().copied().unwrap_or(1)
    }

    /// The buffer of the network's output.
    pub(crate) fn output_index(&self) -> usize {
        self.layers
            .last()
            .map_or(0, |last| if last.layer.is_view() { last.input_index } else { self.layers.len() })
    }

    /// Whether the loss computes the network's last activation; see [`Loss::fuses_with`].
    pub(crate) fn fuses_with(&self, loss: Loss) -> bool {
        let Some(last) = self.output_index().checked_sub(1).map(|index| &self.layers[index].layer) else {
            return false;
        };
        // After a view that changes the last axis, the rows of the loss differ from those of the softmax.
        let same_rows = last.output_shape().last().copied().unwrap_or(1) == self.n_classes();
        let activation = last.last_activation();
        loss.fuses_with(activation) && (same_rows || activation != Activation::Softmax)
    }

    /// The length of each buffer for one example; 0 for a view.
    pub(crate) fn buffer_lens(&self) -> Vec<usize> {
        let outputs =
            self.layers.iter().map(|built| if built.layer.is_view() { 0 } else { built.output_len() });
        std::iter::once(self.input_len()).chain(outputs).collect()
    }
}

fn tensor_ranges(parameters: Vec<Parameter>) -> Vec<TensorRange> {
    let mut start = 0;
    parameters
        .into_iter()
        .map(|parameter| {
            let range = start..start + parameter.len();
            start = range.end;
            TensorRange { parameter, range }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Flatten, LayerSpec, Lstm};

    fn error(input_shape: &[usize], layers: Vec<LayerSpec>) -> String {
        let architecture = Architecture { input_shape: input_shape.to_vec(), layers };
        architecture.output_shape().unwrap_err().to_string()
    }

    #[test]
    fn a_network_whose_layers_are_within_their_limits_may_be_too_large_as_a_whole() {
        let dense = |units| LayerSpec::Dense(Dense::new(units, Activation::Relu));
        let weights = error(&[1 << 14], vec![dense(1 << 14), dense(1 << 14), dense(1 << 14)]);
        assert_eq!(weights, "the network is too large: more than 536870912 numbers");
        let example = error(&[1 << 10, 1], vec![dense(1 << 16), dense(1 << 10), dense(1 << 16)]);
        assert!(example.starts_with("what the network computes for one example is too large"), "{example}");
        let steps = error(&[1 << 16, 16], vec![LayerSpec::Lstm(Lstm::new(512, false))]);
        assert!(steps.contains("for one example"), "{steps}");
    }

    #[test]
    fn the_output_shape_is_that_of_the_last_layer() {
        let layers =
            vec![LayerSpec::Flatten(Flatten {}), LayerSpec::Dense(Dense::new(7, Activation::Linear))];
        assert_eq!(Architecture { input_shape: vec![4, 5], layers }.output_shape(), Ok(vec![7]));
    }
}
