//! The layers of a network in a row, built and placed.

use std::ops::Range;

use cantus_random::KeyedRng;

use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::error::Error;
use crate::layer::{LARGEST, Layer, Parameter, size};
use crate::loss::Loss;
use crate::purpose;
use crate::weights::Tensor;

/// A built layer and its place.
#[derive(Debug)]
pub(crate) struct Link {
    /// Such as `layers.2`.
    pub(crate) path: String,
    /// Such as `LSTM`.
    pub(crate) kind: &'static str,
    pub(crate) layer: Box<dyn Layer>,
    pub(crate) tensors: Vec<TensorPlace>,
    /// Which number (0 the input, i + 1 the output of link i) it reads; views hand theirs on.
    pub(crate) reads: usize,
}

/// A tensor among a layer's weights.
#[derive(Debug)]
pub(crate) struct TensorPlace {
    pub(crate) parameter: Parameter,
    pub(crate) range: Range<usize>,
}

impl Link {
    /// How many numbers its weights are.
    pub(crate) fn n_weights(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    /// How many of them are trained; they come first.
    pub(crate) fn n_trainable(&self) -> usize {
        self.tensors.iter().filter(|tensor| tensor.parameter.trainable).map(|tensor| tensor.range.len()).sum()
    }

    /// How many numbers it puts out for one example.
    pub(crate) fn output_len(&self) -> usize {
        self.layer.output_shape().iter().product()
    }
}

/// All layers of a network.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) input_shape: Vec<usize>,
    pub(crate) links: Vec<Link>,
}

impl Chain {
    /// Builds each layer for the output of the one before.
    pub(crate) fn new(architecture: &Architecture) -> Result<Self, Error> {
        if architecture.layers.is_empty() {
            return Err(Error::Empty { missing: "layers" });
        }
        if architecture.input_shape.contains(&0) || architecture.input_shape.is_empty() {
            return Err(Error::Empty { missing: "input: every axis of input_shape must be at least 1" });
        }
        if size(&architecture.input_shape) > LARGEST {
            return Err(Error::TooLarge { what: "input_shape".into(), limit: LARGEST });
        }
        let mut shape = architecture.input_shape.clone();
        let mut links: Vec<Link> = Vec::new();
        for (i, spec) in architecture.layers.iter().enumerate() {
            let path = format!("layers.{i}");
            let layer = spec.build(&shape, &path)?;
            shape = layer.output_shape().to_vec();
            let reads =
                links.last().map_or(0, |before| if before.layer.is_view() { before.reads } else { i });
            let tensors = place(layer.parameters());
            links.push(Link { path, kind: spec.kind(), layer, tensors, reads });
        }
        Ok(Self { input_shape: architecture.input_shape.clone(), links })
    }

    /// First weights for a link; the same for the same seed.
    pub(crate) fn initial_weights(&self, link: usize, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; self.links[link].n_weights()];
        for (i, tensor) in self.links[link].tensors.iter().enumerate() {
            let Parameter { initializer, shape, values: given, .. } = &tensor.parameter;
            let values = &mut values[tensor.range.clone()];
            match given {
                Some(given) => values.copy_from_slice(given),
                None => {
                    let key = [seed, purpose::FIRST_WEIGHTS, link as u64, i as u64];
                    initializer.fill(values, shape, &mut KeyedRng::new(key));
                }
            }
        }
        values
    }

    /// The names of all weights, in order.
    pub(crate) fn tensor_names(&self) -> impl Iterator<Item = String> {
        let of_link = |link: &Link| {
            let name = |place: &TensorPlace| format!("{}.{}", link.path, place.parameter.name);
            link.tensors.iter().map(name).collect::<Vec<_>>()
        };
        self.links.iter().flat_map(of_link)
    }

    /// All weights by name.
    pub(crate) fn tensors(&self, parameters: &[Vec<f32>]) -> Vec<Tensor> {
        let mut tensors = Vec::new();
        for (link, values) in self.links.iter().zip(parameters) {
            for TensorPlace { parameter, range } in &link.tensors {
                let name = format!("{}.{}", link.path, parameter.name);
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
        self.links.last().map_or(&self.input_shape, |link| link.layer.output_shape())
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output_shape().iter().product()
    }

    /// Over how many outputs a softmax or a cross-entropy goes: the last axis.
    pub(crate) fn n_classes(&self) -> usize {
        self.output_shape().last().copied().unwrap_or(1)
    }

    /// Where the network's output lies: 0 the input, i + 1 the output of link i.
    pub(crate) fn output_place(&self) -> usize {
        self.links.last().map_or(0, |last| if last.layer.is_view() { last.reads } else { self.links.len() })
    }

    /// Whether a loss computes the activation that the network's output goes through last; see
    /// [`Loss::fuses_with`].
    pub(crate) fn fuses_with(&self, loss: Loss) -> bool {
        let Some(last) = self.output_place().checked_sub(1).map(|link| &self.links[link].layer) else {
            return false;
        };
        // Behind a view of another width, a row of the loss is not a row of the softmax.
        let same_rows = last.output_shape().last().copied().unwrap_or(1) == self.n_classes();
        let activation = last.last_activation();
        loss.fuses_with(activation) && (same_rows || activation != Activation::Softmax)
    }

    /// How many numbers lie at each place, for one example; 0 where a view has none of its own.
    pub(crate) fn place_lens(&self) -> Vec<usize> {
        let outputs = self.links.iter().map(|link| if link.layer.is_view() { 0 } else { link.output_len() });
        std::iter::once(self.input_len()).chain(outputs).collect()
    }
}

fn place(parameters: Vec<Parameter>) -> Vec<TensorPlace> {
    let mut start = 0;
    parameters
        .into_iter()
        .map(|parameter| {
            let range = start..start + parameter.len();
            start = range.end;
            TensorPlace { parameter, range }
        })
        .collect()
}
