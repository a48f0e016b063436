//! What a model is asked about a recording: which one of its labels it has, or which of them.

use cantus_nn::{Activation, Architecture, LayerSpec};
use serde::{Deserialize, Serialize};

/// The question, which decides how a network ends and what its numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Which one of the labels it has, its class: the network ends in softmax, and probabilities sum to 1.
    #[default]
    Classification,
    /// Which of the labels it has, its tags: the network ends in a sigmoid for each, a probability of its own.
    Tagging,
}

impl Task {
    /// What a network was built for, which its last layer shows.
    pub(crate) fn of(architecture: &Architecture) -> Self {
        match architecture.layers.last() {
            Some(LayerSpec::Dense(dense)) if dense.activation == Activation::Sigmoid => Self::Tagging,
            _ => Self::Classification,
        }
    }
}

#[cfg(feature = "train")]
impl Task {
    /// What can be learnt from a store.
    pub fn of_store(store: &cantus_dataset::FeatureStore) -> Self {
        if store.is_tagged() { Self::Tagging } else { Self::Classification }
    }
}
