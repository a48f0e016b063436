//! The settings of a training.

use serde::{Deserialize, Serialize};

use crate::averaging::Averaging;
use crate::error::Error;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// The settings of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Passes over all training examples.
    pub epochs: usize,
    /// Examples per step.
    pub batching: Batching,
    /// The loss to minimise.
    pub loss: Loss,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The learning rate schedule.
    pub schedule: Schedule,
    /// Gradient clipping.
    pub clipping: Option<Clipping>,
    /// Early stopping.
    pub early_stopping: Option<EarlyStopping>,
    /// Averaging of the weights of several epochs.
    pub averaging: Option<Averaging>,
    /// Weight of each class in the loss; classes beyond the end have weight 1.
    pub class_weights: Vec<f32>,
    /// Factor of the learning rate of each layer of the network, first to last; layers beyond the end have 1. A layer with 0 is
    /// frozen, as with Keras's `trainable = False`: its weights do not change, they have no penalty, and a batch normalisation uses
    /// its moving averages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layer_rates: Vec<f32>,
    /// Whether each epoch has its own random order of examples.
    pub shuffle: bool,
    /// Seed of the order of examples and of layers such as dropout. The initial weights have another seed.
    pub seed: u64,
    /// Number of threads; 0 for the number of processors. Does not change a bit of the result.
    pub n_threads: usize,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 1,
            batching: Batching::default(),
            loss: Loss::default(),
            optimizer: Optimizer::default(),
            schedule: Schedule::default(),
            clipping: None,
            early_stopping: None,
            averaging: None,
            class_weights: Vec::new(),
            layer_rates: Vec::new(),
            shuffle: true,
            seed: 0,
            n_threads: 0,
        }
    }
}

/// Examples per weight update: the course's three variants of gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batching {
    /// One: fast and noisy.
    Stochastic,
    /// All: slow and exact.
    Full,
    /// This many. The last batch of an epoch may be smaller.
    Mini(usize),
}

impl Default for Batching {
    /// Keras's: 32.
    fn default() -> Self {
        Self::Mini(32)
    }
}

impl Batching {
    /// The size of a batch from `n` examples.
    pub(crate) fn size(self, n: usize) -> usize {
        match self {
            Self::Stochastic => 1,
            Self::Full => n,
            Self::Mini(size) => size.min(n),
        }
    }
}

/// Gradient clipping, which limits the size of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipping {
    /// Each element to ± this. Keras's `clipvalue`.
    Value(f32),
    /// Each tensor's gradient to this norm. Keras's `clipnorm`.
    Norm(f32),
    /// All gradients together to this norm. Keras's `global_clipnorm`.
    GlobalNorm(f32),
}

/// Stops when the validation loss (the training loss without validation) no longer decreases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement before the training ends.
    pub patience: usize,
    /// A smaller decrease is no improvement.
    pub min_delta: f64,
    /// Whether the network gets the weights of its best epoch instead of the last.
    pub restore_best_weights: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, min_delta: 0.0, restore_best_weights: true }
    }
}

impl Training {
    /// Checks the range of the settings.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |setting, got: String, wanted| {
            Err(Error::Setting { layer: "training".into(), setting, got, wanted })
        };
        let rate = self.optimizer.learning_rate();
        if !(rate.is_finite() && rate >= 0.0) {
            return refuse("learning_rate", rate.to_string(), "a finite number of at least 0");
        }
        if self.batching == Batching::Mini(0) {
            return refuse("batching", "0".into(), "at least 1");
        }
        if let Some(Clipping::Value(limit) | Clipping::Norm(limit) | Clipping::GlobalNorm(limit)) =
            self.clipping
            && (limit.is_nan() || limit <= 0.0)
        {
            return refuse("clipping", limit.to_string(), "more than 0");
        }
        if let Some(averaging) = self.averaging {
            averaging.check()?;
        }
        if let Some(weight) =
            self.class_weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0))
        {
            return refuse("class_weights", weight.to_string(), "finite numbers of at least 0");
        }
        if let Some(rate) = self.layer_rates.iter().find(|rate| !(rate.is_finite() && **rate >= 0.0)) {
            return refuse("layer_rates", rate.to_string(), "finite numbers of at least 0");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::Sgd;

    #[test]
    fn settings_are_read_from_toml_with_the_names_of_keras() {
        let text = r#"
            epochs = 50
            batching = { mini = 16 }
            loss = { type = "categorical_crossentropy", label_smoothing = 0.1 }
            optimizer = { type = "SGD", learning_rate = 0.1, momentum = 0.9 }
            schedule = { type = "cosine", warm_up_epochs = 2 }
            clipping = { global_norm = 1.0 }
            early_stopping = { patience = 3 }
            averaging = { type = "swa", from_epoch = 10 }
        "#;
        let training: Training = toml::from_str(text).unwrap();
        assert_eq!(training.batching, Batching::Mini(16));
        assert_eq!(
            training.optimizer,
            Optimizer::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: false })
        );
        assert_eq!(training.clipping, Some(Clipping::GlobalNorm(1.0)));
        assert_eq!(training.averaging, Some(Averaging::Swa { from_epoch: 10 }));
        assert!(training.early_stopping.unwrap().restore_best_weights);
        assert_eq!(toml::from_str::<Training>(&toml::to_string(&training).unwrap()).unwrap(), training);
        assert_eq!(toml::from_str::<Training>(r#"batching = "full""#).unwrap().batching, Batching::Full);
        assert!(toml::from_str::<Training>("epoch = 50").is_err());
    }

    #[test]
    fn settings_out_of_range_are_rejected() {
        let sgd = |learning_rate| Optimizer::Sgd(Sgd { learning_rate, ..Sgd::default() });
        for training in [
            Training { optimizer: sgd(f32::NAN), ..Training::default() },
            Training { batching: Batching::Mini(0), ..Training::default() },
            Training { clipping: Some(Clipping::Norm(0.0)), ..Training::default() },
            Training { class_weights: vec![-1.0], ..Training::default() },
            Training { averaging: Some(Averaging::Ema { decay: 2.0 }), ..Training::default() },
        ] {
            assert!(training.check().is_err(), "{training:?}");
        }
    }
}
