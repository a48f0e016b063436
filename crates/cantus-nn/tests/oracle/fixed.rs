//! Networks of chosen sizes, read from `fixed.toml`.

use std::sync::LazyLock;

use cantus_nn::optimizer::{Adam, Sgd};
use cantus_nn::{Architecture, LayerSpec, Loss, Optimizer};
use serde::Deserialize;

use super::plan::Plan;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Networks {
    networks: Vec<Fixed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixed {
    name: String,
    batch: usize,
    n_examples: usize,
    input_shape: Vec<usize>,
    layers: Vec<LayerSpec>,
}

static ALL: LazyLock<Vec<Fixed>> = LazyLock::new(|| {
    let Networks { networks } = toml::from_str(include_str!("fixed.toml")).unwrap();
    networks
});

/// The fixed network of this number, if there is one, with its name.
pub fn plan(number: u64) -> Option<(&'static str, Plan)> {
    let fixed = ALL.get(usize::try_from(number).ok()?)?;
    let is_view = matches!(fixed.layers.last(), Some(LayerSpec::Reshape(_) | LayerSpec::Flatten(_)));
    let values = Loss::CategoricalCrossentropy { label_smoothing: 0.0 };
    let plan = Plan {
        architecture: Architecture { input_shape: fixed.input_shape.clone(), layers: fixed.layers.clone() },
        loss: if is_view { values } else { Loss::SparseCategoricalCrossentropy },
        batch: fixed.batch,
        n_examples: fixed.n_examples,
        clipping: None,
        class_weights: Vec::new(),
        shuffle: true,
        n_threads: 1 + usize::from(!number.is_multiple_of(3)),
        sgd: Optimizer::Sgd(Sgd { learning_rate: 0.02, momentum: 0.9, nesterov: number.is_multiple_of(2) }),
        adaptive: Optimizer::Adam(Adam::default()),
    };
    Some((&fixed.name, plan))
}
