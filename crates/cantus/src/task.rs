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
        Self::of_layers(&architecture.layers)
    }

    fn of_layers(layers: &[LayerSpec]) -> Self {
        match layers.last() {
            Some(LayerSpec::Dense(dense)) if dense.activation == Activation::Sigmoid => Self::Tagging,
            // Its branches have the same outputs.
            Some(LayerSpec::Average(average)) => {
                let first = average.branches.first();
                first.map_or(Self::Classification, |branch| Self::of_layers(&branch.layers))
            }
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

#[cfg(test)]
mod tests {
    use cantus_nn::layer::{Average, Branch, Dense};

    use super::*;

    #[test]
    fn the_task_of_averaged_networks_is_that_of_the_first() {
        for (activation, task) in
            [(Activation::Sigmoid, Task::Tagging), (Activation::Softmax, Task::Classification)]
        {
            let layers = vec![LayerSpec::Dense(Dense::new(2, activation))];
            let branches = vec![Branch { bins: Vec::new(), layers: layers.clone() }];
            for layers in [layers, vec![LayerSpec::Average(Average { branches })]] {
                assert_eq!(Task::of(&Architecture { input_shape: vec![3], layers }), task);
            }
        }
    }
}
