//! Layers, one file each: its formulas, its forward and backward pass, and its tests.
//!
//! A layer has two forms. Its *description* ([`Dense`], [`Dropout`], …) is plain data with the names of Keras. For a given
//! input shape, a description is *built* into an implementation of the crate's `Layer` trait, which holds sizes but no
//! weights and no activations. These are slices passed by the caller, so that one layer can be used by many threads at once
//! and a training step allocates nothing.
//!
//! Notation in all files: x the input, h the net input (pre-activation), y the output, E the loss; `dy` is ∂E/∂y.

mod activation;
mod average_pool2d;
mod batch_normalization;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod gaussian_noise;
mod gru;
mod layer_id;
mod layer_normalization;
mod lstm;
mod max_pool2d;
mod multi_timescale_lstm;
mod random_fourier_features;
mod recurrence;
mod recurrent_layer;
mod simple_rnn;
mod single_example;
mod spec;
mod statistics_pooling;
mod window;

pub use activation::ActivationLayer;
pub use average_pool2d::{AveragePool2D, GlobalAveragePooling1D, GlobalAveragePooling2D};
pub use batch_normalization::BatchNormalization;
pub(crate) use batch_normalization::{BatchNormalizationLayer, BatchStatistics, Moments};
pub use conv2d::Conv2D;
pub use dense::Dense;
pub(crate) use dense::DenseLayer;
pub use dropout::{Dropout, SpatialDropout};
pub(crate) use flatten::View;
pub use flatten::{Flatten, Reshape};
pub use gaussian_noise::GaussianNoise;
pub use gru::Gru;
pub(crate) use layer_id::LayerId;
pub use layer_normalization::LayerNormalization;
pub use lstm::Lstm;
pub use max_pool2d::MaxPool2D;
pub use multi_timescale_lstm::MultiTimescaleLstm;
pub use random_fourier_features::{FourierGroup, InputGroup, Kernel, RandomFourierFeatures};
pub use simple_rnn::SimpleRnn;
pub use spec::{Average, Bidirectional, Branch, LayerSpec, Residual, TimeDistributed};
pub use statistics_pooling::StatisticsPooling1D;
pub use window::Padding;

use crate::activation::{Activation, DerivativeReads};
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;

/// A layer built for one input shape.
pub(crate) trait Layer: std::fmt::Debug + Send + Sync {
    /// Of one example.
    fn output_shape(&self) -> &[usize];

    /// Its tensors, in the order in which its weights are stored; those that are not trained come last.
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// The buffers that it needs beside input and output.
    fn buffer_sizes(&self) -> BufferSizes {
        BufferSizes::default()
    }

    /// The length of what [`Self::derive`] writes.
    fn n_derived(&self) -> usize {
        0
    }

    /// Computes from the weights what the backward pass of every example needs, such as a transposed kernel.
    fn derive(&self, _weights: &[f32], _derived: &mut [f32]) {}

    /// Computes `y` from `x` for `context.rows` examples.
    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    );

    /// The same for a single example in inference.
    fn forward_one(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        self.forward(context, weights, x, y, cache);
    }

    /// Backpropagates through the layer: adds ∂E/∂(weights) to `gradient` and overwrites `io.dx`.
    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    );

    /// Which buffers of the forward pass its backward pass reads, beside what the derivative of
    /// [`Self::last_activation`] reads (declared by `Activation::derivative_reads`).
    ///
    /// In training, [`Self::backward`] gets the declared buffers only, and all others may be overwritten. There is no
    /// default, so that every layer declares what it reads.
    fn backward_reads(&self) -> BackwardReads;

    /// The activation applied last to its output.
    fn last_activation(&self) -> Activation {
        Activation::Linear
    }

    /// Whether each output is one of the inputs. The derivative of an activation before the layer can then be taken at
    /// its outputs, which are fewer.
    fn selects(&self) -> bool {
        false
    }

    /// Whether the output is the input with another shape; such a layer is never run.
    fn is_view(&self) -> bool {
        false
    }

    /// Whether the output of an example follows from its input alone, in training as in inference: no weights, no random
    /// numbers, no other examples.
    ///
    /// At the start of a network, training computes such layers once for each example instead of in every epoch; see
    /// `train/leading_layers.rs`, which checks the declaration in tests and debug builds.
    fn is_fixed(&self) -> bool {
        false
    }

    /// Whether it cannot be trained, nor any network with it.
    fn is_inference_only(&self) -> bool {
        false
    }

    /// Whether it is efficient only with many examples at once (its matrix products have one row for each).
    fn prefers_many_rows(&self) -> bool {
        false
    }

    /// The reduction over the whole batch that it needs in training.
    fn batch_reduction(&self) -> Option<BatchReduction<'_>> {
        None
    }
}

/// The buffers of its forward pass that a layer reads in its backward pass.
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

    /// All that a layer's backward pass reads, including the derivative of its last activation unless that is skipped.
    pub(crate) fn of(layer: &dyn Layer, skips_activation: bool) -> Self {
        let derivative = layer.last_activation().derivative_reads();
        let reads = layer.backward_reads();
        let output = reads.output || (!skips_activation && derivative == DerivativeReads::Output);
        Self { output, ..reads }
    }
}

/// Why all examples of a batch must reach a layer before it can be computed.
pub(crate) enum BatchReduction<'a> {
    /// It has so many weights that threads divide its columns, not the examples.
    ColumnParallel(&'a DenseLayer),
    /// It needs mean and variance of the whole batch.
    Statistics(&'a BatchNormalizationLayer),
}

/// One tensor of weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) initializer: Initializer,
    /// Initial values that replace the initialiser's.
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

/// Sizes of the buffers that a layer needs beside its input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BufferSizes {
    /// Numbers that the forward pass stores for the backward pass, for each example.
    pub(crate) cached: usize,
    /// Scratch space of a call, for each example …
    pub(crate) scratch_per_row: usize,
    /// … and in addition, whatever the number of examples.
    pub(crate) scratch: usize,
}

impl BufferSizes {
    /// Length of the scratch space of a call for `rows` examples.
    pub(crate) fn scratch_len(self, rows: usize) -> usize {
        self.scratch_per_row * rows + self.scratch
    }
}

/// What the forward pass stores for the backward pass, and scratch space; sizes as in [`BufferSizes`].
pub(crate) struct ForwardCache<'a> {
    pub(crate) cached: &'a mut [f32],
    pub(crate) scratch: &'a mut [f32],
}

/// A layer's weights and what [`Layer::derive`] computed from them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) values: &'a [f32],
    /// Empty in inference.
    pub(crate) derived: &'a [f32],
}

/// What a backward pass reads and writes.
pub(crate) struct GradientIo<'a> {
    /// Empty (NaN in tests and debug builds) unless declared in [`Layer::backward_reads`].
    pub(crate) x: &'a [f32],
    /// The same, unless the derivative of the last activation reads it.
    pub(crate) y: &'a [f32],
    /// ∂E/∂y; a layer may overwrite it.
    pub(crate) dy: &'a mut [f32],
    /// ∂E/∂x; `None` if no earlier layer is trainable.
    pub(crate) dx: Option<&'a mut [f32]>,
}

/// The examples of one call of a layer, and the mode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchContext {
    /// Number of examples.
    pub(crate) rows: usize,
    /// Index of the first of them within the batch.
    pub(crate) first_row: usize,
    /// Training, in which layers such as dropout are random; otherwise inference.
    pub(crate) training: bool,
    /// Omit the last activation: forward returns net inputs h, and `dy` of backward is ∂E/∂h already. Set for a last
    /// layer whose activation the loss computes, and in backward where the next layer takes the derivative.
    pub(crate) skips_activation: bool,
    /// Key of the random numbers; differs by step and by layer.
    pub(crate) key: u64,
}

impl BatchContext {
    /// The activation that a layer applies, given its last one.
    pub(crate) fn activation(&self, last: Activation) -> Activation {
        if self.skips_activation { Activation::Linear } else { last }
    }
}

/// Largest size of one example between two layers, and of a tensor of weights.
pub(crate) const MAX_SIZE: usize = 1 << 31;

/// Product of the axes; saturates at the largest `usize`.
pub(crate) fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &axis| product.saturating_mul(axis))
}

/// Splits a layer's weights into its tensors.
pub(crate) fn split<const N: usize>(mut values: &[f32], lens: [usize; N]) -> [&[f32]; N] {
    lens.map(|len| {
        let (tensor, rest) = values.split_at(len);
        values = rest;
        tensor
    })
}

/// Splits the gradient of a layer's weights by tensor.
pub(crate) fn split_mut<const N: usize>(mut values: &mut [f32], lens: [usize; N]) -> [&mut [f32]; N] {
    lens.map(|len| {
        let (tensor, rest) = std::mem::take(&mut values).split_at_mut(len);
        values = rest;
        tensor
    })
}

/// The three gates of one example, each as long.
#[inline(always)]
fn thirds(row: &[f32]) -> [&[f32]; 3] {
    let (a, rest) = row.split_at(row.len() / 3);
    let [b, c] = halves(rest);
    [a, b, c]
}

/// The four gates of one example, each as long.
#[inline(always)]
fn quarters(row: &[f32]) -> [&[f32]; 4] {
    let (first, second) = row.split_at(row.len() / 2);
    let ([a, b], [c, d]) = (halves(first), halves(second));
    [a, b, c, d]
}

/// [`quarters`], mutable.
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
