//! What all members of the team know of the present training step.

use multiversion::multiversion;

use crate::examples::{Examples, Target};
use crate::loss::Loss;
use crate::optimizer::{Optimizer, Step};
use crate::regularizer::Regularizer;

/// The present step.
#[derive(Debug, Clone)]
pub(super) struct Now {
    /// Which examples are in the batch.
    pub(super) indices: Vec<usize>,
    pub(super) epoch: usize,
    /// For random numbers.
    pub(super) key: u64,
    pub(super) step: Step,
    /// What gradients are multiplied by, for each tensor of each link: less than 1 where they are clipped.
    pub(super) scales: Vec<Vec<f32>>,
}

/// What a lane learns from.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) examples: &'a dyn Examples,
    pub(super) loss: Loss,
    /// Whether the loss computes the last activation itself; see [`Loss::fuses_with`].
    pub(super) from_logits: bool,
    pub(super) class_weights: &'a [f32],
}

impl Task<'_> {
    /// How much examples of a target's class count.
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

/// How gradients move weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) optimizer: Optimizer,
    /// No number of a gradient lies beyond ± this.
    pub(super) clip_value: Option<f32>,
}

impl Rule {
    /// Makes of a summed gradient the one to follow: with the regulariser's, clipped.
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

#[multiversion(targets = "simd")]
fn add_penalty(gradient: &mut [f32], weights: &[f32], regularizer: Regularizer) {
    gradient.iter_mut().zip(weights).for_each(|(g, &w)| *g += regularizer.gradient(w));
}

#[multiversion(targets = "simd")]
fn clip(gradient: &mut [f32], limit: f32, scale: f32) {
    // A limit must not hide that a gradient is infinite.
    let clip = |g: f32| if g.is_finite() { g.clamp(-limit, limit) * scale } else { f32::NAN };
    gradient.iter_mut().for_each(|g| *g = clip(*g));
}
