//! The crate's error type.

/// Every failure of this crate.
///
/// Shapes are given without the batch: `[130, 13]` is one example of 130 frames with 13 numbers each.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input shape does not fit the layer.
    #[error("{layer} needs {wanted}, but its input has shape {got:?}")]
    Shape {
        /// Which layer, such as `layers.2 (LSTM)`.
        layer: String,
        /// The input shape it was given.
        got: Vec<usize>,
        /// What it needs, in words.
        wanted: String,
    },
    /// A setting is out of range.
    #[error("{layer}: {setting} must be {wanted}, but is {got}")]
    Setting {
        /// Which layer, or `training`.
        layer: String,
        /// The setting, spelled as in the architecture.
        setting: &'static str,
        /// Its value.
        got: String,
        /// Its valid values.
        wanted: &'static str,
    },
    /// A size beyond any practical network: a mistake, or a malicious file.
    #[error("{what} is too large: more than {limit} numbers")]
    TooLarge {
        /// Which layer, such as `layers.2 (LSTM)`, `input_shape`, or what of the whole network.
        what: String,
        /// How many numbers it may have.
        limit: usize,
    },
    /// An architecture without layers, or with an empty input.
    #[error("the architecture has no {missing}")]
    Empty {
        /// What is missing.
        missing: &'static str,
    },
    /// Examples that do not fit the network or the loss.
    #[error("{which} examples: {problem}")]
    Examples {
        /// `training`, `validation` or `evaluation`.
        which: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// The inputs of a prediction are not a whole number of examples.
    #[error("{got} numbers are not a whole number of examples of {wanted} numbers (shape {shape:?})")]
    Inputs {
        /// How many numbers were given.
        got: usize,
        /// How many numbers one example has.
        wanted: usize,
        /// The network's input shape.
        shape: Vec<usize>,
    },
    /// A weight that the network does not have.
    #[error("the network has no weight named {name}; its weights are {known}")]
    UnknownWeight {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A weight that is needed and was not given.
    #[error("weight {name} is missing")]
    MissingWeight {
        /// Its name.
        name: String,
    },
    /// A weight of the wrong shape.
    #[error("weight {name} has shape {wanted:?}, but was given {got:?}")]
    WeightShape {
        /// Its name.
        name: String,
        /// The shape that was given.
        got: Vec<usize>,
        /// The shape that the network has.
        wanted: Vec<usize>,
    },
    /// A training of a network with a layer that is for inference only.
    #[error("{layer} averages networks that were trained separately: it cannot be trained")]
    InferenceOnly {
        /// Which layer, such as `layers.0 (Average)`.
        layer: String,
    },
    /// Training produced a number that is not finite. The network has the weights of its best epoch so far; where no
    /// epoch was finite, those that it had before the training.
    #[error(
        "training diverged in epoch {}: {what} is not finite at learning rate {learning_rate:e}; use a smaller learning rate or clip gradients{}",
        .epoch + 1,
        kept(*.best_epoch)
    )]
    Diverged {
        /// In which epoch, counted from 0.
        epoch: usize,
        /// What is not finite: `the training loss`, `the validation loss`, `a weight`, or `the loss of the first batch`.
        what: &'static str,
        /// The learning rate of the last step.
        learning_rate: f32,
        /// The epoch, counted from 0, whose weights the network has now; `None` where no epoch was finite.
        best_epoch: Option<usize>,
    },
    /// A weight that is NaN or infinite.
    #[error("weight {name} has a value that is not finite ({value})")]
    WeightNotFinite {
        /// Its name.
        name: String,
        /// The first such value.
        value: f32,
    },
    /// Bytes that are no checkpoint, or one of another network or training.
    #[error("cannot resume from this checkpoint: {problem}")]
    Checkpoint {
        /// What does not fit.
        problem: String,
    },
    /// A file of weights that does not fit the network, or is none.
    #[error("cannot import these weights: {problem}")]
    Import {
        /// What does not fit.
        problem: String,
    },
}

/// The end of the message of [`Error::Diverged`].
fn kept(best_epoch: Option<usize>) -> String {
    best_epoch.map_or_else(String::new, |epoch| format!("; the weights of epoch {} are kept", epoch + 1))
}
