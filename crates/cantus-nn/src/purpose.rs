//! What random numbers of a seed are for: one part of the key for each use, so that no two uses draw the same numbers.

use cantus_random::text_key;

/// A network's first weights; further parts are the layer and its tensor.
pub(crate) const FIRST_WEIGHTS: u64 = text_key("first weights");
/// The order of the examples; the further part is the epoch.
pub(crate) const EXAMPLE_ORDER: u64 = text_key("example order");
/// Layers that draw in training, such as dropout; further parts are the step, the layer and the example.
pub(crate) const LAYERS: u64 = text_key("layers in training");
/// A [`Perceptron`](crate::perceptron::Perceptron)'s first weights.
pub(crate) const PERCEPTRON: u64 = text_key("perceptron");
