//! Weight averaging: the mean of the weights of several epochs.
//!
//! Towards the end of a training the weights move around a minimum. Their mean is closer to it, in a flatter region, and
//! generalises better. The training continues with its own weights; the average is validated, kept as the best and
//! returned.
//!
//! The moving statistics of batch normalisation are not averaged: those of the averaged network are computed in a pass over the
//! training examples, as by Izmailov et al., whenever it is validated and after the last epoch. Averaged statistics of the epochs are
//! those of no network: with them, one whose weights still change predicts little better than at random.
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
    /// Stochastic weight averaging: the plain mean over all epochs from this one on. Earlier epochs are ignored.
    Swa {
        /// The first averaged epoch, numbered from 1.
        from_epoch: usize,
    },
}

/// The average so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Average {
    /// One vector for each layer; `None` before the first averaged epoch.
    pub(crate) weights: Option<Vec<Vec<f32>>>,
    /// Number of averaged epochs.
    pub(crate) n_epochs: usize,
}

impl Averaging {
    /// Checks the range of the settings.
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
    /// Adds the weights after an epoch, numbered from 1.
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
    fn stochastic_weight_averaging_is_the_mean_from_the_given_epoch_on() {
        let swa = Averaging::Swa { from_epoch: 3 };
        assert_eq!(average(swa, &[9.0, 9.0]), Average::default());
        let weights = average(swa, &[9.0, 9.0, 1.0, 2.0, 6.0]).weights.unwrap();
        assert_close(&weights.concat(), &[3.0, 6.0, -3.0], 1e-6);
    }

    #[test]
    fn an_exponential_average_decays_at_its_rate() {
        let weights = average(Averaging::Ema { decay: 0.75 }, &[4.0, 8.0, 0.0]).weights.unwrap();
        // 4, then 0.75 · 4 + 0.25 · 8 = 5, then 0.75 · 5.
        assert_close(&weights.concat(), &[3.75, 7.5, -3.75], 1e-6);
        let last = average(Averaging::Ema { decay: 0.0 }, &[4.0, 8.0, 1.5]).weights.unwrap();
        assert_close(&last.concat(), &[1.5, 3.0, -1.5], 1e-6);
    }

    #[test]
    fn settings_out_of_range_are_rejected() {
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
