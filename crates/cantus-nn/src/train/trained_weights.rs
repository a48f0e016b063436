//! The weights of a layer in training, in the form that its updates need: one block, or panels of columns.

use std::sync::RwLock;

use super::batch_shard::BatchShard;
use super::column_parallel::ColumnParallel;
use super::parameter_block::ParameterBlock;
use super::step::{StepContext, UpdateRule};
use crate::layer::BatchReduction;
use crate::sequential::BuiltLayer;
use crate::sync::{read, write};

/// The weights of a layer, with the optimizer's slots.
pub(super) enum TrainedWeights {
    ParameterBlock(Box<RwLock<ParameterBlock>>),
    ColumnParallel(ColumnParallel),
}

impl TrainedWeights {
    /// The weights `values` for batches of up to `batch` examples.
    pub(super) fn new(built: &BuiltLayer, batch: usize, values: &[f32], slots: [Vec<f32>; 2]) -> Self {
        match built.batch_reduction() {
            Some(BatchReduction::ColumnParallel(dense)) => {
                Self::ColumnParallel(ColumnParallel::new(dense, built, batch, values, &slots))
            }
            Some(BatchReduction::Statistics(_)) | None => Self::ParameterBlock(Box::new(RwLock::new(
                ParameterBlock::new(built, values.to_vec(), slots),
            ))),
        }
    }

    /// The tasks of an update.
    pub(super) fn n_panels(&self) -> usize {
        match self {
            Self::ParameterBlock(_) => 1,
            Self::ColumnParallel(columns) => columns.n_panels(),
        }
    }

    /// The regularisers' part of the loss at the last step.
    pub(super) fn penalty(&self) -> f64 {
        match self {
            Self::ParameterBlock(block) => read(block).penalty,
            Self::ColumnParallel(columns) => columns.penalty(),
        }
    }

    /// The squared norm of each tensor's gradient, or of a panel's part of it, for `n` examples.
    pub(super) fn squared_norms(
        &self,
        layer: (usize, &BuiltLayer),
        panel: usize,
        shards: &[RwLock<BatchShard>],
        n: usize,
        rule: UpdateRule,
    ) -> Vec<f64> {
        match self {
            Self::ParameterBlock(block) => write(block).squared_norms(layer, shards, rule),
            Self::ColumnParallel(columns) => columns.squared_norms(panel, n, rule),
        }
    }

    /// Updates the weights, or a panel of them, from the gradients of a step.
    pub(super) fn update(
        &self,
        (index, built): (usize, &BuiltLayer),
        panel: usize,
        shards: &[RwLock<BatchShard>],
        step: &StepContext,
        rule: UpdateRule,
    ) {
        let (scales, n) = (&step.scales[index], step.indices.len());
        let update = step.update.scaled(built.learning_rate_factor);
        match self {
            Self::ParameterBlock(block) => write(block).update((index, built), shards, rule, update, scales),
            Self::ColumnParallel(columns) => columns.update(panel, n, rule, update, scales),
        }
    }

    /// Copies the weights to `values`.
    pub(super) fn copy_to(&self, values: &mut [f32]) {
        match self {
            Self::ParameterBlock(block) => values.copy_from_slice(&read(block).values),
            Self::ColumnParallel(columns) => columns.assemble(0, values),
        }
    }

    /// Replaces the weights, but not the optimizer's slots.
    pub(super) fn set(&self, built: &BuiltLayer, values: &[f32]) {
        match self {
            Self::ParameterBlock(block) => write(block).set(built, values),
            Self::ColumnParallel(columns) => columns.set(values),
        }
    }

    /// The optimizer's slots, laid out as the weights are; a slot that is not used is empty.
    pub(super) fn slots(&self, built: &BuiltLayer, n_slots: usize) -> [Vec<f32>; 2] {
        match self {
            Self::ParameterBlock(block) => read(block).slots.clone(),
            Self::ColumnParallel(columns) => [0, 1].map(|slot| {
                let mut values = vec![0.0; if slot < n_slots { built.n_weights() } else { 0 }];
                if slot < n_slots {
                    columns.assemble(slot + 1, &mut values);
                }
                values
            }),
        }
    }
}
