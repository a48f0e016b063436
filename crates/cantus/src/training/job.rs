//! One training: checks its inputs, computes the normalisation, builds the network and fits it.

use std::ops::ControlFlow;
use std::time::Instant;

use cantus_dataset::{
    FeatureStore, Part, SegmentSplit, SplitSpec, Unit, duplicates_across_split, spec_difference,
};
use cantus_nn::{EpochEnd, History, Network, Progress};

use super::fingerprint::Fingerprinted;
use super::memory::{DEFAULT_MEMORY, MemoryBudget};
use super::{Stage, StartingModel, TrainEvent, TrainOptions, Trained, TrainingStart};
use crate::augmentation::copies;
use crate::class_balance::BalancedSampling;
use crate::model::Provenance;
use crate::noise::BackgroundExamples;
use crate::normalization::Normalizer;
use crate::predictions;
use crate::report::{SplitSummary, TrainingCurve};
use crate::segment_dataset::{OnlineAugmentation, SegmentDataset};
use crate::{Calibration, Error, Model, Normalization, Recipe};

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

/// A job whose normalisation is computed and whose network is built, before training.
pub(crate) struct Prepared<'a> {
    job: Job<'a>,
    /// Segments of the training part, followed by those of its altered copies.
    train_indices: Vec<usize>,
    /// Synthesised examples of the label `_background_`, if there is one.
    background: Option<BackgroundExamples>,
    /// Weight of each label; empty if all are equal.
    class_weights: Vec<f32>,
    normalization: Normalization,
    network: Network,
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

    /// Computes the normalisation and builds the network, or takes both from the model that the training starts from.
    ///
    /// # Errors
    /// If a part whose share is above 0 is empty, the store cannot be read, or recipe and features do not fit.
    pub(crate) fn prepare(self) -> Result<Prepared<'a>, Error> {
        let split = &self.split;
        for (part, segments, share) in [
            (Part::Train, &split.train, 1.0),
            (Part::Validation, &split.validation, self.spec.validation),
            (Part::Test, &split.test, self.spec.test),
        ] {
            if segments.is_empty() && share > 0.0 {
                return Err(Error::EmptyPart { part });
            }
        }
        let store = self.store;
        if self.spec.by == Unit::Segment && store.is_tagged() {
            return Err(Error::SegmentSplitOfTags);
        }
        let augmentation = &self.recipe.augmentation;
        if let Some(reason) = self.recipe.misfit(store.n_frames(), store.n_bins()) {
            return Err(self.misfit(reason));
        }
        if let Some(reason) = copies::misfit(store, &augmentation.copy_spec()) {
            return Err(Error::MissingCopies { name: self.recipe.name.clone(), reason });
        }
        let train_indices = copies::with_copies(store, &split.train, augmentation.copies);
        let background = BackgroundExamples::synthesize(store, split.train.len(), self.seed)?;
        let class_weights = self.class_weights(&split.train, background.as_ref())?;
        let normalization = self.compute_normalization(&split.train)?;
        let architecture = self.recipe.architecture(store.n_frames(), store.n_bins(), store.labels().len());
        let mut network = Network::new(&architecture, self.seed).map_err(|error| self.unbuilt(error))?;
        if let Some(start) = self.start {
            start.initialize(&mut network, store)?;
        }
        network.set_threads(self.n_threads);
        Ok(Prepared { job: self, train_indices, background, class_weights, normalization, network })
    }

    fn misfit(&self, reason: String) -> Error {
        Error::RecipeMisfit { name: self.recipe.name.clone(), reason }
    }

    /// The error of a network that could not be built; names the difference if the features are not the recipe's.
    fn unbuilt(&self, source: cantus_nn::Error) -> Error {
        match spec_difference(self.store.spec(), &self.recipe.features) {
            None => self.misfit(source.to_string()),
            Some(difference) => {
                let (name, source) = (self.recipe.name.clone(), source.into());
                Error::OtherRecipeFeatures { name, source, difference }
            }
        }
    }

    /// Weight of each label, from its number of segments in the training part, synthesised ones included.
    fn class_weights(
        &self,
        segments: &[usize],
        background: Option<&BackgroundExamples>,
    ) -> Result<Vec<f32>, Error> {
        let Recipe { class_weight, training, .. } = self.recipe;
        let Some(class_weight) = class_weight else { return Ok(training.class_weights.clone()) };
        let mut counts = vec![0; self.store.labels().len()];
        segments
            .iter()
            .for_each(|&segment| self.store.labels_of(segment).iter().for_each(|&label| counts[label] += 1));
        if let Some(background) = background {
            counts[background.class] += background.n_segments;
        }
        class_weight.weights(self.store.labels(), &counts).map_err(|reason| self.misfit(reason))
    }

    fn compute_normalization(&self, segments: &[usize]) -> Result<Normalization, Error> {
        let n_bins = self.store.n_bins();
        if let Some(start) = self.start {
            return Ok(start.model().normalization.clone());
        }
        if !self.recipe.normalize {
            return Ok(Normalization::identity(n_bins));
        }
        let mut normalizer = Normalizer::new(n_bins);
        let mut features = vec![0.0; self.store.n_frames() * n_bins];
        for &segment in segments {
            self.store.read_segment(segment, &mut features)?;
            normalizer.look_at(&features);
        }
        Ok(normalizer.finish())
    }
}

impl<'a> Prepared<'a> {
    /// The store that it trains on.
    pub(crate) fn store(&self) -> &'a FeatureStore {
        self.job.store
    }

    /// The event that its training begins.
    fn start(&self, stage: Stage, is_resumed: bool) -> TrainingStart<'_> {
        let Job { store, recipe, split, spec, .. } = &self.job;
        TrainingStart {
            stage,
            n_epochs: recipe.training.epochs,
            network: self.network.summary(),
            split: SplitSummary::new(store, spec, split),
            n_copied_segments: self.n_copied_segments(),
            n_background_segments: self.background.as_ref().map_or(0, |background| background.n_segments),
            duplicates_across_split: self.duplicates_across_split(),
            is_resumed,
        }
    }

    /// Recordings whose copies are in several parts of the given split.
    fn duplicates_across_split(&self) -> Vec<&str> {
        let split = &self.job.split.split;
        match split.unit {
            Unit::Track | Unit::Group => duplicates_across_split(self.job.store.tracks(), &split.parts),
            Unit::Segment => Vec::new(),
        }
    }

    /// Segments of the training, validation and test part.
    #[cfg(test)]
    pub(crate) fn split(&self) -> &SegmentSplit {
        &self.job.split
    }

    /// Segments to train on: those of the training part, followed by those of its altered copies.
    #[cfg(test)]
    pub(crate) fn train_indices(&self) -> &[usize] {
        &self.train_indices
    }

    /// The normalisation computed on the training part.
    #[cfg(test)]
    pub(crate) fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Number of segments of altered copies that are added to the training part.
    pub(crate) fn n_copied_segments(&self) -> usize {
        self.train_indices.len() - self.job.split.train.len()
    }

    /// Fingerprint of this training: SHA-256 over its data, split, recipe and seed, in hexadecimal.
    pub(crate) fn fingerprint(&self) -> String {
        let Job { store, split, recipe, seed, data_sha256, .. } = &self.job;
        let fingerprinted = Fingerprinted {
            data_sha256,
            n_background_segments: self.background.as_ref().map(|background| background.n_segments),
            start: self.job.start.map(StartingModel::sha256),
            copies: (self.n_copied_segments() > 0).then(|| store.checksums()),
            split: [&split.train, &split.validation, &split.test],
            name: &recipe.name,
            recipe,
            seed: *seed,
        };
        fingerprinted.sha256()
    }

    /// Trains; resumes from a checkpoint if one is given.
    ///
    /// `at_epoch` is called after every epoch, with whether the training stops there because the observer said so.
    ///
    /// # Errors
    /// If the store cannot be read, the checkpoint belongs to another job, or `at_epoch` fails; [`Error::Interrupted`] if the
    /// observer stopped it. If the training diverges, [`Error::Diverged`] holds the model of the best epoch before.
    pub(crate) fn train(
        mut self,
        stage: Stage,
        options: &TrainOptions<'_>,
        checkpoint: Option<&[u8]>,
        mut at_epoch: impl FnMut(&EpochEnd<'_>, bool) -> Result<(), Error>,
    ) -> Result<Trained, Error> {
        // A stop at the start takes effect at the end of the first epoch, as one a moment later would: then there is a checkpoint.
        let event = TrainEvent::Start(self.start(stage, checkpoint.is_some()));
        let mut is_stopped = options.observe(&event).is_break();
        drop(event);
        let start = Instant::now();
        let mut failure = None;
        let history = self.fit(checkpoint, &mut |progress| {
            is_stopped |= options.observe(&TrainEvent::Progress(progress)).is_break();
            let Progress::Epoch(end) = progress else { return ControlFlow::Continue(()) };
            failure = at_epoch(end, is_stopped).err();
            if is_stopped || failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // Whatever the result, the training is over; an observer that stops here changes nothing.
        let _ = options.observe(&TrainEvent::End);
        match (history, failure) {
            (Err(Error::Network(source @ cantus_nn::Error::Diverged { best_epoch, .. })), _) => {
                let model = best_epoch.map(|_| self.into_model().to_bytes()).transpose()?;
                let model = model.map(Vec::into_boxed_slice);
                Err(Error::Diverged { source, model, saved: None })
            }
            (Err(error), _) | (Ok(_), Some(error)) => Err(error),
            (Ok(_), None) if is_stopped => Err(Error::Interrupted),
            (Ok(history), None) => self.finish(history, options.calibration, start.elapsed().as_secs_f64()),
        }
    }

    /// The trained and calibrated model with the facts of its training; `calibration` is that of a model without a validation
    /// part.
    fn finish(
        self,
        history: History,
        calibration: Option<Calibration>,
        training_s: f64,
    ) -> Result<Trained, Error> {
        let fingerprint = self.fingerprint();
        let Job { store, recipe, split, spec, .. } = &self.job;
        let best_epoch = TrainingCurve::new(&history, recipe).best_epoch;
        let (store, recipe, split, spec) = (*store, Recipe::clone(recipe), split.clone(), spec.clone());
        let mut model = self.into_model();
        model.calibration = match calibration {
            Some(calibration) if split.validation.is_empty() => calibration,
            _ => predictions::calibration(&model, store, &split.validation)?,
        };
        Ok(Trained { model, recipe, history, best_epoch, split, spec, fingerprint, training_s })
    }

    /// The model with the network's current weights, not calibrated.
    fn into_model(self) -> Model {
        let Self { job, normalization, network, .. } = self;
        let Job { store, recipe, split, start, .. } = job;
        let test = || predictions::tracks_of(store, &split.test).into_iter();
        let provenance = Provenance {
            recipe: recipe.name.clone(),
            seed: job.seed,
            data_sha256: job.data_sha256,
            n_training_tracks: predictions::n_tracks(store, &split.train),
            start: start.map(|start| start.starting_point(store, test())),
        };
        let (labels, features, crops) = (store.labels().to_vec(), store.spec().clone(), recipe.crops());
        let calibration = Calibration::default();
        Model { labels, features, normalization, crops, calibration, provenance, network }
    }

    /// The augmentation of the training examples.
    fn online_augmentation(&self, segments: &[usize]) -> OnlineAugmentation {
        let Recipe { balanced_sampling, augmentation, .. } = self.job.recipe;
        let classes = || {
            let background = self.background.iter();
            let synthesised = background.flat_map(|background| vec![background.class; background.n_segments]);
            segments.iter().map(|&segment| self.job.store.label_of(segment)).chain(synthesised)
        };
        OnlineAugmentation {
            seed: self.job.seed,
            spec_augment: augmentation.spec_augment,
            mixup: augmentation.mixup,
            balanced: balanced_sampling.then(|| BalancedSampling::new(classes())),
        }
    }

    fn fit(
        &mut self,
        checkpoint: Option<&[u8]>,
        observe: &mut impl FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        let training = cantus_nn::Training {
            seed: self.job.seed,
            n_threads: self.job.n_threads,
            class_weights: self.class_weights.clone(),
            ..self.job.recipe.training.clone()
        };
        let crops = self.job.recipe.crops();
        let mut memory = MemoryBudget::new(self.job.memory);
        let mut part =
            |segments| SegmentDataset::new(self.job.store, segments, &self.normalization, crops, &mut memory);
        let (train, validation) = (part(&self.train_indices)?, part(&self.job.split.validation)?);
        let share = memory.share(2);
        let validation = validation.with_memory_for_outputs(share);
        let train = train.with_memory_for_outputs(share).with_background(self.background.as_ref());
        let train = train.augmented(self.online_augmentation(&self.train_indices));
        let has_validation = !self.job.split.validation.is_empty();
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
}
