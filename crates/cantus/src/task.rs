//! The task of a model: single-label classification or multi-label tagging.

use cantus_nn::{Activation, Architecture, LayerSpec};
use serde::{Deserialize, Serialize};

/// The task, which determines the output activation and the meaning of the probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Each recording has one label, its class: softmax output, probabilities sum to 1.
    #[default]
    Classification,
    /// Each recording has any number of labels, its tags: sigmoid output, an independent probability per tag.
    Tagging,
}

impl Task {
    /// The task of a network, determined by the activation of its last layer.
    pub(crate) fn of(architecture: &Architecture) -> Self {
        match architecture.layers.last() {
            Some(LayerSpec::Dense(dense)) if dense.activation == Activation::Sigmoid => Self::Tagging,
            _ => Self::Classification,
        }
    }
}

#[cfg(feature = "train")]
impl Task {
    /// The task of a feature store, determined by its labels.
    #[must_use]
    pub fn of_store(store: &cantus_dataset::FeatureStore) -> Self {
        if store.is_tagged() { Self::Tagging } else { Self::Classification }
    }
}
