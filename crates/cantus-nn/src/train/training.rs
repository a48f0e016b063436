//! How to train: all settings of a fit.

use serde::{Deserialize, Serialize};

use crate::averaging::Averaging;
use crate::error::Error;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// All settings of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// How often to go through all training examples.
    pub epochs: usize,
    /// How many examples to learn from at once.
    pub batching: Batching,
    /// What to make small.
    pub loss: Loss,
    /// How weights follow their gradient.
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// A limit to gradients.
    pub clipping: Option<Clipping>,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// Whether the network ends as the average of several epochs' weights.
    pub averaging: Option<Averaging>,
    /// How much examples of each class count in the loss; classes beyond the end count 1. Empty for no
    /// difference.
    pub class_weights: Vec<f32>,
    /// Whether each epoch has its own order of examples.
    pub shuffle: bool,
    /// For the order of examples and for layers such as dropout. The first weights have a seed of their own.
    pub seed: u64,
    /// How many threads; 0 for as many as there are processors. Changes no bit of the result.
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
            shuffle: true,
            seed: 0,
            n_threads: 0,
        }
    }
}

/// How many examples to learn from before the weights move: the lecture's three ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batching {
    /// One: quick, and noisy.
    Stochastic,
    /// All of them: slow, and exact.
    Full,
    /// So many: the usual compromise. The last batch of an epoch may be smaller.
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

/// A limit to gradients, against steps that are too large.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipping {
    /// No number beyond ± this. Keras's `clipvalue`.
    Value(f32),
    /// Each tensor's gradient no longer than this. Keras's `clipnorm`.
    Norm(f32),
    /// All gradients together no longer than this. Keras's `global_clipnorm`.
    GlobalNorm(f32),
}

/// Stops when the validation loss (the training loss, if there is none) no longer falls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// After how many epochs without a fall.
    pub patience: usize,
    /// Less than this is no fall.
    pub min_delta: f64,
    /// Whether the network ends with the weights of its best epoch, and not of its last.
    pub restore_best_weights: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, min_delta: 0.0, restore_best_weights: true }
    }
}

impl Training {
    /// Refuses settings that make no sense.
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::Sgd;

    #[test]
    fn settings_are_read_from_toml_in_the_words_of_keras() {
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
    fn settings_without_sense_are_refused() {
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
