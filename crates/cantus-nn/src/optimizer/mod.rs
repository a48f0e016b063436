//! Optimizers: how weights follow their gradient.
//!
//! Each is one loop over the weights, their gradient and what it remembers of earlier gradients (its
//! *slots*). The formulas and defaults are those of Keras 3.

mod adam;
mod rmsprop;
mod sgd;

use serde::{Deserialize, Serialize};

pub use adam::{Adam, AdamW};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// How weights follow their gradient; in a configuration `{ type = "Adam", learning_rate = 1e-4 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Optimizer {
    /// Gradient descent, with or without momentum.
    #[serde(rename = "SGD")]
    Sgd(Sgd),
    /// Steps divided by the gradient's recent size.
    #[serde(rename = "RMSprop")]
    RmsProp(RmsProp),
    /// Momentum and division by recent size.
    Adam(Adam),
    /// Adam whose weights also fade.
    AdamW(AdamW),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// What a step knows beside the gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpdateStep {
    /// After the schedule.
    pub(crate) learning_rate: f32,
    /// Counted from 1.
    pub(crate) number: u64,
}

/// What an optimizer remembers of each weight; a slot that it does not use is empty.
pub(crate) type Slots<'a> = [&'a mut [f32]; 2];

impl Optimizer {
    /// The learning rate before any schedule.
    #[must_use]
    pub fn learning_rate(&self) -> f32 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::RmsProp(rmsprop) => rmsprop.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
            Self::AdamW(adam) => adam.learning_rate,
        }
    }

    /// The same optimizer with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, learning_rate: f32) -> Self {
        match &mut self {
            Self::Sgd(sgd) => sgd.learning_rate = learning_rate,
            Self::RmsProp(rmsprop) => rmsprop.learning_rate = learning_rate,
            Self::Adam(adam) => adam.learning_rate = learning_rate,
            Self::AdamW(adam) => adam.learning_rate = learning_rate,
        }
        self
    }

    /// How many of the two slots it uses.
    pub(crate) fn n_slots(&self) -> usize {
        match self {
            Self::Sgd(sgd) => usize::from(sgd.momentum != 0.0),
            Self::RmsProp(rmsprop) => 1 + usize::from(rmsprop.momentum != 0.0),
            Self::Adam(_) | Self::AdamW(_) => 2,
        }
    }

    /// Moves `weights` one step along their `gradient`.
    pub(crate) fn update(&self, step: UpdateStep, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        match self {
            Self::Sgd(sgd) => sgd.update(step, weights, gradient, slots),
            Self::RmsProp(rmsprop) => rmsprop.update(step, weights, gradient, slots),
            Self::Adam(adam) => adam.update(step, weights, gradient, slots),
            Self::AdamW(adam) => adam.update(step, weights, gradient, slots),
        }
    }
}
