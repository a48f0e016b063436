//! What a training reports while it runs.

use super::checkpoint;
use super::state::TrainingState;
use super::training::Training;
use crate::architecture::Architecture;
use crate::error::Error;
use crate::history::{EpochLog, History, Scores};
use crate::sequential::Sequential;
use crate::tensor::Tensor;

/// The progress of a training.
#[non_exhaustive]
pub enum Progress<'a> {
    /// Some batches of an epoch are done. Reported at most ten times a second.
    Batch {
        /// Counted from 0.
        epoch: usize,
        /// Batches of this epoch that are done.
        batch: usize,
        /// Batches of an epoch.
        n_batches: usize,
        /// Of the epoch so far.
        scores: Scores,
    },
    /// An epoch and its validation are done.
    Epoch(EpochEnd<'a>),
}

/// The state of a training after an epoch.
pub struct EpochEnd<'a> {
    /// Counted from 0.
    pub epoch: usize,
    /// The scores of this epoch.
    pub log: EpochLog,
    /// All epochs so far, including those before an interruption.
    pub history: &'a History,
    /// Whether its validation loss (training loss without validation) is the lowest so far.
    pub is_best: bool,
    pub(super) network: (&'a Architecture, &'a Sequential, &'a [Vec<f32>]),
    pub(super) training: &'a Training,
    pub(super) state: &'a TrainingState,
    pub(super) slots: &'a (dyn Fn() -> Vec<[Vec<f32>; 2]> + Sync),
    pub(super) n_examples: usize,
}

impl EpochEnd<'_> {
    /// The weights after this epoch by name, as from [`Network::weights`](crate::Network::weights); with weight
    /// averaging, the average.
    #[must_use]
    pub fn weights(&self) -> Vec<Tensor> {
        let (_, model, parameters) = self.network;
        model.tensors(self.state.evaluated(parameters))
    }

    /// A checkpoint for [`Network::resume`](crate::Network::resume), as the bytes of a safetensors file.
    ///
    /// # Errors
    /// If it cannot be serialised, for which there is no known cause.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        let (architecture, model, parameters) = self.network;
        let origin = checkpoint::Origin::new(architecture, self.training, self.n_examples);
        checkpoint::write(&origin, model, parameters, &(self.slots)(), self.state)
    }
}
