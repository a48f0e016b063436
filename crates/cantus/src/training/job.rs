//! The inputs of a training: data, split, recipe and seed.

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec};

use super::memory::DEFAULT_MEMORY;
use super::{StartingModel, TrainOptions};
use crate::Recipe;

/// Inputs of a training: data, split, recipe and seed.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// A split by group keeps the groups of its tracks in one part.
    pub(crate) store: &'a FeatureStore,
    /// As returned by [`adapted`](super::adapted).
    pub(crate) recipe: &'a Recipe,
    pub(crate) split: SegmentSplit,
    pub(crate) spec: SplitSpec,
    pub(crate) data_sha256: String,
    pub(crate) seed: u64,
    /// 0 for one per core.
    pub(crate) n_threads: usize,
    /// Bytes for features.
    pub(crate) memory: u64,
    /// The model that it starts from.
    pub(crate) start: Option<&'a StartingModel>,
}

impl<'a> Job<'a> {
    /// The training of a recipe, already [`adapted`](super::adapted), on one split of a store.
    pub(crate) fn new(
        store: &'a FeatureStore,
        recipe: &'a Recipe,
        split: SegmentSplit,
        options: &TrainOptions<'a>,
        data_sha256: String,
    ) -> Self {
        let TrainOptions { split: spec, seed, n_threads, memory, start, .. } = options;
        let (spec, seed, n_threads) = (spec.clone(), *seed, *n_threads);
        let memory = memory.unwrap_or(DEFAULT_MEMORY);
        Self { store, recipe, split, spec, data_sha256, seed, n_threads, memory, start: *start }
    }
}
