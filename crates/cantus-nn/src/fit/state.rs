//! How far a training has come: what a checkpoint keeps beside weights and slots.

use super::training::Training;
use crate::averaging::Average;
use crate::history::{EpochLog, History};
use crate::schedule::Plateau;

/// How far a training has come.
#[derive(Debug, Default)]
pub(super) struct State {
    /// How many epochs are over.
    pub(super) n_epochs: usize,
    /// How many steps were taken.
    pub(super) n_steps: u64,
    pub(super) history: History,
    pub(super) plateau: Plateau,
    /// The lowest validation loss (training loss, if there is no validation) of any epoch.
    pub(super) best: Option<f64>,
    /// The lowest one that early stopping accepted as a fall.
    pub(super) fallen_to: Option<f64>,
    /// For how many epochs there was no fall.
    pub(super) wait: usize,
    /// The weights of the best epoch: what early stopping restores, and what is left when a training diverges.
    /// Before the first epoch ends, those that the training began with.
    pub(super) best_parameters: Vec<Vec<f32>>,
    /// The average of epochs' weights, where one is asked for.
    pub(super) average: Average,
}

impl State {
    /// Whether another epoch is due.
    pub(super) fn goes_on(&self, training: &Training) -> bool {
        let out_of_patience =
            training.early_stopping.is_some_and(|stopping| self.wait > 0 && self.wait >= stopping.patience);
        self.n_epochs < training.epochs && !out_of_patience
    }

    /// The learning rate when `part` of the present epoch is over.
    pub(super) fn learning_rate(&self, training: &Training, part: f64) -> f32 {
        let factor = training.schedule.factor(self.n_epochs as f64 + part, training.epochs, &self.plateau);
        (f64::from(training.optimizer.learning_rate()) * factor) as f32
    }

    /// The weights that validation and early stopping judge: the average of epochs', where there is one, else the last.
    pub(super) fn judged<'a>(&'a self, parameters: &'a [Vec<f32>]) -> &'a [Vec<f32>] {
        self.average.weights.as_deref().unwrap_or(parameters)
    }

    /// Books an epoch, after which the network has these parameters; returns whether it was the best so far.
    pub(super) fn end_epoch(&mut self, log: EpochLog, training: &Training, parameters: &[Vec<f32>]) -> bool {
        let loss = log.validation.unwrap_or(log.train).loss;
        self.n_epochs += 1;
        self.history.push(log);
        training.schedule.observe(loss, &mut self.plateau);
        let is_best = self.best.is_none_or(|best| loss < best);
        if is_best {
            self.best = Some(loss);
            let judged = self.average.weights.as_deref().unwrap_or(parameters);
            // In place: large networks are not to be copied twice.
            self.best_parameters.iter_mut().zip(judged).for_each(|(best, now)| best.copy_from_slice(now));
        }
        if let Some(stopping) = training.early_stopping {
            if self.fallen_to.is_none_or(|lowest| loss < lowest - stopping.min_delta) {
                (self.fallen_to, self.wait) = (Some(loss), 0);
            } else {
                self.wait += 1;
            }
        }
        is_best
    }
}
