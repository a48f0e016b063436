//! What all threads share during one training step: the batch, the objective and the update rule.

use cantus_simd::multiversion;

use crate::examples::{Examples, Target};
use crate::loss::Loss;
use crate::optimizer::{Optimizer, UpdateStep};
use crate::regularizer::Regularizer;

/// The current step.
#[derive(Debug, Clone)]
pub(super) struct StepContext {
    /// The examples of the batch.
    pub(super) indices: Vec<usize>,
    pub(super) epoch: usize,
    /// Key of the step's random numbers.
    pub(super) key: u64,
    pub(super) update: UpdateStep,
    /// Factor of the gradient of each tensor of each layer: less than 1 where it is clipped.
    pub(super) scales: Vec<Vec<f32>>,
    /// In a pass that computes statistics only, the number of its examples before this batch.
    pub(super) n_before: Option<usize>,
}

/// What is minimised: the weighted loss of the training examples.
#[derive(Clone, Copy)]
pub(super) struct Objective<'a> {
    pub(super) examples: &'a dyn Examples,
    pub(super) loss: Loss,
    /// Whether the loss computes the last activation itself; see [`Loss::fuses_with`].
    pub(super) from_logits: bool,
    pub(super) class_weights: &'a [f32],
}

impl Objective<'_> {
    /// The weight of a target's class.
    pub(super) fn class_weight(&self, target: Target<'_>) -> f32 {
        match target {
            Target::Class(class) => self.weight_of(class),
            Target::Mixed(first, second, share) => {
                share * self.weight_of(first) + (1.0 - share) * self.weight_of(second)
            }
            Target::Values(_) | Target::MixedValues(..) => 1.0,
        }
    }

    fn weight_of(&self, class: usize) -> f32 {
        self.class_weights.get(class).copied().unwrap_or(1.0)
    }
}

/// How weights are updated from their gradients.
#[derive(Debug, Clone, Copy)]
pub(super) struct UpdateRule {
    pub(super) optimizer: Optimizer,
    /// Each gradient element is clipped to ± this.
    pub(super) clip_value: Option<f32>,
}

impl UpdateRule {
    /// Turns a summed gradient into the one that is applied: adds the regulariser's and clips.
    pub(super) fn complete(
        self,
        gradient: &mut [f32],
        weights: &[f32],
        regularizer: Regularizer,
        scale: f32,
    ) {
        if regularizer != Regularizer::default() {
            add_penalty(gradient, weights, regularizer);
        }
        if self.clip_value.is_some() || scale != 1.0 {
            clip(gradient, self.clip_value.unwrap_or(f32::INFINITY), scale);
        }
    }
}

#[multiversion]
fn add_penalty(gradient: &mut [f32], weights: &[f32], regularizer: Regularizer) {
    gradient.iter_mut().zip(weights).for_each(|(g, &w)| *g += regularizer.gradient(w));
}

#[multiversion]
fn clip(gradient: &mut [f32], limit: f32, scale: f32) {
    // Clipping must not hide an infinite gradient.
    let clip = |g: f32| if g.is_finite() { g.clamp(-limit, limit) * scale } else { f32::NAN };
    gradient.iter_mut().for_each(|g| *g = clip(*g));
}
