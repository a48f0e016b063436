//! Optimizers: weight updates from gradients.
//!
//! Each is one loop over the weights, their gradient and the optimizer's state for each weight (its *slots*). Formulas and
//! defaults are those of Keras 3.

mod adam;
mod rmsprop;
mod sgd;

use serde::{Deserialize, Serialize};

pub use adam::{Adam, AdamW};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// An optimizer; in a configuration `{ type = "Adam", learning_rate = 1e-4 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Optimizer {
    /// Gradient descent, with or without momentum.
    #[serde(rename = "SGD")]
    Sgd(Sgd),
    /// Gradient divided by its running root mean square.
    #[serde(rename = "RMSprop")]
    RmsProp(RmsProp),
    /// Momentum, and division by the running root mean square.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// Learning rate and number of an update.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpdateStep {
    /// After the schedule.
    pub(crate) learning_rate: f32,
    /// Counted from 1.
    pub(crate) number: u64,
}

impl UpdateStep {
    /// With a learning rate multiplied by `factor`.
    pub(crate) fn scaled(self, factor: f32) -> Self {
        Self { learning_rate: self.learning_rate * factor, ..self }
    }
}

/// The optimizer's state for each weight; an unused slot is empty.
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

    /// Number of used slots.
    pub(crate) fn n_slots(&self) -> usize {
        match self {
            Self::Sgd(sgd) => usize::from(sgd.momentum != 0.0),
            Self::RmsProp(rmsprop) => 1 + usize::from(rmsprop.momentum != 0.0),
            Self::Adam(_) | Self::AdamW(_) => 2,
        }
    }

    /// Updates `weights` by one step.
    pub(crate) fn update(&self, step: UpdateStep, weights: &mut [f32], gradient: &[f32], slots: Slots<'_>) {
        match self {
            Self::Sgd(sgd) => sgd.update(step, weights, gradient, slots),
            Self::RmsProp(rmsprop) => rmsprop.update(step, weights, gradient, slots),
            Self::Adam(adam) => adam.update(step, weights, gradient, slots),
            Self::AdamW(adam) => adam.update(step, weights, gradient, slots),
        }
    }
}
