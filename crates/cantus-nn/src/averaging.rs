//! Weight averaging: a network made of the weights of several epochs.
//!
//! Near the end of a training the weights wander around a minimum; their mean lies nearer to it than any of them, in a
//! flatter place, and does better on data that it has not seen. The training itself goes on with its own weights; what
//! is validated, kept as the best and returned is the average.
//!
//! Statistics that batch normalisation gathers are averaged as the weights are, which spares the extra pass over the
//! training data that Izmailov et al. make for them.
//!
//! # Reference
//! Polyak & Juditsky 1992; Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018
//! (PyTorch's `torch.optim.swa_utils.AveragedModel`).

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How the weights at the ends of epochs are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Averaging {
    /// Exponential moving average: after each epoch, `decay` of the average so far and 1 - `decay` of the new weights.
    Ema {
        /// In [0, 1): 0 keeps only the last epoch.
        decay: f32,
    },
    /// Stochastic weight averaging: the plain mean over all epochs from this one on. Before it, nothing is averaged.
    Swa {
        /// The first epoch that counts; epochs are numbered from 1.
        from_epoch: usize,
    },
}

/// An average in the making.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Average {
    /// One vector for each layer; none before the first epoch that counts.
    pub(crate) weights: Option<Vec<Vec<f32>>>,
    /// How many epochs are in it.
    pub(crate) n_epochs: usize,
}

impl Averaging {
    /// Refuses settings that make no sense.
    pub(crate) fn check(self) -> Result<(), Error> {
        let refuse = |setting, got, wanted| {
            Err(Error::Setting { layer: "training.averaging".into(), setting, got, wanted })
        };
        match self {
            Self::Ema { decay } if !(0.0..1.0).contains(&decay) => {
                refuse("decay", decay.to_string(), "from 0 to below 1")
            }
            Self::Swa { from_epoch: 0 } => refuse("from_epoch", "0".into(), "at least 1, the first epoch"),
            _ => Ok(()),
        }
    }
}

impl Average {
    /// Takes in the weights after an epoch, numbered from 1.
    pub(crate) fn update(&mut self, averaging: Averaging, epoch: usize, weights: &[Vec<f32>]) {
        if matches!(averaging, Averaging::Swa { from_epoch } if epoch < from_epoch) {
            return;
        }
        self.n_epochs += 1;
        let part = match averaging {
            Averaging::Ema { decay } => 1.0 - decay,
            Averaging::Swa { .. } => 1.0 / self.n_epochs as f32,
        };
        match &mut self.weights {
            None => self.weights = Some(weights.to_vec()),
            Some(average) => {
                let pairs = average.iter_mut().flatten().zip(weights.iter().flatten());
                pairs.for_each(|(average, &weight)| *average += part * (weight - *average));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    fn average(averaging: Averaging, epochs: &[f32]) -> Average {
        let mut average = Average::default();
        for (i, &weight) in epochs.iter().enumerate() {
            average.update(averaging, i + 1, &[vec![weight, 2.0 * weight], vec![], vec![-weight]]);
        }
        average
    }

    #[test]
    fn stochastic_weight_averaging_is_the_mean_of_the_epochs_from_the_first_that_counts() {
        let swa = Averaging::Swa { from_epoch: 3 };
        assert_eq!(average(swa, &[9.0, 9.0]), Average::default());
        let weights = average(swa, &[9.0, 9.0, 1.0, 2.0, 6.0]).weights.unwrap();
        assert_close(&weights.concat(), &[3.0, 6.0, -3.0], 1e-6);
    }

    #[test]
    fn an_exponential_average_forgets_at_its_rate() {
        let weights = average(Averaging::Ema { decay: 0.75 }, &[4.0, 8.0, 0.0]).weights.unwrap();
        // 4, then 0.75 · 4 + 0.25 · 8 = 5, then 0.75 · 5.
        assert_close(&weights.concat(), &[3.75, 7.5, -3.75], 1e-6);
        let last = average(Averaging::Ema { decay: 0.0 }, &[4.0, 8.0, 1.5]).weights.unwrap();
        assert_close(&last.concat(), &[1.5, 3.0, -1.5], 1e-6);
    }

    #[test]
    fn settings_without_sense_are_refused() {
        for averaging in [
            Averaging::Ema { decay: 1.0 },
            Averaging::Ema { decay: f32::NAN },
            Averaging::Swa { from_epoch: 0 },
        ] {
            assert!(averaging.check().is_err(), "{averaging:?}");
        }
        assert!(Averaging::Swa { from_epoch: 1 }.check().is_ok());
    }
}
