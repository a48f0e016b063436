//! Learning rate schedules.

use serde::{Deserialize, Serialize};

/// The factor of the optimizer's learning rate, by epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// Always 1.
    #[default]
    Constant,
    /// `factor` to the power of the number of completed intervals of `every_epochs` epochs.
    Step {
        /// The length of an interval.
        every_epochs: usize,
        /// The factor of each interval.
        factor: f64,
    },
    /// Linear from 0 to 1 over the first epochs, then half a cosine down to `minimum` (Loshchilov & Hutter 2017); updated at
    /// every step.
    Cosine {
        /// Epochs of the linear part.
        #[serde(default)]
        warm_up_epochs: f64,
        /// The final factor.
        #[serde(default)]
        minimum: f64,
    },
    /// Multiplied by `factor` whenever the validation loss (the training loss, if there is none) has not
    /// fallen by `min_delta` for `patience` epochs. Equals `keras.callbacks.ReduceLROnPlateau`.
    ReduceOnPlateau {
        /// The factor of each reduction.
        factor: f64,
        /// Epochs without improvement before a reduction.
        patience: usize,
        /// A smaller decrease is no improvement.
        #[serde(default = "default_min_delta")]
        min_delta: f64,
        /// The smallest factor.
        #[serde(default)]
        minimum: f64,
    },
}

fn default_min_delta() -> f64 {
    1e-4
}

/// The state of a schedule between epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plateau {
    pub(crate) factor: f64,
    pub(crate) best: Option<f64>,
    pub(crate) wait: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { factor: 1.0, best: None, wait: 0 }
    }
}

impl Schedule {
    /// The factor after `epoch` of `n_epochs` epochs, including the fraction of the current one.
    pub(crate) fn factor(self, epoch: f64, n_epochs: usize, plateau: &Plateau) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { every_epochs, factor } => factor.powf((epoch / every_epochs.max(1) as f64).floor()),
            Self::Cosine { warm_up_epochs, .. } if epoch < warm_up_epochs => epoch / warm_up_epochs,
            Self::Cosine { warm_up_epochs, minimum } => {
                let done = ((epoch - warm_up_epochs) / (n_epochs as f64 - warm_up_epochs)).clamp(0.0, 1.0);
                minimum + (1.0 - minimum) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Self::ReduceOnPlateau { .. } => plateau.factor,
        }
    }

    /// Updates the state with the loss of an epoch.
    pub(crate) fn observe(self, loss: f64, plateau: &mut Plateau) {
        let Self::ReduceOnPlateau { factor, patience, min_delta, minimum } = self else { return };
        if plateau.best.is_none_or(|best| loss < best - min_delta) {
            (plateau.best, plateau.wait) = (Some(loss), 0);
            return;
        }
        plateau.wait += 1;
        if plateau.wait >= patience {
            (plateau.factor, plateau.wait) = ((plateau.factor * factor).max(minimum), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: Schedule, epochs: &[f64]) -> Vec<f64> {
        epochs
            .iter()
            .map(|&epoch| (schedule.factor(epoch, 10, &Plateau::default()) * 1e6).round() / 1e6)
            .collect()
    }

    #[test]
    fn steps_drop_at_whole_multiples() {
        let schedule = Schedule::Step { every_epochs: 2, factor: 0.1 };
        assert_eq!(factors(schedule, &[0.0, 1.9, 2.0, 4.5]), [1.0, 1.0, 0.1, 0.01]);
    }

    #[test]
    fn cosine_warms_up_and_ends_at_its_minimum() {
        let schedule = Schedule::Cosine { warm_up_epochs: 2.0, minimum: 0.1 };
        assert_eq!(factors(schedule, &[0.0, 1.0, 2.0, 6.0, 10.0]), [0.0, 0.5, 1.0, 0.55, 0.1]);
    }

    #[test]
    fn a_plateau_lasts_patience_epochs() {
        let schedule = Schedule::ReduceOnPlateau { factor: 0.5, patience: 2, min_delta: 0.0, minimum: 0.3 };
        let mut plateau = Plateau::default();
        let mut after = |loss| {
            schedule.observe(loss, &mut plateau);
            schedule.factor(0.0, 1, &plateau)
        };
        assert_eq!([1.0, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8].map(&mut after), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.3]);
    }
}
