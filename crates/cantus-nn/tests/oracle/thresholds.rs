//! Where the engine takes another way by size, and on which sides of each such place a network falls.
//!
//! The numbers here repeat constants of the engine, by the names that stand beside them.

use cantus_nn::LayerSpec;

use super::convolution::Windows;
use super::generate::Plan;

/// A size at which the engine's way changes.
pub struct Threshold {
    /// The question that has both answers among the networks.
    pub question: &'static str,
    /// Where the engine asks it.
    pub source: &'static str,
    /// Whether a network has a place where the answer is no, and one where it is yes.
    pub sides: fn(&Sizes) -> [bool; 2],
}

/// A layer, where it stands.
pub struct Place {
    spec: LayerSpec,
    input: Vec<usize>,
    output: Vec<usize>,
    /// Whether it is a layer of the network itself, and not one in a block.
    is_outer: bool,
    /// How many rows of an example go through it as examples of their own.
    repeats: usize,
    /// Whether anything before it is trained.
    hands_on: bool,
}

/// Layers between two places where all examples of a batch have to wait for each other.
struct Stage {
    /// How many examples go through together.
    group: usize,
    is_last: bool,
    /// Whether max pooling follows an activation whose derivative can be taken at its output.
    pools_an_activation: bool,
}

/// What of a network decides which way the engine takes.
pub struct Sizes {
    places: Vec<Place>,
    stages: Vec<Stage>,
    batch: usize,
    n_examples: usize,
    many_rows: bool,
    /// How many examples a thread takes at a time.
    lane_rows: usize,
}

/// `MANY_WEIGHTS` of `layer/dense.rs`.
const MANY_WEIGHTS: usize = 65_536;
/// `CACHED` of `fit/plan.rs` and `inference.rs`, `CHUNK` of `layer/recurrence.rs`.
const CACHED: usize = 65_536;

/// All of them.
pub const ALL: &[Threshold] = &[
    Threshold {
        question: "a group of examples is smaller than a lane",
        source: "`CACHED` in fit/plan.rs",
        sides: |sizes| sides(sizes.stages.iter().map(|stage| stage.group < sizes.lane_rows)),
    },
    Threshold {
        question: "… where max pooling follows an activation and the way back comes later",
        source: "`CACHED` in fit/plan.rs",
        sides: |sizes| {
            let apart = sizes.stages.iter().filter(|stage| !stage.is_last && stage.pools_an_activation);
            sides(apart.map(|stage| stage.group < sizes.lane_rows))
        },
    },
    Threshold {
        question: "a batch fills two lanes of the usual height",
        source: "`lane_rows` in fit/plan.rs",
        sides: |sizes| sides([sizes.batch >= 2 * sizes.usual_rows()]),
    },
    Threshold {
        question: "a batch fills more than 32 lanes of the usual height",
        source: "`lane_rows` in fit/plan.rs",
        sides: |sizes| sides([sizes.batch > 32 * sizes.usual_rows()]),
    },
    Threshold {
        question: "a lane has the height that recurrent layers want",
        source: "`wants_many_rows` in fit/plan.rs",
        sides: |sizes| sides([sizes.many_rows]),
    },
    Threshold {
        question: "a Dense layer has so many weights that its columns are shared",
        source: "`MANY_WEIGHTS` in layer/dense.rs",
        sides: |sizes| sides(sizes.places.iter().filter(|at| at.is_dense()).map(Place::shares_columns)),
    },
    Threshold {
        question: "… and more than one panel of columns",
        source: "`WIDTH` in fit/columns.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_out() > 64)),
    },
    Threshold {
        question: "… and a last panel that is not full",
        source: "`WIDTH` in fit/columns.rs",
        sides: |sizes| sides(sizes.shared().map(|at| !at.width_out().is_multiple_of(64))),
    },
    Threshold {
        question: "… and more than one tile of inputs",
        source: "`TILE` in fit/columns.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_in() > 64)),
    },
    Threshold {
        question: "a tensor is updated in more than one tile",
        source: "`TILE` in fit/block.rs",
        sides: |sizes| {
            let others = sizes.places.iter().filter(|at| !at.shares_columns());
            sides(others.filter_map(Place::n_weights).map(|n| n > 2048))
        },
    },
    Threshold {
        question: "a Dense layer is worth sharing for one answer",
        source: "`WORTH_SHARING` in layer/dense.rs",
        sides: |sizes| sides(sizes.dense_vectors().map(|at| at.width_in() * at.width_out() >= 16_384)),
    },
    Threshold {
        question: "… and has fewer inputs than parts of eight",
        source: "`PARTS` in layer/dense.rs",
        sides: |sizes| {
            let shared = sizes.dense_vectors().filter(|at| at.width_in() * at.width_out() >= 16_384);
            sides(shared.map(|at| at.width_in() <= 24))
        },
    },
    Threshold {
        question: "a single row is multiplied with a matrix too large for the cache",
        source: "`NEAR` in matmul.rs",
        sides: |sizes| {
            let part = |at: &Place| at.width_in().div_ceil(4).next_multiple_of(8) * at.width_out() > 32_768;
            sides(sizes.dense_vectors().map(part))
        },
    },
    Threshold {
        question: "a single row is multiplied with at least 16 columns",
        source: "`row_times_matrix` in matmul.rs",
        sides: |sizes| sides(sizes.dense_vectors().map(|at| at.width_out() >= 16)),
    },
    Threshold {
        question: "a layer of one output hands the gradient of a single row to 16 inputs or more",
        source: "`row_times_matrix` in matmul.rs",
        sides: |sizes| {
            let single = sizes.has_single_rows();
            sides(
                sizes
                    .dense_vectors()
                    .filter(|at| at.hands_on && at.width_out() == 1)
                    .map(|at| single && at.width_in() >= 16),
            )
        },
    },
    Threshold {
        question: "a window's row is long enough not to be copied",
        source: "`SHORT` in layer/conv2d/mod.rs",
        sides: |sizes| sides(sizes.convolutions().map(|conv| conv.row_len >= 24)),
    },
    Threshold {
        question: "a copied row has more than 4 numbers",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 4)),
    },
    Threshold {
        question: "… more than 8",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 8)),
    },
    Threshold {
        question: "… more than 16",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 16)),
    },
    Threshold {
        question: "of rows that are not copied, more lie below each other than beside each other",
        source: "`products` in layer/conv2d/product.rs",
        sides: |sizes| {
            sides(
                sizes
                    .convolutions()
                    .filter(|conv| conv.row_len >= 24)
                    .map(|conv| conv.down.n >= conv.right.n),
            )
        },
    },
    Threshold {
        question: "a window that is not copied is as wide as the image",
        source: "`products` in layer/conv2d/product.rs",
        sides: |sizes| {
            let long = sizes.convolutions().filter(|conv| conv.row_len >= 24);
            sides(long.map(|conv| conv.right.size >= conv.right.len))
        },
    },
    Threshold {
        question: "a convolution is worth sharing for one answer",
        source: "`WORTH_SHARING` and `LEAST_BAND` in layer/conv2d/mod.rs",
        sides: |sizes| {
            let outer = sizes.convolutions().filter(|conv| conv.is_outer);
            sides(outer.map(|conv| conv.down.n > 8 && conv.n_products >= 1 << 18))
        },
    },
    Threshold {
        question: "max pooling has at least 16 channels",
        source: "`LANES` in layer/max_pool2d.rs",
        sides: |sizes| sides(sizes.pooled_channels().map(|channels| channels >= 16)),
    },
    Threshold {
        question: "… and some beyond a multiple of 16",
        source: "`LANES` in layer/max_pool2d.rs",
        sides: |sizes| {
            let many = sizes.pooled_channels().filter(|&channels| channels >= 16);
            sides(many.map(|channels| !channels.is_multiple_of(16)))
        },
    },
    Threshold {
        question: "a sequence takes more than one chunk of steps",
        source: "`CHUNK` in layer/recurrence.rs",
        sides: |sizes| sides(sizes.places.iter().filter_map(|at| at.takes_chunks(sizes.lane_rows))),
    },
    Threshold {
        question: "the units of a recurrent layer take more than one part for one answer",
        source: "`PART` in layer/one_sequence.rs",
        sides: |sizes| {
            let outer = sizes.places.iter().filter(|at| at.is_outer);
            sides(outer.filter_map(|at| Some(recurrent(&at.spec)?.1 > 32)))
        },
    },
    Threshold {
        question: "the gradient of a bias is the sum of at least four rows in a lane",
        source: "`add_rows` in elementwise.rs",
        sides: |sizes| {
            sides(sizes.places.iter().filter_map(|at| at.bias_rows(sizes.lane_rows)).map(|n| n >= 4))
        },
    },
    Threshold {
        question: "random features have more than one group of inputs",
        source: "`places` in layer/random_fourier_features.rs",
        sides: |sizes| {
            let groups = sizes.places.iter().filter_map(|at| match &at.spec {
                LayerSpec::RandomFourierFeatures(features) => Some(features.groups.len()),
                _ => None,
            });
            sides(groups.map(|groups| groups > 1))
        },
    },
    Threshold {
        question: "statistics are taken of differences too",
        source: "`differences` in layer/statistics_pooling.rs",
        sides: |sizes| {
            let scales = sizes.places.iter().filter_map(|at| match &at.spec {
                LayerSpec::StatisticsPooling1D(pooling) => Some(pooling.scales.len()),
                _ => None,
            });
            sides(scales.map(|scales| scales > 0))
        },
    },
    Threshold {
        question: "fewer examples than there are go through the layers together for an answer",
        source: "`CACHED` in inference.rs",
        sides: |sizes| {
            let group = if sizes.many_rows { 32 } else { (CACHED / sizes.largest()).clamp(1, 32) };
            sides([group < sizes.n_examples.min(32)])
        },
    },
    Threshold {
        question: "answers take more than one block of examples",
        source: "`BLOCK` in inference.rs",
        sides: |sizes| sides([sizes.n_examples > 32]),
    },
    Threshold {
        question: "a penalty is summed over more than 16 weights",
        source: "`sums` in regularizer.rs",
        sides: |sizes| sides(sizes.places.iter().filter_map(Place::penalised).map(|n| n > 16)),
    },
    Threshold {
        question: "the last batch of an epoch is smaller",
        source: "`run_epoch` in fit/mod.rs",
        sides: |sizes| sides([!sizes.n_examples.is_multiple_of(sizes.batch)]),
    },
    Threshold {
        question: "… and has one example alone",
        source: "`run_epoch` in fit/mod.rs",
        sides: |sizes| {
            let rest = sizes.n_examples % sizes.batch;
            sides((rest > 0).then_some(rest == 1))
        },
    },
];

/// Whether there is a no, and whether there is a yes.
fn sides(answers: impl IntoIterator<Item = bool>) -> [bool; 2] {
    answers.into_iter().fold([false; 2], |[no, yes], answer| [no || !answer, yes || answer])
}

/// Gates and units of a recurrent layer.
fn recurrent(spec: &LayerSpec) -> Option<(usize, usize)> {
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
struct Conv {
    down: Windows,
    right: Windows,
    row_len: usize,
    n_products: usize,
    is_outer: bool,
}

impl Place {
    fn width_in(&self) -> usize {
        self.input[self.input.len() - 1]
    }

    fn width_out(&self) -> usize {
        self.output[self.output.len() - 1]
    }

    fn is_dense(&self) -> bool {
        matches!(self.spec, LayerSpec::Dense(_))
    }

    fn is_vector(&self) -> bool {
        self.input[..self.input.len() - 1].iter().all(|&axis| axis == 1)
    }

    fn shares_columns(&self) -> bool {
        self.is_dense()
            && self.is_outer
            && self.is_vector()
            && self.width_in() * self.width_out() >= MANY_WEIGHTS
    }

    /// Of its kernel.
    fn n_weights(&self) -> Option<usize> {
        match &self.spec {
            LayerSpec::Dense(_) => Some(self.width_in() * self.width_out()),
            LayerSpec::Conv2D(conv) => {
                Some(conv.kernel_size.iter().product::<usize>() * self.width_in() * conv.filters)
            }
            other => recurrent(other).map(|(gates, units)| self.width_in() * gates * units),
        }
    }

    fn penalised(&self) -> Option<usize> {
        let regularizer = match &self.spec {
            LayerSpec::Dense(dense) => dense.kernel_regularizer,
            LayerSpec::Conv2D(conv) => conv.kernel_regularizer,
            LayerSpec::Lstm(lstm) => lstm.kernel_regularizer,
            _ => None,
        };
        regularizer.and_then(|_| self.n_weights())
    }

    fn conv(&self) -> Option<Conv> {
        let LayerSpec::Conv2D(conv) = &self.spec else { return None };
        let [down, right] = [0, 1].map(|axis| {
            Windows::new(self.input[axis], conv.kernel_size[axis], conv.strides[axis], conv.padding)
        });
        let row_len = right.size * self.width_in();
        let n_products = down.n * right.n * down.size * row_len * conv.filters;
        Some(Conv { down, right, row_len, n_products, is_outer: self.is_outer })
    }

    /// Whether a recurrent layer goes through more than one chunk of steps.
    fn takes_chunks(&self, lane_rows: usize) -> Option<bool> {
        let (gates, units) = recurrent(&self.spec)?;
        let chunk = (CACHED / (lane_rows * self.repeats * gates * units)).max(1);
        Some(self.input[0] > chunk)
    }

    /// Of how many rows the gradient of a bias is the sum.
    fn bias_rows(&self, lane_rows: usize) -> Option<usize> {
        let has_bias = self.is_dense() || matches!(self.spec, LayerSpec::Conv2D(_));
        let positions = self.output.iter().product::<usize>() / self.width_out();
        (has_bias && !self.shares_columns()).then_some(lane_rows * self.repeats * positions)
    }

    fn wants_many_rows(&self) -> bool {
        recurrent(&self.spec).is_some() || matches!(self.spec, LayerSpec::RandomFourierFeatures(_))
    }
}

impl Sizes {
    pub fn new(plan: &Plan) -> Self {
        let mut places = Vec::new();
        let mut shape = plan.architecture.input_shape.clone();
        let mut hands_on = false;
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for layer in &plan.architecture.layers {
            begins.push(places.len());
            shape = add_places(layer, &shape, (true, 1, hands_on), &mut places);
            ends.push(places.len());
            hands_on = hands_on || places[begins[begins.len() - 1]..].iter().any(|at| is_trained(&at.spec));
        }
        let many_rows = places.iter().any(Place::wants_many_rows);
        let usual = if many_rows { 16 } else { 8 };
        let batch = plan.batch.min(plan.n_examples);
        let lane_rows = if batch >= 2 * usual { usual.max(batch.div_ceil(32)) } else { batch.div_ceil(2) };
        let outer: Vec<&[Place]> = begins.iter().zip(&ends).map(|(&from, &to)| &places[from..to]).collect();
        let stages = stages(&outer, lane_rows);
        Self { stages, batch, n_examples: plan.n_examples, many_rows, lane_rows, places }
    }

    /// How many rows make an efficient product.
    fn usual_rows(&self) -> usize {
        if self.many_rows { 16 } else { 8 }
    }

    /// Whether some lane of some batch has one example.
    fn has_single_rows(&self) -> bool {
        [self.batch, self.n_examples % self.batch]
            .iter()
            .any(|rows| rows % self.lane_rows == 1 || self.lane_rows == 1)
    }

    /// The most numbers that an example has after a layer.
    fn largest(&self) -> usize {
        let outer = self.places.iter().filter(|at| at.is_outer);
        outer.map(|at| at.output.iter().product()).max().unwrap_or(1)
    }

    fn shared(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|at| at.shares_columns())
    }

    fn dense_vectors(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|at| at.is_dense() && at.is_outer && at.is_vector())
    }

    fn convolutions(&self) -> impl Iterator<Item = Conv> {
        self.places.iter().filter_map(Place::conv)
    }

    fn copied(&self) -> impl Iterator<Item = Conv> {
        self.convolutions().filter(|conv| conv.row_len < 24)
    }

    fn pooled_channels(&self) -> impl Iterator<Item = usize> {
        let pools = self.places.iter().filter(|at| matches!(at.spec, LayerSpec::MaxPool2D(_)));
        pools.map(Place::width_in)
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
fn add_places(
    spec: &LayerSpec,
    input: &[usize],
    (is_outer, repeats, hands_on): (bool, usize, bool),
    places: &mut Vec<Place>,
) -> Vec<usize> {
    let output = spec.output_shape(input).unwrap();
    let (spec, input) = (spec.clone(), input.to_vec());
    places.push(Place {
        spec: spec.clone(),
        input: input.clone(),
        output: output.clone(),
        is_outer,
        repeats,
        hands_on,
    });
    match &spec {
        LayerSpec::Bidirectional(both) => {
            add_places(&both.layer, &input, (false, repeats, hands_on), places);
        }
        LayerSpec::TimeDistributed(each) => {
            add_places(&each.layer, &input[1..], (false, repeats * input[0], hands_on), places);
        }
        LayerSpec::Residual(block) => {
            let mut shape = input;
            for layer in &block.layers {
                shape = add_places(layer, &shape, (false, repeats, true), places);
            }
        }
        _ => {}
    }
    output
}

/// Cuts a network where its examples meet: at batch normalisation, and at layers whose columns are shared.
fn stages(outer: &[&[Place]], lane_rows: usize) -> Vec<Stage> {
    let meets = |layer: &&[Place]| {
        matches!(layer[0].spec, LayerSpec::BatchNormalization(_)) || layer[0].shares_columns()
    };
    let mut cuts: Vec<usize> = (0..outer.len()).filter(|&i| meets(&outer[i])).collect();
    cuts.push(outer.len());
    let (mut all, mut start) = (Vec::new(), 0);
    for (n, &cut) in cuts.iter().enumerate() {
        // The layer where the stage begins computes in it too.
        let head = if n == 0 { 0 } else { cuts[n - 1] };
        let layers = &outer[head..cut];
        let largest = layers.iter().map(|layer| layer[0].output.iter().product()).max().unwrap_or(1);
        let many = layers.iter().flat_map(|layer| layer.iter()).any(Place::wants_many_rows);
        let group = if many { lane_rows } else { (CACHED / largest.max(1)).clamp(1, lane_rows) };
        let of_stage: Vec<&Place> =
            outer[start..cut].iter().map(|layer| &layer[0]).filter(|at| !is_view(&at.spec)).collect();
        let pools_an_activation = of_stage
            .windows(2)
            .any(|pair| matches!(pair[1].spec, LayerSpec::MaxPool2D(_)) && ends_in_activation(&pair[0].spec));
        all.push(Stage { group, is_last: cut == outer.len(), pools_an_activation });
        start = cut + 1;
    }
    all
}

/// Whether the derivative of a layer's last activation follows from its output.
fn ends_in_activation(spec: &LayerSpec) -> bool {
    use cantus_nn::Activation;
    let activation = match spec {
        LayerSpec::Activation(layer) => layer.activation,
        LayerSpec::Conv2D(layer) => layer.activation,
        LayerSpec::Dense(layer) => layer.activation,
        _ => return false,
    };
    !matches!(activation, Activation::Linear | Activation::Gelu | Activation::Silu | Activation::Softmax)
}
