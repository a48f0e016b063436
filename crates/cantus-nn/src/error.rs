//! What can go wrong, and what a person can do about it.

/// Every failure of this crate.
///
/// Shapes are given without the batch: `[130, 13]` is one example of 130 frames with 13 numbers each.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer cannot work on what the layer before it gives.
    #[error("{layer} wants {wanted}, but gets an input of shape {got:?}")]
    Shape {
        /// Which layer, such as `layers.2 (LSTM)`.
        layer: String,
        /// The input shape it was given.
        got: Vec<usize>,
        /// What it needs, in words.
        wanted: String,
    },
    /// A layer's setting makes no sense.
    #[error("{layer}: {setting} must be {wanted}, but is {got}")]
    Setting {
        /// Which layer, or `training`.
        layer: String,
        /// The setting, spelled as in the architecture.
        setting: &'static str,
        /// Its value.
        got: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// A layer larger than any computer of today could train: a slip, or a file that means harm.
    #[error("{what} is too large: more than {limit} numbers")]
    TooLarge {
        /// Which layer, such as `layers.2 (LSTM)`, or `input_shape`.
        what: String,
        /// How many numbers an example's output, or one tensor, may have.
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
    /// Inputs to predict from are not a whole number of examples.
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
