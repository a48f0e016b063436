//! Layers, one file each: what it computes, how its gradient flows back, and its tests.
//!
//! A layer comes in two forms. Its *description* ([`Dense`], [`Dropout`], …) is plain data in Keras's words.
//! Given the shape of its input, a description is *built* into something that implements the crate's `Layer`
//! trait: it knows its sizes and computes, but owns no numbers. Weights, outputs and gradients are slices
//! that the caller hands in, so that one layer serves many threads at once and no step of training allocates.
//!
//! Notation, in all files: x the input, h the net input, y the output, E the loss; `dy` is ∂E/∂y.

mod activate;
mod average_pool2d;
mod batch_normalization;
mod bidirectional;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod gaussian_noise;
mod gru;
mod layer_normalization;
mod lstm;
mod max_pool2d;
mod multi_timescale_lstm;
mod one_sequence;
mod random_fourier_features;
mod recurrence;
mod residual;
mod simple_rnn;
mod spec;
mod statistics_pooling;
mod time_distributed;
mod window;

pub use activate::Activate;
pub use average_pool2d::{AveragePool2D, GlobalAveragePooling1D, GlobalAveragePooling2D};
pub use batch_normalization::BatchNormalization;
pub(crate) use batch_normalization::{Agreed, BatchNormalizationLayer, Moments};
pub use bidirectional::Bidirectional;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub(crate) use dense::DenseLayer;
pub use dropout::{Dropout, SpatialDropout};
pub use flatten::{Flatten, Reshape};
pub use gaussian_noise::GaussianNoise;
pub use gru::Gru;
pub use layer_normalization::LayerNormalization;
pub use lstm::Lstm;
pub use max_pool2d::MaxPool2D;
pub use multi_timescale_lstm::MultiTimescaleLstm;
pub use random_fourier_features::{Kernel, RandomFourierFeatures};
pub use residual::Residual;
pub use simple_rnn::SimpleRnn;
pub use spec::LayerSpec;
pub use statistics_pooling::StatisticsPooling1D;
pub use time_distributed::TimeDistributed;
pub use window::Padding;

use crate::activation::{Activation, DerivativeReads};
use crate::crew::Crew;
use crate::error::Error;
use crate::init::Initializer;
use crate::regularizer::Regularizer;

/// A layer that was built for one input shape.
pub(crate) trait Layer: std::fmt::Debug + Send + Sync {
    /// Of one example.
    fn output_shape(&self) -> &[usize];

    /// Its tensors, in the order in which they lie one after another in its weights; those that are not
    /// trained come last.
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// What it needs beside input and output.
    fn memory(&self) -> Memory {
        Memory::default()
    }

    /// How many numbers [`Self::derive`] writes.
    fn n_derived(&self) -> usize {
        0
    }

    /// Computes from the weights what the backward pass of every example needs, such as a transposed kernel.
    fn derive(&self, _weights: &[f32], _derived: &mut [f32]) {}

    /// Computes `y` from `x`, for `pass.rows` examples.
    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>);

    /// The same for a single example in inference, whose work a crew may share.
    fn answer(
        &self,
        _crew: &Crew,
        pass: &Pass,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        tape: Tape<'_>,
    ) {
        self.forward(pass, weights, x, y, tape);
    }

    /// Takes the gradient back through the layer: adds ∂E/∂(weights) to `gradient` and overwrites `flow.dx`.
    fn backward(
        &self,
        pass: &Pass,
        weights: Weights<'_>,
        flow: Flow<'_>,
        gradient: &mut [f32],
        tape: Tape<'_>,
    );

    /// Which buffers of the forward pass its backward pass reads, beside what the derivative of
    /// [`Self::last_activation`] reads (`Activation::derivative_reads` declares that).
    ///
    /// Training hands [`Self::backward`] the declared buffers alone, and lets all others be overwritten: the
    /// declaration has no default, so that every layer states it.
    fn backward_reads(&self) -> BackwardReads;

    /// The activation that its output goes through last.
    fn last_activation(&self) -> Activation {
        Activation::Linear
    }

    /// Whether each output is one of the inputs: then the derivative of an activation before it can be taken at its
    /// outputs, which are fewer.
    fn selects(&self) -> bool {
        false
    }

    /// Whether the output is the input under another shape; such a layer is never asked to compute.
    fn is_view(&self) -> bool {
        false
    }

    /// Whether examples should come to it in large numbers at once (its products have one row for each).
    fn wants_many_rows(&self) -> bool {
        false
    }

    /// Whether, in training, the examples of a batch must wait for each other here.
    fn meeting(&self) -> Option<Meeting<'_>> {
        None
    }
}

/// Which buffers of its forward pass a layer reads in its backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackwardReads {
    /// x
    pub(crate) input: bool,
    /// y
    pub(crate) output: bool,
}

impl BackwardReads {
    pub(crate) const NEITHER: Self = Self { input: false, output: false };
    pub(crate) const INPUT: Self = Self { input: true, output: false };
    pub(crate) const BOTH: Self = Self { input: true, output: true };

    /// All that a layer's backward pass reads: with the derivative of its last activation, unless that is skipped.
    pub(crate) fn of(layer: &dyn Layer, skips_activation: bool) -> Self {
        let derivative = layer.last_activation().derivative_reads();
        let reads = layer.backward_reads();
        let output = reads.output || (!skips_activation && derivative == DerivativeReads::Output);
        Self { output, ..reads }
    }
}

/// Why the examples of a batch wait for each other at a layer.
pub(crate) enum Meeting<'a> {
    /// Its weights are so many that threads share its columns, and not the examples.
    Columns(&'a DenseLayer),
    /// It needs mean and variance of the whole batch.
    Statistics(&'a BatchNormalizationLayer),
}

/// One tensor of weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) initializer: Initializer,
    /// What it begins with, if that is not left to the initialiser.
    pub(crate) values: Option<Vec<f32>>,
    pub(crate) regularizer: Regularizer,
    pub(crate) trainable: bool,
}

impl Parameter {
    pub(crate) fn new(name: &str, shape: &[usize], initializer: Initializer) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            initializer,
            values: None,
            regularizer: Regularizer::default(),
            trainable: true,
        }
    }

    pub(crate) fn regularized(self, regularizer: Option<Regularizer>) -> Self {
        Self { regularizer: regularizer.unwrap_or_default(), ..self }
    }

    pub(crate) fn len(&self) -> usize {
        size(&self.shape)
    }
}

/// What a layer needs beside its input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    /// Numbers that the forward pass leaves for the backward pass, for each example.
    pub(crate) floats: usize,
    /// Numbers that a call may use as it likes, for each example …
    pub(crate) scratch_per_row: usize,
    /// … and in all.
    pub(crate) scratch: usize,
}

impl Memory {
    /// How many numbers of scratch space a call for `rows` examples is given.
    pub(crate) fn scratch_len(self, rows: usize) -> usize {
        self.scratch_per_row * rows + self.scratch
    }
}

/// What a layer keeps from its forward to its backward pass, and its scratch space; as large as [`Memory`]
/// says.
pub(crate) struct Tape<'a> {
    pub(crate) floats: &'a mut [f32],
    pub(crate) scratch: &'a mut [f32],
}

/// A layer's weights and what was derived from them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) values: &'a [f32],
    /// Empty in inference.
    pub(crate) derived: &'a [f32],
}

/// What a backward pass reads and writes.
pub(crate) struct Flow<'a> {
    /// Nothing (in tests and debug builds NaN) unless declared in [`Layer::backward_reads`].
    pub(crate) x: &'a [f32],
    /// The same, unless the derivative of the last activation reads it.
    pub(crate) y: &'a [f32],
    /// ∂E/∂y; a layer may overwrite it.
    pub(crate) dy: &'a mut [f32],
    /// ∂E/∂x, unless nobody wants to know.
    pub(crate) dx: Option<&'a mut [f32]>,
}

/// Which examples pass through a layer, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    /// How many.
    pub(crate) rows: usize,
    /// The place of the first of them in the batch.
    pub(crate) first_row: usize,
    /// Training, where layers such as dropout disturb; not inference.
    pub(crate) training: bool,
    /// Leave the last activation out: forward puts out net inputs h, and `dy` of backward is ∂E/∂h already.
    /// So for a last layer whose activation the loss computes, and in backward where the layer behind takes the
    /// derivative.
    pub(crate) skips_activation: bool,
    /// For random numbers: differs by step and by layer.
    pub(crate) key: u64,
}

impl Pass {
    /// What a layer does about its last activation in this pass.
    pub(crate) fn activation(&self, last: Activation) -> Activation {
        if self.skips_activation { Activation::Linear } else { last }
    }
}

/// How many numbers an example may have between two layers, and a tensor of weights.
pub(crate) const LARGEST: usize = 1 << 31;
/// No count in an architecture is greater: products of three of them cannot overflow.
const LARGEST_SETTING: usize = 1 << 20;

/// How many numbers a shape holds; the greatest `usize` if more than that.
pub(crate) fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &axis| product.saturating_mul(axis))
}

/// Cuts a layer's weights into its tensors.
pub(crate) fn split<const N: usize>(mut values: &[f32], lens: [usize; N]) -> [&[f32]; N] {
    lens.map(|len| {
        let (tensor, rest) = values.split_at(len);
        values = rest;
        tensor
    })
}

/// Cuts the gradient of a layer's weights into its tensors.
pub(crate) fn split_mut<const N: usize>(mut values: &mut [f32], lens: [usize; N]) -> [&mut [f32]; N] {
    lens.map(|len| {
        let (tensor, rest) = std::mem::take(&mut values).split_at_mut(len);
        values = rest;
        tensor
    })
}

/// The four gates of one example.
#[inline(always)]
fn quarters(row: &[f32]) -> [&[f32]; 4] {
    let (first, second) = row.split_at(row.len() / 2);
    let ([a, b], [c, d]) = (halves(first), halves(second));
    [a, b, c, d]
}

/// The four gates of one example, to be changed.
#[inline(always)]
fn quarters_mut(row: &mut [f32]) -> [&mut [f32]; 4] {
    let (first, second) = row.split_at_mut(row.len() / 2);
    let (first_len, second_len) = (first.len() / 2, second.len() / 2);
    let ((a, b), (c, d)) = (first.split_at_mut(first_len), second.split_at_mut(second_len));
    [a, b, c, d]
}

#[inline(always)]
fn halves(row: &[f32]) -> [&[f32]; 2] {
    let (a, b) = row.split_at(row.len() / 2);
    [a, b]
}

/// Writes the transpose of a matrix of `rows` rows.
pub(crate) fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    for (i, row) in from.chunks_exact(columns).enumerate() {
        for (j, &value) in row.iter().enumerate() {
            to[j * rows + i] = value;
        }
    }
}

/// Where a layer is being built: for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// Such as `layers.2`.
    pub(crate) path: &'a str,
    /// Such as `LSTM`.
    pub(crate) kind: &'static str,
}

impl Site<'_> {
    fn layer(self) -> String {
        format!("{} ({})", self.path, self.kind)
    }

    /// The input does not fit.
    pub(crate) fn shape(self, got: &[usize], wanted: impl Into<String>) -> Error {
        Error::Shape { layer: self.layer(), got: got.to_vec(), wanted: wanted.into() }
    }

    /// A count that must be at least one.
    pub(crate) fn at_least_one(self, setting: &'static str, got: usize) -> Result<usize, Error> {
        match got {
            0 => Err(self.setting(setting, got, "at least 1")),
            1..=LARGEST_SETTING => Ok(got),
            _ => Err(self.too_large()),
        }
    }

    /// There is more of it than any computer of today could train.
    pub(crate) fn too_large(self) -> Error {
        Error::TooLarge { what: self.layer(), limit: LARGEST }
    }

    /// Refuses a shape of too many numbers, before anybody multiplies its axes.
    pub(crate) fn check_size(self, shape: &[usize]) -> Result<(), Error> {
        if size(shape) > LARGEST { Err(self.too_large()) } else { Ok(()) }
    }

    /// A share that must be at least 0 and less than 1.
    pub(crate) fn share(self, setting: &'static str, got: f32) -> Result<f32, Error> {
        if (0.0..1.0).contains(&got) {
            Ok(got)
        } else {
            Err(self.setting(setting, got, "at least 0 and less than 1"))
        }
    }

    /// A setting that makes no sense.
    pub(crate) fn setting(self, setting: &'static str, got: impl ToString, wanted: &'static str) -> Error {
        Error::Setting { layer: self.layer(), setting, got: got.to_string(), wanted }
    }
}
