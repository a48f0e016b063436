//! The regularisers of a network's tensors, and which tensors are not trained.

use std::collections::HashMap;

use cantus_nn::{LayerSpec, Regularizer};

/// For each tensor of a layer that is penalised or not trained: its penalty, and whether it is trained.
pub fn add_roles(spec: &LayerSpec, path: &str, roles: &mut HashMap<String, (Regularizer, bool)>) {
    let mut penalise = |name: &str, regularizer: Option<Regularizer>| {
        if let Some(regularizer) = regularizer {
            roles.insert(format!("{path}.{name}"), (regularizer, true));
        }
    };
    match spec {
        LayerSpec::Conv2D(layer) => penalise("kernel", layer.kernel_regularizer),
        LayerSpec::Dense(layer) => {
            penalise("kernel", layer.kernel_regularizer);
            penalise("bias", layer.bias_regularizer);
        }
        LayerSpec::Gru(layer) => {
            penalise("kernel", layer.kernel_regularizer);
            penalise("recurrent_kernel", layer.recurrent_regularizer);
        }
        LayerSpec::Lstm(layer) => {
            penalise("kernel", layer.kernel_regularizer);
            penalise("recurrent_kernel", layer.recurrent_regularizer);
        }
        LayerSpec::BatchNormalization(_) => {
            for name in ["moving_mean", "moving_variance"] {
                roles.insert(format!("{path}.{name}"), (Regularizer::default(), false));
            }
        }
        LayerSpec::RandomFourierFeatures(features) => {
            let of_groups = (0..features.groups.len()).map(|i| format!("{path}.groups.{i}.kernel"));
            for name in std::iter::once(format!("{path}.kernel")).chain(of_groups) {
                roles.insert(name, (Regularizer::default(), false));
            }
        }
        LayerSpec::Bidirectional(layer) => {
            add_roles(&layer.layer, &format!("{path}.forward"), roles);
            add_roles(&layer.layer, &format!("{path}.backward"), roles);
        }
        LayerSpec::TimeDistributed(layer) => add_roles(&layer.layer, path, roles),
        LayerSpec::Residual(block) => {
            for (i, layer) in block.layers.iter().enumerate() {
                add_roles(layer, &format!("{path}.layers.{i}"), roles);
            }
        }
        _ => {}
    }
}
