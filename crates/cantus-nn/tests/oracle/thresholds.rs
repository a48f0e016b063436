//! The size thresholds of the engine, and the side of each on which a network is.
//!
//! The numbers repeat constants of the engine, which are named in `source`.

use cantus_nn::LayerSpec;
use cantus_nn::layer::RandomFourierFeatures;

use super::sizes::{CACHED, PlacedLayer, Sizes, USUAL_ROWS, recurrent};

/// A size at which the engine takes another branch.
pub struct Threshold {
    /// The condition, true for some networks and false for others.
    pub condition: &'static str,
    /// Where the engine evaluates it.
    pub source: &'static str,
    /// Whether a network has a layer for which it is false, and one for which it is true.
    pub sides: fn(&Sizes) -> [bool; 2],
}

/// All of them.
pub const ALL: &[Threshold] = &[
    Threshold {
        condition: "a micro-batch is smaller than a shard",
        source: "`CACHED` in train/plan.rs",
        sides: |sizes| sides(sizes.stages.iter().map(|stage| stage.micro_batch < sizes.shard_rows)),
    },
    Threshold {
        condition: "… where max pooling follows an activation and its stage is not the last",
        source: "`CACHED` in train/plan.rs",
        sides: |sizes| {
            let apart = sizes.stages.iter().filter(|stage| !stage.is_last && stage.pools_an_activation);
            sides(apart.map(|stage| stage.micro_batch < sizes.shard_rows))
        },
    },
    Threshold {
        condition: "a batch fills two shards of the usual size",
        source: "`shard_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.batch >= 2 * USUAL_ROWS]),
    },
    Threshold {
        condition: "a batch fills more than 32 shards of the usual size",
        source: "`shard_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.batch > 32 * USUAL_ROWS]),
    },
    Threshold {
        condition: "a micro-batch is the whole shard, since a layer is recurrent",
        source: "`prefers_many_rows` in train/plan.rs",
        sides: |sizes| sides([sizes.many_rows]),
    },
    Threshold {
        condition: "a Dense layer is column-parallel",
        source: "`MANY_WEIGHTS` in layer/dense.rs",
        sides: |sizes| {
            sides(sizes.layers.iter().filter(|at| at.is_dense()).map(PlacedLayer::is_column_parallel))
        },
    },
    Threshold {
        condition: "… and more than one panel of columns",
        source: "`WIDTH` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_out() > 64)),
    },
    Threshold {
        condition: "… and a last panel that is not full",
        source: "`WIDTH` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| !at.width_out().is_multiple_of(64))),
    },
    Threshold {
        condition: "… and more than one tile of inputs",
        source: "`TILE` in train/column_parallel.rs",
        sides: |sizes| sides(sizes.shared().map(|at| at.width_in() > 64)),
    },
    Threshold {
        condition: "a tensor is updated in more than one tile",
        source: "`TILE` in train/parameter_block.rs",
        sides: |sizes| {
            let others = sizes.layers.iter().filter(|at| !at.is_column_parallel());
            sides(others.filter_map(PlacedLayer::n_weights).map(|n| n > 2048))
        },
    },
    Threshold {
        condition: "a Dense layer multiplies one example in parts",
        source: "`MIN_WEIGHTS_IN_PARTS` in layer/dense.rs",
        sides: |sizes| sides(sizes.dense_vectors().map(|at| at.width_in() * at.width_out() >= 16_384)),
    },
    Threshold {
        condition: "… and has fewer inputs than parts of eight",
        source: "`PARTS` in layer/dense.rs",
        sides: |sizes| {
            let shared = sizes.dense_vectors().filter(|at| at.width_in() * at.width_out() >= 16_384);
            sides(shared.map(|at| at.width_in() <= 24))
        },
    },
    Threshold {
        condition: "a single row is multiplied with a matrix too large for the cache",
        source: "`CACHED` in matmul.rs",
        sides: |sizes| {
            let part =
                |at: &PlacedLayer| at.width_in().div_ceil(4).next_multiple_of(8) * at.width_out() > 32_768;
            sides(sizes.dense_vectors().map(part))
        },
    },
    Threshold {
        condition: "a single row is multiplied with at least 16 columns",
        source: "`row_times_matrix` in matmul.rs",
        sides: |sizes| sides(sizes.dense_vectors().map(|at| at.width_out() >= 16)),
    },
    Threshold {
        condition: "a layer of one output propagates the gradient of a single row to 16 inputs or more",
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
        condition: "a window's row is long enough not to be copied",
        source: "`MIN_ROW` in layer/conv2d/mod.rs",
        sides: |sizes| sides(sizes.convolutions().map(|conv| conv.row_len >= 24)),
    },
    Threshold {
        condition: "a copied row has more than 4 numbers",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 4)),
    },
    Threshold {
        condition: "… more than 8",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 8)),
    },
    Threshold {
        condition: "… more than 16",
        source: "`copy_windows` in layer/conv2d/image.rs",
        sides: |sizes| sides(sizes.copied().map(|conv| conv.row_len > 16)),
    },
    Threshold {
        condition: "of rows that are not copied, more lie below each other than beside each other",
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
        condition: "a window that is not copied is as wide as the image",
        source: "`products` in layer/conv2d/product.rs",
        sides: |sizes| {
            let long = sizes.convolutions().filter(|conv| conv.row_len >= 24);
            sides(long.map(|conv| conv.right.size >= conv.right.len))
        },
    },
    Threshold {
        condition: "max pooling has at least 16 channels",
        source: "`LANES` in layer/max_pool2d.rs",
        sides: |sizes| sides(sizes.pooled_channels().map(|channels| channels >= 16)),
    },
    Threshold {
        condition: "… and some beyond a multiple of 16",
        source: "`LANES` in layer/max_pool2d.rs",
        sides: |sizes| {
            let many = sizes.pooled_channels().filter(|&channels| channels >= 16);
            sides(many.map(|channels| !channels.is_multiple_of(16)))
        },
    },
    Threshold {
        condition: "a sequence takes more than one chunk of steps",
        source: "`CHUNK` in layer/recurrence.rs",
        sides: |sizes| sides(sizes.layers.iter().filter_map(|at| at.is_chunked(sizes.shard_rows))),
    },
    Threshold {
        condition: "the units of a recurrent layer take more than one block for one example",
        source: "`UNITS` in layer/single_example.rs",
        sides: |sizes| {
            let outer = sizes.layers.iter().filter(|at| at.is_outer);
            sides(outer.filter_map(|at| Some(recurrent(&at.spec)?.1 > 32)))
        },
    },
    Threshold {
        condition: "the gradient of a bias is the sum of at least four rows in a shard",
        source: "`add_rows` in elementwise.rs",
        sides: |sizes| {
            sides(sizes.layers.iter().filter_map(|at| at.bias_rows(sizes.shard_rows)).map(|n| n >= 4))
        },
    },
    Threshold {
        condition: "random features have more than one group of inputs",
        source: "`groups` in layer/random_fourier_features/mod.rs",
        sides: |sizes| sides(random_features(sizes).map(|features| features.groups.len() > 1)),
    },
    Threshold {
        condition: "the groups of random features have kernels of their own, and so a tensor each",
        source: "`groups_of` in layer/random_fourier_features/groups.rs",
        sides: |sizes| {
            let is_mixed = |layer: &RandomFourierFeatures| layer.groups.iter().any(|g| g.kernel.is_some());
            sides(random_features(sizes).map(is_mixed))
        },
    },
    Threshold {
        condition: "statistics of differences are computed too",
        source: "`differences` in layer/statistics_pooling.rs",
        sides: |sizes| {
            let scales = sizes.layers.iter().filter_map(|at| match &at.spec {
                LayerSpec::StatisticsPooling1D(pooling) => Some(pooling.scales.len()),
                _ => None,
            });
            sides(scales.map(|scales| scales > 0))
        },
    },
    Threshold {
        condition: "a micro-batch of inference is smaller than the number of examples",
        source: "`CACHED` in inference.rs",
        sides: |sizes| {
            let micro_batch = if sizes.many_rows { 32 } else { (CACHED / sizes.largest()).clamp(1, 32) };
            sides([micro_batch < sizes.n_examples.min(32)])
        },
    },
    Threshold {
        condition: "inference takes more than one block of examples",
        source: "`BLOCK` in inference.rs",
        sides: |sizes| sides([sizes.n_examples > 32]),
    },
    Threshold {
        condition: "a penalty is summed over more than 16 weights",
        source: "`sums` in regularizer.rs",
        sides: |sizes| sides(sizes.layers.iter().filter_map(PlacedLayer::penalised).map(|n| n > 16)),
    },
    Threshold {
        condition: "the last batch of an epoch is smaller",
        source: "`run_epoch` in train/fit.rs",
        sides: |sizes| sides([!sizes.n_examples.is_multiple_of(sizes.batch)]),
    },
    Threshold {
        condition: "… and has one example alone",
        source: "`run_epoch` in train/fit.rs",
        sides: |sizes| {
            let rest = sizes.n_examples % sizes.batch;
            sides((rest > 0).then_some(rest == 1))
        },
    },
];

/// The layers of random features.
fn random_features(sizes: &Sizes) -> impl Iterator<Item = &RandomFourierFeatures> {
    sizes.layers.iter().filter_map(|at| match &at.spec {
        LayerSpec::RandomFourierFeatures(features) => Some(features),
        _ => None,
    })
}

/// Whether a value is false, and whether one is true.
fn sides(values: impl IntoIterator<Item = bool>) -> [bool; 2] {
    values.into_iter().fold([false; 2], |[no, yes], value| [no || !value, yes || value])
}
