//! The weights of one layer in training, with the optimizer's slots.

use std::ops::Range;
use std::sync::RwLock;

use super::batch_shard::BatchShard;
use super::step::UpdateRule;
use crate::elementwise::add;
use crate::layer::Weights;
use crate::optimizer::UpdateStep;
use crate::sequential::BuiltLayer;
use crate::sync::read;

/// Weights, what is derived from them, and the optimizer's slots.
#[derive(Debug)]
pub(super) struct ParameterBlock {
    pub(super) values: Vec<f32>,
    pub(super) derived: Vec<f32>,
    pub(super) slots: [Vec<f32>; 2],
    /// Sum of the shards' gradients, one tile at a time.
    tile: Vec<f32>,
    /// The regularisers' part of the loss at the last step.
    pub(super) penalty: f64,
}

/// Weights updated at a time: their gradient, values and slots fit into the first-level cache.
const TILE: usize = 2048;

impl ParameterBlock {
    pub(super) fn new(built: &BuiltLayer, values: Vec<f32>, slots: [Vec<f32>; 2]) -> Self {
        let mut derived = vec![0.0; built.layer.n_derived()];
        built.layer.derive(&values, &mut derived);
        Self { values, derived, slots, tile: vec![0.0; TILE], penalty: 0.0 }
    }

    /// Replaces the weights.
    pub(super) fn set(&mut self, built: &BuiltLayer, values: &[f32]) {
        self.values.copy_from_slice(values);
        built.layer.derive(&self.values, &mut self.derived);
    }

    pub(super) fn weights(&self) -> Weights<'_> {
        Weights { values: &self.values, derived: &self.derived }
    }

    /// The squared norm of each tensor's gradient.
    pub(super) fn squared_norms(
        &mut self,
        (index, built): (usize, &BuiltLayer),
        shards: &[RwLock<BatchShard>],
        rule: UpdateRule,
    ) -> Vec<f64> {
        let mut norms = vec![0.0; built.tensors.len()];
        for (tensor, norm) in
            built.tensors.iter().zip(&mut norms).filter(|(tensor, _)| tensor.parameter.trainable)
        {
            for range in tiles(tensor.range.clone()) {
                let tile = &mut self.tile[..range.len()];
                sum_shards(tile, shards, index, range.clone());
                rule.complete(tile, &self.values[range], tensor.parameter.regularizer, 1.0);
                *norm += tile.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
            }
        }
        norms
    }

    /// Updates the weights with the sum of the shards' gradients.
    pub(super) fn update(
        &mut self,
        (index, built): (usize, &BuiltLayer),
        shards: &[RwLock<BatchShard>],
        rule: UpdateRule,
        step: UpdateStep,
        scales: &[f32],
    ) {
        self.penalty = 0.0;
        for (i, tensor) in built.tensors.iter().enumerate().filter(|(_, tensor)| tensor.parameter.trainable) {
            let regularizer = tensor.parameter.regularizer;
            self.penalty += regularizer.penalty(&self.values[tensor.range.clone()]);
            for range in tiles(tensor.range.clone()) {
                let tile = &mut self.tile[..range.len()];
                sum_shards(tile, shards, index, range.clone());
                let weights = &mut self.values[range.clone()];
                rule.complete(tile, weights, regularizer, scales.get(i).copied().unwrap_or(1.0));
                let slots = self.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
                rule.optimizer.update(step, weights, tile, slots);
            }
        }
        built.layer.derive(&self.values, &mut self.derived);
    }
}

fn tiles(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(TILE).map(move |start| start..range.end.min(start + TILE))
}

/// Sums in the order of the shards, so that the bits do not depend on which thread computed which.
fn sum_shards(sum: &mut [f32], shards: &[RwLock<BatchShard>], index: usize, range: Range<usize>) {
    sum.fill(0.0);
    for shard in shards {
        add(sum, &read(shard).gradients[index][range.clone()]);
    }
}
