//! The training history: loss, accuracy and learning rate of each epoch.

use serde::{Deserialize, Serialize};

/// The training history, one number for each epoch. Serialised, it has the keys of Keras's `History.history`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Mean loss of the training examples during the epoch (with regularisation, before each update).
    pub loss: Vec<f64>,
    /// Their accuracy; empty for a regression loss.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<f64>,
    /// Loss of the validation examples after each epoch; empty without them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub val_loss: Vec<f64>,
    /// Their accuracy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub val_accuracy: Vec<f64>,
    /// The learning rate of each epoch's last step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub learning_rate: Vec<f64>,
}

/// Loss and accuracy on some examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean over the examples, plus the penalty of the regularisers.
    pub loss: f64,
    /// Fraction of correct predictions; `None` for a regression loss.
    pub accuracy: Option<f64>,
}

/// One epoch of a [`History`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochLog {
    /// Of the training examples.
    pub train: Scores,
    /// Of the validation examples, if there are any.
    pub validation: Option<Scores>,
    /// Of its last step.
    pub learning_rate: f64,
}

impl History {
    /// Number of epochs.
    #[must_use]
    pub fn n_epochs(&self) -> usize {
        self.loss.len()
    }

    /// The epoch, counted from 0, with the lowest validation loss; training loss, if there is no validation.
    #[must_use]
    pub fn best_epoch(&self) -> Option<usize> {
        let loss = if self.val_loss.is_empty() { &self.loss } else { &self.val_loss };
        // The first of equal ones, as in training.
        (0..loss.len()).min_by(|&a, &b| loss[a].total_cmp(&loss[b]))
    }

    /// The series that were measured, by their names in Keras.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &[f64])> {
        [
            ("loss", &self.loss),
            ("accuracy", &self.accuracy),
            ("val_loss", &self.val_loss),
            ("val_accuracy", &self.val_accuracy),
            ("learning_rate", &self.learning_rate),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name, values.as_slice()))
    }

    pub(crate) fn push(&mut self, log: EpochLog) {
        self.loss.push(log.train.loss);
        self.accuracy.extend(log.train.accuracy);
        self.val_loss.extend(log.validation.map(|scores| scores.loss));
        self.val_accuracy.extend(log.validation.and_then(|scores| scores.accuracy));
        self.learning_rate.push(log.learning_rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_keys_of_keras_and_omit_what_was_not_measured() {
        let mut history = History::default();
        let train = Scores { loss: 2.0, accuracy: Some(0.5) };
        history.push(EpochLog { train, validation: None, learning_rate: 1e-3 });
        let columns: Vec<_> = history.columns().collect();
        assert_eq!(columns, [("loss", &[2.0][..]), ("accuracy", &[0.5][..]), ("learning_rate", &[1e-3][..])]);
    }
}
