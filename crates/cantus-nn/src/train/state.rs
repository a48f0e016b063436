//! The progress of a training that a checkpoint stores beside weights and optimizer slots.

use super::training::Training;
use crate::averaging::Average;
use crate::history::{EpochLog, History};
use crate::schedule::Plateau;

/// The progress of a training.
#[derive(Debug, Default)]
pub(super) struct TrainingState {
    /// Completed epochs.
    pub(super) n_epochs: usize,
    /// Completed steps.
    pub(super) n_steps: u64,
    pub(super) history: History,
    pub(super) plateau: Plateau,
    /// The lowest validation loss (training loss without validation) of any epoch.
    pub(super) best: Option<f64>,
    /// The lowest loss that early stopping counted as an improvement.
    pub(super) early_stopping_best: Option<f64>,
    /// Epochs since the last improvement.
    pub(super) wait: usize,
    /// The weights of the best epoch, restored by early stopping and after divergence; before the first epoch, the
    /// initial ones.
    pub(super) best_parameters: Vec<Vec<f32>>,
    /// The average of the epochs' weights, if enabled.
    pub(super) average: Average,
}

impl TrainingState {
    /// Whether another epoch follows.
    pub(super) fn should_continue(&self, training: &Training) -> bool {
        let out_of_patience =
            training.early_stopping.is_some_and(|stopping| self.wait > 0 && self.wait >= stopping.patience);
        self.n_epochs < training.epochs && !out_of_patience
    }

    /// The learning rate when the fraction `part` of the current epoch is done.
    pub(super) fn learning_rate(&self, training: &Training, part: f64) -> f32 {
        let factor = training.schedule.factor(self.n_epochs as f64 + part, training.epochs, &self.plateau);
        (f64::from(training.optimizer.learning_rate()) * factor) as f32
    }

    /// The weights that are validated: the average if there is one, otherwise the last.
    pub(super) fn evaluated<'a>(&'a self, parameters: &'a [Vec<f32>]) -> &'a [Vec<f32>] {
        self.average.weights.as_deref().unwrap_or(parameters)
    }

    /// Records an epoch that ended with these parameters; returns whether it is the best so far.
    pub(super) fn end_epoch(&mut self, log: EpochLog, training: &Training, parameters: &[Vec<f32>]) -> bool {
        let loss = log.validation.unwrap_or(log.train).loss;
        self.n_epochs += 1;
        self.history.push(log);
        training.schedule.observe(loss, &mut self.plateau);
        let is_best = self.best.is_none_or(|best| loss < best);
        if is_best {
            self.best = Some(loss);
            let evaluated = self.average.weights.as_deref().unwrap_or(parameters);
            // In place, to avoid a second copy of a large network.
            self.best_parameters.iter_mut().zip(evaluated).for_each(|(best, new)| best.copy_from_slice(new));
        }
        if let Some(stopping) = training.early_stopping {
            if self.early_stopping_best.is_none_or(|lowest| loss < lowest - stopping.min_delta) {
                (self.early_stopping_best, self.wait) = (Some(loss), 0);
            } else {
                self.wait += 1;
            }
        }
        is_best
    }
}
