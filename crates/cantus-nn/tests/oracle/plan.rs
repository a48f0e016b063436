//! A network and its training settings, which a number identifies.

use cantus_nn::optimizer::{Adam, AdamW, RmsProp, Sgd};
use cantus_nn::{Architecture, Batching, Clipping, Loss, Optimizer, Training};

use super::cost::n_multiplications;
use super::random::Random;

/// A network and how it is trained.
#[derive(Debug, Clone)]
pub struct Plan {
    pub architecture: Architecture,
    pub loss: Loss,
    pub batch: usize,
    pub n_examples: usize,
    pub clipping: Option<Clipping>,
    pub class_weights: Vec<f32>,
    pub shuffle: bool,
    pub n_threads: usize,
    pub sgd: Optimizer,
    pub adaptive: Optimizer,
}

impl Plan {
    /// How often to go through the examples for at least five steps.
    pub fn epochs(&self) -> usize {
        5_usize.div_ceil(self.n_examples.div_ceil(self.batch))
    }

    pub fn training(&self, optimizer: Optimizer) -> Training {
        Training {
            epochs: self.epochs(),
            batching: Batching::Mini(self.batch),
            loss: self.loss,
            optimizer,
            clipping: self.clipping,
            class_weights: self.class_weights.clone(),
            shuffle: self.shuffle,
            seed: 40 + self.batch as u64,
            n_threads: self.n_threads,
            ..Training::default()
        }
    }

    /// Multiplications that one run of [`Self::training`] takes forward.
    pub fn cost(&self) -> usize {
        n_multiplications(&self.architecture) * self.n_examples * self.epochs()
    }
}

/// A limit to gradients, or none, at random.
pub fn clipping(random: &mut Random) -> Option<Clipping> {
    match random.below(10) {
        0 => Some(Clipping::Value(0.02)),
        1 => Some(Clipping::Norm(0.1)),
        2 => Some(Clipping::GlobalNorm(0.3)),
        _ => None,
    }
}

/// Gradient descent, with or without momentum, at random.
pub fn sgd(random: &mut Random) -> Optimizer {
    let momentum = random.pick(&[0.0, 0.0, 0.9]);
    Optimizer::Sgd(Sgd { learning_rate: 0.02, momentum, nesterov: random.bernoulli(0.5) })
}

/// One of the other optimizers, at random.
pub fn adaptive(random: &mut Random) -> Optimizer {
    match random.below(4) {
        0 => Optimizer::AdamW(AdamW { weight_decay: 0.1, ..AdamW::default() }),
        1 => Optimizer::RmsProp(RmsProp { momentum: random.pick(&[0.0, 0.9]), ..RmsProp::default() }),
        _ => Optimizer::Adam(Adam::default()),
    }
}
