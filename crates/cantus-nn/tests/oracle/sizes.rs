//! The sizes of a network that decide the engine's branches, and its batch reductions.
//!
//! The numbers repeat constants of the engine, which are named in the comments.

use cantus_nn::{Activation, LayerSpec};

use super::convolution::Windows;
use super::plan::Plan;

/// A layer with its shapes.
pub struct PlacedLayer {
    pub spec: LayerSpec,
    pub input: Vec<usize>,
    pub output: Vec<usize>,
    /// Whether it is a layer of the network itself, and not one in a block.
    pub is_outer: bool,
    /// How many rows of an example go through it as examples of their own.
    pub repeats: usize,
    /// Whether anything before it is trained.
    pub propagates: bool,
}

/// Layers between two layers where all examples of a batch have to wait for each other.
pub struct Stage {
    /// Examples that go through at once.
    pub micro_batch: usize,
    pub is_last: bool,
    /// Whether max pooling follows an activation whose derivative can be taken at its output.
    pub pools_an_activation: bool,
}

/// The sizes that decide the engine's branches.
pub struct Sizes {
    pub layers: Vec<PlacedLayer>,
    pub stages: Vec<Stage>,
    pub batch: usize,
    pub n_examples: usize,
    pub many_rows: bool,
    /// Examples of a shard.
    pub shard_rows: usize,
}

/// `MANY_WEIGHTS` of `layer/dense.rs`.
const MANY_WEIGHTS: usize = 65_536;
/// `CACHED` of `train/plan.rs` and `inference.rs`, `CHUNK` of `layer/recurrence.rs`.
pub const CACHED: usize = 65_536;
/// Rows of a shard in a batch of two shards or more.
pub const USUAL_ROWS: usize = 8;

/// Gates and units of a recurrent layer.
pub fn recurrent(spec: &LayerSpec) -> Option<(usize, usize)> {
    match spec {
        LayerSpec::Lstm(lstm) => Some((4, lstm.units)),
        LayerSpec::MultiTimescaleLstm(lstm) => Some((4, lstm.units * lstm.time_scales.len())),
        // Three gates, and a number beside them.
        LayerSpec::Gru(gru) => Some((4, gru.units)),
        LayerSpec::SimpleRnn(rnn) => Some((1, rnn.units)),
        _ => None,
    }
}

/// A convolution's sizes.
pub struct Conv {
    pub down: Windows,
    pub right: Windows,
    pub row_len: usize,
}

impl PlacedLayer {
    pub fn width_in(&self) -> usize {
        self.input[self.input.len() - 1]
    }

    pub fn width_out(&self) -> usize {
        self.output[self.output.len() - 1]
    }

    pub fn is_dense(&self) -> bool {
        matches!(self.spec, LayerSpec::Dense(_))
    }

    pub fn is_vector(&self) -> bool {
        self.input[..self.input.len() - 1].iter().all(|&axis| axis == 1)
    }

    pub fn is_column_parallel(&self) -> bool {
        self.is_dense()
            && self.is_outer
            && self.is_vector()
            && self.width_in() * self.width_out() >= MANY_WEIGHTS
    }

    /// Of its kernel.
    pub fn n_weights(&self) -> Option<usize> {
        match &self.spec {
            LayerSpec::Dense(_) => Some(self.width_in() * self.width_out()),
            LayerSpec::Conv2D(conv) => {
                Some(conv.kernel_size.iter().product::<usize>() * self.width_in() * conv.filters)
            }
            other => recurrent(other).map(|(gates, units)| self.width_in() * gates * units),
        }
    }

    pub fn penalised(&self) -> Option<usize> {
        let regularizer = match &self.spec {
            LayerSpec::Dense(dense) => dense.kernel_regularizer,
            LayerSpec::Conv2D(conv) => conv.kernel_regularizer,
            LayerSpec::Lstm(lstm) => lstm.kernel_regularizer,
            _ => None,
        };
        regularizer.and_then(|_| self.n_weights())
    }

    pub fn conv(&self) -> Option<Conv> {
        let LayerSpec::Conv2D(conv) = &self.spec else { return None };
        let [down, right] = [0, 1].map(|axis| {
            Windows::new(self.input[axis], conv.kernel_size[axis], conv.strides[axis], conv.padding)
        });
        let row_len = right.size * self.width_in();
        Some(Conv { down, right, row_len })
    }

    /// Whether a recurrent layer goes through more than one chunk of steps.
    pub fn is_chunked(&self, shard_rows: usize) -> Option<bool> {
        let (gates, units) = recurrent(&self.spec)?;
        let chunk = (CACHED / (shard_rows * self.repeats * gates * units)).max(1);
        Some(self.input[0] > chunk)
    }

    /// Of how many rows the gradient of a bias is the sum.
    pub fn bias_rows(&self, shard_rows: usize) -> Option<usize> {
        let has_bias = self.is_dense() || matches!(self.spec, LayerSpec::Conv2D(_));
        let positions = self.output.iter().product::<usize>() / self.width_out();
        (has_bias && !self.is_column_parallel()).then_some(shard_rows * self.repeats * positions)
    }

    pub fn prefers_many_rows(&self) -> bool {
        recurrent(&self.spec).is_some() || matches!(self.spec, LayerSpec::RandomFourierFeatures(_))
    }
}

impl Sizes {
    pub fn new(plan: &Plan) -> Self {
        let mut layers = Vec::new();
        let mut shape = plan.architecture.input_shape.clone();
        let mut propagates = false;
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for layer in &plan.architecture.layers {
            begins.push(layers.len());
            shape = add_layers(layer, &shape, (true, 1, propagates), &mut layers);
            ends.push(layers.len());
            propagates =
                propagates || layers[begins[begins.len() - 1]..].iter().any(|at| is_trained(&at.spec));
        }
        let many_rows = layers.iter().any(PlacedLayer::prefers_many_rows);
        let batch = plan.batch.min(plan.n_examples);
        let shard_rows =
            if batch >= 2 * USUAL_ROWS { USUAL_ROWS.max(batch.div_ceil(32)) } else { batch.div_ceil(2) };
        let outer: Vec<&[PlacedLayer]> =
            begins.iter().zip(&ends).map(|(&from, &to)| &layers[from..to]).collect();
        let stages = stages(&outer, shard_rows);
        Self { stages, batch, n_examples: plan.n_examples, many_rows, shard_rows, layers }
    }

    /// Whether some shard of some batch has one example.
    pub fn has_single_rows(&self) -> bool {
        [self.batch, self.n_examples % self.batch]
            .iter()
            .any(|rows| rows % self.shard_rows == 1 || self.shard_rows == 1)
    }

    /// The most numbers that an example has after a layer.
    pub fn largest(&self) -> usize {
        let outer = self.layers.iter().filter(|at| at.is_outer);
        outer.map(|at| at.output.iter().product()).max().unwrap_or(1)
    }

    pub fn shared(&self) -> impl Iterator<Item = &PlacedLayer> {
        self.layers.iter().filter(|at| at.is_column_parallel())
    }

    pub fn dense_vectors(&self) -> impl Iterator<Item = &PlacedLayer> {
        self.layers.iter().filter(|at| at.is_dense() && at.is_outer && at.is_vector())
    }

    pub fn convolutions(&self) -> impl Iterator<Item = Conv> {
        self.layers.iter().filter_map(PlacedLayer::conv)
    }

    pub fn copied(&self) -> impl Iterator<Item = Conv> {
        self.convolutions().filter(|conv| conv.row_len < 24)
    }

    pub fn pooled_channels(&self) -> impl Iterator<Item = usize> {
        let pools = self.layers.iter().filter(|at| matches!(at.spec, LayerSpec::MaxPool2D(_)));
        pools.map(PlacedLayer::width_in)
    }
}

fn is_trained(spec: &LayerSpec) -> bool {
    recurrent(spec).is_some()
        || matches!(
            spec,
            LayerSpec::Dense(_)
                | LayerSpec::Conv2D(_)
                | LayerSpec::BatchNormalization(_)
                | LayerSpec::LayerNormalization(_)
        )
}

fn is_view(spec: &LayerSpec) -> bool {
    matches!(spec, LayerSpec::Flatten(_) | LayerSpec::Reshape(_))
}

/// A layer and the layers in it, the outer one first.
fn add_layers(
    spec: &LayerSpec,
    input: &[usize],
    (is_outer, repeats, propagates): (bool, usize, bool),
    layers: &mut Vec<PlacedLayer>,
) -> Vec<usize> {
    let output = spec.output_shape(input).unwrap();
    let (spec, input) = (spec.clone(), input.to_vec());
    layers.push(PlacedLayer {
        spec: spec.clone(),
        input: input.clone(),
        output: output.clone(),
        is_outer,
        repeats,
        propagates,
    });
    match &spec {
        LayerSpec::Bidirectional(both) => {
            add_layers(&both.layer, &input, (false, repeats, propagates), layers);
        }
        LayerSpec::TimeDistributed(each) => {
            add_layers(&each.layer, &input[1..], (false, repeats * input[0], propagates), layers);
        }
        LayerSpec::Residual(block) => {
            let mut shape = input;
            for layer in &block.layers {
                shape = add_layers(layer, &shape, (false, repeats, true), layers);
            }
        }
        _ => {}
    }
    output
}

/// Splits a network at its batch reductions: batch normalisation and column-parallel layers.
fn stages(outer: &[&[PlacedLayer]], shard_rows: usize) -> Vec<Stage> {
    let reduces = |layer: &&[PlacedLayer]| {
        matches!(layer[0].spec, LayerSpec::BatchNormalization(_)) || layer[0].is_column_parallel()
    };
    let mut cuts: Vec<usize> = (0..outer.len()).filter(|&i| reduces(&outer[i])).collect();
    cuts.push(outer.len());
    let (mut all, mut start) = (Vec::new(), 0);
    for (n, &cut) in cuts.iter().enumerate() {
        // The layer where the stage begins computes in it too.
        let head = if n == 0 { 0 } else { cuts[n - 1] };
        let of_cut = &outer[head..cut];
        let largest = of_cut.iter().map(|layer| layer[0].output.iter().product()).max().unwrap_or(1);
        let many = of_cut.iter().flat_map(|layer| layer.iter()).any(PlacedLayer::prefers_many_rows);
        let micro_batch = if many { shard_rows } else { (CACHED / largest.max(1)).clamp(1, shard_rows) };
        let of_stage: Vec<&PlacedLayer> =
            outer[start..cut].iter().map(|layer| &layer[0]).filter(|at| !is_view(&at.spec)).collect();
        let pools_an_activation = of_stage
            .windows(2)
            .any(|pair| matches!(pair[1].spec, LayerSpec::MaxPool2D(_)) && ends_in_activation(&pair[0].spec));
        all.push(Stage { micro_batch, is_last: cut == outer.len(), pools_an_activation });
        start = cut + 1;
    }
    all
}

/// Whether the derivative of a layer's last activation follows from its output.
fn ends_in_activation(spec: &LayerSpec) -> bool {
    let activation = match spec {
        LayerSpec::Activation(layer) => layer.activation,
        LayerSpec::Conv2D(layer) => layer.activation,
        LayerSpec::Dense(layer) => layer.activation,
        _ => return false,
    };
    !matches!(activation, Activation::Linear | Activation::Gelu | Activation::Silu | Activation::Softmax)
}
