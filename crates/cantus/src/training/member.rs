//! A network that a training fits: the only one of a recipe, or one of an ensemble.

use std::ops::ControlFlow;

use cantus_dataset::spec_difference;
use cantus_nn::{History, Network, Progress};

use super::job::Job;
use super::memory::MemoryBudget;
use crate::augmentation::copies;
use crate::bin_selection::BinSelection;
use crate::class_balance::BalancedSampling;
use crate::noise::BackgroundExamples;
use crate::segment_dataset::{OnlineAugmentation, SegmentDataset};
use crate::{Error, Normalization, Recipe};

/// A network with its recipe and its part of the features.
pub(crate) struct Member<'a> {
    pub(crate) recipe: &'a Recipe,
    /// The bins of the store's features that it reads.
    bins: BinSelection,
    /// Seed of its weights, of the order of the examples, and of their augmentation.
    seed: u64,
    /// Segments of the training part, followed by those of its altered copies.
    pub(crate) train_indices: Vec<usize>,
    /// Weight of each label; empty if all are equal.
    class_weights: Vec<f32>,
    /// That of its bins.
    normalization: Normalization,
    pub(crate) network: Network,
}

impl<'a> Member<'a> {
    /// Checks that the recipe of a job's network fits the features and their altered copies.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn check(job: &Job<'_>, recipe: &Recipe) -> Result<(), Error> {
        let n_bins = bins(job, recipe).n_bins();
        if let Some(reason) = recipe.misfit(job.store.n_frames(), n_bins) {
            return Err(misfit(recipe, reason));
        }
        match copies::misfit(job.store, &recipe.augmentation.copy_spec()) {
            Some(reason) => Err(Error::MissingCopies { name: recipe.name.clone(), reason }),
            None => Ok(()),
        }
    }

    /// Builds the network number `index` of a job, whose recipe is [checked](Self::check), or takes its weights from the model that
    /// the training starts from.
    ///
    /// # Errors
    /// If the network cannot be built for the features.
    pub(crate) fn new(
        job: &Job<'a>,
        index: usize,
        background: Option<&BackgroundExamples>,
        normalization: &Normalization,
    ) -> Result<Self, Error> {
        let Job { store, split, .. } = job;
        let recipe = &job.recipe.networks()[index];
        let bins = bins(job, recipe);
        // The networks of an ensemble differ even if their recipes do not.
        let seed = job.seed.wrapping_add(index as u64);
        let architecture = recipe.architecture(store.n_frames(), bins.n_bins(), store.labels().len());
        let network = Network::new(&architecture, seed).map_err(|error| unbuilt(job, recipe, error))?;
        let mut member = Self {
            recipe,
            seed,
            train_indices: copies::with_copies(store, &split.train, recipe.augmentation.copies),
            class_weights: class_weights(job, recipe, background)?,
            normalization: bins.of_normalization(normalization),
            bins,
            network,
        };
        if let Some(start) = job.start {
            start.initialize(&mut member.network, store)?;
        }
        member.network.set_threads(job.n_threads);
        Ok(member)
    }

    /// Trains the network; resumes from a checkpoint if one is given.
    pub(crate) fn fit(
        &mut self,
        job: &Job<'_>,
        background: Option<&BackgroundExamples>,
        checkpoint: Option<&[u8]>,
        observe: &mut impl FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        let training = cantus_nn::Training {
            seed: self.seed,
            n_threads: job.n_threads,
            class_weights: self.class_weights.clone(),
            ..self.recipe.training.clone()
        };
        let crops = self.recipe.crops();
        let mut memory = MemoryBudget::new(job.memory);
        let mut part = |segments| {
            SegmentDataset::new(job.store, segments, &self.bins, &self.normalization, crops, &mut memory)
        };
        let (train, validation) = (part(&self.train_indices)?, part(&job.split.validation)?);
        let share = memory.share(2);
        let validation = validation.with_memory_for_outputs(share);
        let train = train.with_memory_for_outputs(share).with_background(background);
        let train = train.augmented(self.online_augmentation(job, background));
        let has_validation = !job.split.validation.is_empty();
        let validation_data = has_validation.then_some(&validation as &dyn cantus_nn::Examples);
        let mut failure = None;
        let observer = |progress: Progress<'_>| {
            failure = train.failure().or_else(|| validation.failure());
            if failure.is_some() { ControlFlow::Break(()) } else { observe(&progress) }
        };
        let history = match checkpoint {
            None => self.network.fit(&train, validation_data, &training, observer)?,
            Some(checkpoint) => {
                self.network.resume(&train, validation_data, &training, checkpoint, observer)?
            }
        };
        failure.map_or(Ok(history), |failure| Err(failure.into()))
    }

    /// The augmentation of the training examples.
    fn online_augmentation(
        &self,
        job: &Job<'_>,
        background: Option<&BackgroundExamples>,
    ) -> OnlineAugmentation {
        let Recipe { balanced_sampling, augmentation, .. } = self.recipe;
        let classes = || {
            let background = background.into_iter();
            let synthesised = background.flat_map(|background| vec![background.class; background.n_segments]);
            self.train_indices.iter().map(|&segment| job.store.label_of(segment)).chain(synthesised)
        };
        OnlineAugmentation {
            seed: self.seed,
            spec_augment: augmentation.spec_augment,
            mixup: augmentation.mixup,
            balanced: balanced_sampling.then(|| BalancedSampling::new(classes())),
        }
    }
}

/// The bins of the store's features that the network of a recipe reads.
fn bins(job: &Job<'_>, recipe: &Recipe) -> BinSelection {
    match job.recipe.is_ensemble() {
        true => BinSelection::new(job.store.spec(), &recipe.features.kinds),
        false => BinSelection::all(job.store.n_bins()),
    }
}

/// Weight of each label, from its number of segments in the training part, synthesised ones included.
fn class_weights(
    job: &Job<'_>,
    recipe: &Recipe,
    background: Option<&BackgroundExamples>,
) -> Result<Vec<f32>, Error> {
    let Recipe { class_weight, training, .. } = recipe;
    let Some(class_weight) = class_weight else { return Ok(training.class_weights.clone()) };
    let mut counts = vec![0; job.store.labels().len()];
    for &segment in &job.split.train {
        job.store.labels_of(segment).iter().for_each(|&label| counts[label] += 1);
    }
    if let Some(background) = background {
        counts[background.class] += background.n_segments;
    }
    class_weight.weights(job.store.labels(), &counts).map_err(|reason| misfit(recipe, reason))
}

fn misfit(recipe: &Recipe, reason: String) -> Error {
    Error::RecipeMisfit { name: recipe.name.clone(), reason }
}

/// The error of a network that could not be built; names the difference if the features are not the recipe's.
fn unbuilt(job: &Job<'_>, recipe: &Recipe, source: cantus_nn::Error) -> Error {
    match spec_difference(job.store.spec(), &job.recipe.features) {
        None => misfit(recipe, source.to_string()),
        Some(difference) => {
            let (name, source) = (recipe.name.clone(), source.into());
            Error::OtherRecipeFeatures { name, source, difference }
        }
    }
}
