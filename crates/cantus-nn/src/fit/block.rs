//! The weights of one layer while they are trained, with what the optimizer remembers of each.

use std::ops::Range;
use std::sync::RwLock;

use super::lane::Lane;
use super::step::{Now, Rule};
use crate::chain::Link;
use crate::elementwise::add;
use crate::layer::Weights;
use crate::team::read;

/// Weights, what is derived from them, and the optimizer's slots.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) values: Vec<f32>,
    pub(super) derived: Vec<f32>,
    pub(super) slots: [Vec<f32>; 2],
    /// Sum of the lanes' gradients, a tile at a time.
    tile: Vec<f32>,
    /// What the regularisers added to the loss of the last step.
    pub(super) penalty: f64,
}

/// How many weights are updated at a time: their gradient, weights and slots fit into the first-level cache.
const TILE: usize = 2048;

impl Block {
    pub(super) fn new(link: &Link, values: Vec<f32>, slots: [Vec<f32>; 2]) -> Self {
        let mut derived = vec![0.0; link.layer.n_derived()];
        link.layer.derive(&values, &mut derived);
        Self { values, derived, slots, tile: vec![0.0; TILE], penalty: 0.0 }
    }

    pub(super) fn weights(&self) -> Weights<'_> {
        Weights { values: &self.values, derived: &self.derived }
    }

    /// The squared length of each tensor's gradient.
    pub(super) fn squared_norms(
        &mut self,
        (number, link): (usize, &Link),
        lanes: &[RwLock<Lane>],
        rule: Rule,
    ) -> Vec<f64> {
        let mut norms = vec![0.0; link.tensors.len()];
        for (tensor, norm) in
            link.tensors.iter().zip(&mut norms).filter(|(tensor, _)| tensor.parameter.trainable)
        {
            for range in tiles(tensor.range.clone()) {
                let tile = &mut self.tile[..range.len()];
                add_lanes(tile, lanes, number, range.clone());
                rule.complete(tile, &self.values[range], tensor.parameter.regularizer, 1.0);
                *norm += tile.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
            }
        }
        norms
    }

    /// Moves the weights along the sum of the lanes' gradients.
    pub(super) fn update(
        &mut self,
        (number, link): (usize, &Link),
        lanes: &[RwLock<Lane>],
        rule: Rule,
        now: &Now,
        scales: &[f32],
    ) {
        self.penalty = 0.0;
        for (i, tensor) in link.tensors.iter().enumerate().filter(|(_, tensor)| tensor.parameter.trainable) {
            let regularizer = tensor.parameter.regularizer;
            self.penalty += regularizer.penalty(&self.values[tensor.range.clone()]);
            for range in tiles(tensor.range.clone()) {
                let tile = &mut self.tile[..range.len()];
                add_lanes(tile, lanes, number, range.clone());
                let weights = &mut self.values[range.clone()];
                rule.complete(tile, weights, regularizer, scales.get(i).copied().unwrap_or(1.0));
                let slots = self.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
                rule.optimizer.update(now.step, weights, tile, slots);
            }
        }
        link.layer.derive(&self.values, &mut self.derived);
    }
}

fn tiles(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(TILE).map(move |start| start..range.end.min(start + TILE))
}

/// Sums in the order of the lanes, so that the bits do not depend on who computed which.
fn add_lanes(sum: &mut [f32], lanes: &[RwLock<Lane>], link: usize, range: Range<usize>) {
    sum.fill(0.0);
    for lane in lanes {
        add(sum, &read(lane).gradients[link][range.clone()]);
    }
}
