//! Streams of random numbers: the key parts that keep the uses of one seed independent of each other.

use cantus_random::text_key;

/// A network's initial weights; further key parts are the layer and its tensor.
pub(crate) const INITIAL_WEIGHTS: u64 = text_key("first weights");
/// The order of the training examples; the further key part is the epoch.
pub(crate) const EXAMPLE_ORDER: u64 = text_key("example order");
/// Layers that are random in training, such as dropout; further key parts are the step, the layer and the example.
pub(crate) const LAYERS: u64 = text_key("layers in training");
/// The same in the passes that compute the statistics of averaged weights; further key parts are the epoch, the batch, the layer and
/// the example.
pub(crate) const STATISTICS: u64 = text_key("statistics of averaged weights");
/// The initial weights of the course's perceptron.
pub(crate) const PERCEPTRON: u64 = text_key("perceptron");
