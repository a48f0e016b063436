//! The last layers of a random network, with a loss that fits them.

use cantus_nn::layer::{
    ActivationLayer, BatchNormalization, Dense, Dropout, Flatten, GlobalAveragePooling1D,
    GlobalAveragePooling2D,
};
use cantus_nn::{Activation, LayerSpec, Loss};

use super::generate::{activation, append, count, dense, regularizer, vector_layer};
use super::random::Random;

/// Appends them, and says which loss.
pub fn head(random: &mut Random, layers: &mut Vec<LayerSpec>, shape: &mut Vec<usize>) -> Loss {
    // A few networks have an output for each class at each position.
    if shape.len() > 1 && random.bernoulli(0.9) {
        let flat = match (shape.len(), random.below(4)) {
            (2, 0) => LayerSpec::GlobalAveragePooling1D(GlobalAveragePooling1D {}),
            (3, 0 | 1) => LayerSpec::GlobalAveragePooling2D(GlobalAveragePooling2D {}),
            _ => LayerSpec::Flatten(Flatten {}),
        };
        append(random, layers, shape, |_, _| flat.clone());
    }
    for _ in 0..random.below(3) {
        append(random, layers, shape, |random, shape| match random.below(4) {
            0 => LayerSpec::BatchNormalization(BatchNormalization::default()),
            1 => LayerSpec::Dropout(Dropout { rate: 0.3 }),
            2 if shape.len() == 1 => vector_layer(random, shape[0]),
            _ => {
                let units = count(random, 90.0);
                dense(random, units)
            }
        });
    }
    let smoothing = if random.bernoulli(0.3) { 0.1 } else { 0.0 };
    let categorical = Loss::CategoricalCrossentropy { label_smoothing: smoothing };
    let binary = Loss::BinaryCrossentropy { label_smoothing: smoothing };
    // Probabilities near 0 are left to losses computed from logits: elsewhere Keras's clipping would be compared.
    let (last, loss) = match random.below(8) {
        0..2 if shape.len() == 1 => (Activation::Softmax, Loss::SparseCategoricalCrossentropy),
        0..4 => (Activation::Softmax, categorical),
        4 => (Activation::Sigmoid, binary),
        5 => (random.pick(&[Activation::Sigmoid, Activation::Softmax]), random.pick(&[binary, categorical])),
        _ => (activation(random), Loss::MeanSquaredError),
    };
    let units = 2 + random.below(9);
    let apart = random.bernoulli(0.2);
    let dense = Dense::new(units, if apart { Activation::Linear } else { last });
    append(random, layers, shape, |random, _| {
        LayerSpec::Dense(Dense { kernel_regularizer: regularizer(random), ..dense.clone() })
    });
    if apart {
        append(random, layers, shape, |_, _| LayerSpec::Activation(ActivationLayer { activation: last }));
    }
    loss
}
