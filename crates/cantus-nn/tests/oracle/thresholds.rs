//! Where the engine takes another way by size, and on which sides of each such place a network falls.
//!
//! The numbers here repeat constants of the engine, by the names that stand beside them.

use cantus_nn::LayerSpec;

use super::sizes::{CACHED, Place, Sizes, recurrent};

/// A size at which the engine's way changes.
pub struct Threshold {
    /// The question that has both answers among the networks.
    pub question: &'static str,
    /// Where the engine asks it.
    pub source: &'static str,
    /// Whether a network has a place where the answer is no, and one where it is yes.
    pub sides: fn(&Sizes) -> [bool; 2],
}

/// All of them.
pub const ALL: &[Threshold] = &[
    Threshold {
        question: "a group of examples is smaller than a shard",
        source: "`CACHED` in train/plan.rs",
        sides: |sizes| sides(sizes.stages.iter().map(|stage| stage.group < sizes.shard_rows)),
    },
    Threshold {
        question: "… where max pooling follows an activation and the way back comes later",
        source: "`CACHED` in train/plan.rs",
        sides: |sizes| {
            let apart = sizes.stages.iter().filter(|stage| !stage.is_last && stage.pools_an_activation);
            sides(apart.map(|stage| stage.group < sizes.shard_rows))
        },
    },
    Threshold {
        question: "a batch fills two shards of the usual height",
        source: "`shard_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.batch >= 2 * sizes.usual_rows()]),
    },
    Threshold {
        question: "a batch fills more than 32 shards of the usual height",
        source: "`shard_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.batch > 32 * sizes.usual_rows()]),
    },
    Threshold {
        question: "a shard has the height that recurrent layers want",
        source: "`prefers_many_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.many_rows]),
    },
    Threshold {
        question: "a Dense layer has so many weights that its columns are shared",
        source: "`MANY_WEIGHTS` in layer/dense.rs",
        sides: |sizes| sides(sizes.places.iter().filter(|at| at.is_dense()).map(Place::shares_columns)),
    },
    Threshold {
        question: "… and more than one panel of columns",
        source: "`WIDTH` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_out() > 64)),
    },
    Threshold {
        question: "… and a last panel that is not full",
        source: "`WIDTH` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| !at.width_out().is_multiple_of(64))),
    },
    Threshold {
        question: "… and more than one tile of inputs",
        source: "`TILE` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_in() > 64)),
    },
    Threshold {
        question: "a tensor is updated in more than one tile",
        source: "`TILE` in train/parameter_block.rs",
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
                    .filter(|at| at.propagates && at.width_out() == 1)
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
        sides: |sizes| sides(sizes.places.iter().filter_map(|at| at.takes_chunks(sizes.shard_rows))),
    },
    Threshold {
        question: "the units of a recurrent layer take more than one part for one answer",
        source: "`UNITS` in layer/single_example.rs",
        sides: |sizes| {
            let outer = sizes.places.iter().filter(|at| at.is_outer);
            sides(outer.filter_map(|at| Some(recurrent(&at.spec)?.1 > 32)))
        },
    },
    Threshold {
        question: "the gradient of a bias is the sum of at least four rows in a shard",
        source: "`add_rows` in elementwise.rs",
        sides: |sizes| {
            sides(sizes.places.iter().filter_map(|at| at.bias_rows(sizes.shard_rows)).map(|n| n >= 4))
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
        source: "`run_epoch` in train/fit.rs",
        sides: |sizes| sides([!sizes.n_examples.is_multiple_of(sizes.batch)]),
    },
    Threshold {
        question: "… and has one example alone",
        source: "`run_epoch` in train/fit.rs",
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
