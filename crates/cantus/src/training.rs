//! Training: from a feature store, a split and a recipe to a model and its evaluation on the test part.
//!
//! The normalisation is computed on the training part, the network is trained with the validation part for early stopping
//! and calibration, and the test part is scored once, at the end.

use std::ops::ControlFlow;
use std::time::Instant;

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec, Unit, duplicates_across_split, spec_difference};
use cantus_nn::{History, Network, Progress};

use crate::augmentation::copies;
use crate::class_balance::BalancedSampling;
use crate::evaluation::{self, Predictions};
use crate::model_file::Provenance;
use crate::normalization::Normalizer;
use crate::report::{EvaluationReport, SplitSummary, TrainingCurve};
use crate::segment_dataset::{OnlineAugmentation, SegmentDataset};
use crate::training_fingerprint::Fingerprinted;
use crate::{Calibration, Error, Model, Normalization, Recipe, Task};

/// Inputs of a training: data, split, recipe and seed.
#[derive(Debug)]
pub struct Job<'a> {
    /// The feature store; a split by group keeps its tracks' groups in one part.
    pub store: &'a FeatureStore,
    /// The recipe, with all overrides applied.
    pub recipe: &'a Recipe,
    /// Segments of the training, validation and test part.
    pub split: SegmentSplit,
    /// The specification of that split.
    pub spec: SplitSpec,
    /// SHA-256 of the store, from [`evaluation::data_sha256`].
    pub data_sha256: &'a str,
    /// Seed of the initial weights, the order of examples and dropout.
    pub seed: u64,
    /// Number of threads; 0 for one per core.
    pub n_threads: usize,
}

/// The result of a training.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Loss and accuracy of each epoch.
    pub history: History,
    /// The epoch whose weights the model has, from 0; `None` if that is the last by definition.
    pub best_epoch: Option<usize>,
    /// Segments of the training, validation and test part.
    pub split: SegmentSplit,
    /// The specification of that split.
    pub spec: SplitSpec,
    /// Duration of the training in seconds; after a resumption, since then.
    pub training_s: f64,
}

/// The evaluation of a model on the test part.
#[derive(Debug)]
pub struct Evaluated {
    /// The model's predictions for the test part.
    pub predictions: Predictions,
    /// The scores, with remarks and diagnostics.
    pub report: EvaluationReport,
}

/// A job whose normalisation is computed and whose network is built, before training.
pub struct Prepared<'a> {
    job: Job<'a>,
    /// Segments of the training part, followed by those of its altered copies.
    train_indices: Vec<usize>,
    /// Weight of each label; empty if all are equal.
    class_weights: Vec<f32>,
    normalization: Normalization,
    network: Network,
}

impl<'a> Job<'a> {
    /// Computes the normalisation and builds the network.
    ///
    /// # Errors
    /// If a part whose share is above 0 is empty, the store cannot be read, or recipe and features do not fit.
    pub fn prepare(self) -> Result<Prepared<'a>, Error> {
        let split = &self.split;
        for (part, segments, share) in [
            ("training", &split.train, 1.0),
            ("validation", &split.validation, self.spec.validation),
            ("test", &split.test, self.spec.test),
        ] {
            if segments.is_empty() && share > 0.0 {
                let reason =
                    format!("the {part} part is empty; add tracks, or change the shares of the split");
                return Err(Error::TrainingData { reason });
            }
        }
        let store = self.store;
        if self.recipe.for_task(Task::of_store(store))?.training.loss != self.recipe.training.loss {
            let reason = "its loss is for classes, but the labels of these features are tags; adapt it with Recipe::for_task";
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason: reason.to_owned() });
        }
        if self.spec.by == Unit::Segment && store.is_tagged() {
            let reason = "the split by segment is for classes only; for tags, split by track or group";
            return Err(Error::TrainingData { reason: reason.to_owned() });
        }
        if let Some(reason) = self.recipe.misfit(store.n_frames(), store.n_bins()) {
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason });
        }
        let augmentation = &self.recipe.augmentation;
        if let Some(reason) = copies::misfit(store, &augmentation.copy_spec()) {
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason });
        }
        let train_indices = copies::with_copies(store, &split.train, augmentation.copies);
        let class_weights = self.class_weights(&split.train)?;
        let normalization = self.compute_normalization(&split.train)?;
        let architecture = self.recipe.architecture(store.n_frames(), store.n_bins(), store.labels().len());
        let mut network = Network::new(&architecture, self.seed).map_err(|error| self.unbuilt(error))?;
        network.set_threads(self.n_threads);
        Ok(Prepared { job: self, train_indices, class_weights, normalization, network })
    }

    /// The error of a network that could not be built; names the difference if the features are not the recipe's.
    fn unbuilt(&self, error: cantus_nn::Error) -> Error {
        let name = self.recipe.name.clone();
        let mut reason = error.to_string();
        if let Some(difference) = spec_difference(self.store.spec(), &self.recipe.features) {
            reason += &format!(
                "; these features are not those of the recipe ({difference}): extract them with `cantus extract -m {name}`"
            );
        }
        Error::Recipe { name, reason }
    }

    /// Weight of each label, from its number of segments in the training part.
    fn class_weights(&self, segments: &[usize]) -> Result<Vec<f32>, Error> {
        let Recipe { class_weight, training, .. } = self.recipe;
        let Some(class_weight) = class_weight else { return Ok(training.class_weights.clone()) };
        let mut counts = vec![0; self.store.labels().len()];
        segments
            .iter()
            .for_each(|&segment| self.store.labels_of(segment).iter().for_each(|&label| counts[label] += 1));
        class_weight
            .weights(self.store.labels(), &counts)
            .map_err(|reason| Error::Recipe { name: self.recipe.name.clone(), reason })
    }

    fn compute_normalization(&self, segments: &[usize]) -> Result<Normalization, Error> {
        let n_bins = self.store.n_bins();
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

impl Prepared<'_> {
    /// The network's layers and parameters, in the layout of Keras.
    pub fn summary(&self) -> String {
        self.network.summary()
    }

    /// Maximum number of epochs.
    pub fn n_epochs(&self) -> usize {
        self.job.recipe.training.epochs
    }

    /// Sizes of the parts.
    pub fn split_summary(&self) -> SplitSummary {
        SplitSummary::new(self.job.store, &self.job.spec, &self.job.split)
    }

    /// Recordings whose copies are in several parts of the given split.
    pub fn duplicates_across_split(&self) -> Vec<&str> {
        let split = &self.job.split.split;
        match split.unit {
            Unit::Track | Unit::Group => duplicates_across_split(self.job.store.tracks(), &split.parts),
            Unit::Segment => Vec::new(),
        }
    }

    /// Segments of the training, validation and test part.
    pub fn split(&self) -> &SegmentSplit {
        &self.job.split
    }

    /// Segments to train on: those of the training part, followed by those of its altered copies.
    pub fn train_indices(&self) -> &[usize] {
        &self.train_indices
    }

    /// The normalisation computed on the training part.
    pub fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Number of segments of altered copies that are added to the training part.
    pub fn n_copied_segments(&self) -> usize {
        self.train_indices.len() - self.job.split.train.len()
    }

    /// Fingerprint of this training: SHA-256 over its data, split, recipe and seed, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        let Job { store, split, recipe, seed, data_sha256, .. } = &self.job;
        let fingerprinted = Fingerprinted {
            data_sha256,
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
    /// `observe` is called with the progress and may stop the training by [`ControlFlow::Break`]; the model is then the
    /// best one so far.
    ///
    /// # Errors
    /// If the store cannot be read, or the checkpoint belongs to another job. If the training diverges,
    /// [`Error::Diverged`] holds the model of the best epoch before.
    pub fn train(
        mut self,
        checkpoint: Option<&[u8]>,
        mut observe: impl FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Trained, Error> {
        let start = Instant::now();
        let history = match self.fit(checkpoint, &mut observe) {
            Err(Error::Network(source @ cantus_nn::Error::Diverged { best_epoch, .. })) => {
                let model = best_epoch.map(|_| Box::new(self.into_model()));
                return Err(Error::Diverged { source, model });
            }
            history => history?,
        };
        let training_s = start.elapsed().as_secs_f64();
        let best_epoch = TrainingCurve::new(&history, self.job.recipe).best_epoch;
        let Job { store, split, spec, .. } = &self.job;
        let (store, split, spec) = (*store, split.clone(), spec.clone());
        let mut model = self.into_model();
        model.calibration = evaluation::calibration(&model, store, &split.validation)?;
        Ok(Trained { model, history, best_epoch, split, spec, training_s })
    }

    /// The model with the network's current weights, not calibrated.
    fn into_model(self) -> Model {
        let Self { job, normalization, network, .. } = self;
        let Job { store, recipe, split, .. } = job;
        let provenance = Provenance {
            recipe: recipe.name.clone(),
            seed: job.seed,
            data_sha256: job.data_sha256.to_owned(),
            n_training_tracks: evaluation::n_tracks(store, &split.train),
        };
        let (labels, features, crops) = (store.labels().to_vec(), store.spec().clone(), recipe.crops());
        let calibration = Calibration::default();
        Model { labels, features, normalization, crops, calibration, provenance, network }
    }

    /// The augmentation of the training examples.
    fn online_augmentation(&self, segments: &[usize]) -> OnlineAugmentation {
        let Recipe { balanced_sampling, augmentation, .. } = self.job.recipe;
        let classes = || segments.iter().map(|&segment| self.job.store.label_of(segment));
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
        let part = |segments| SegmentDataset::new(self.job.store, segments, &self.normalization, crops);
        let (train, validation) = (part(&self.train_indices)?, part(&self.job.split.validation)?);
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

impl Trained {
    pub(crate) fn course(&self) -> TrainingCurve<'_> {
        TrainingCurve { history: &self.history, best_epoch: self.best_epoch }
    }

    /// Evaluates the model on the test part.
    ///
    /// # Errors
    /// If the test part is empty, the store cannot be read, or the network diverged.
    pub fn evaluate(&self, store: &FeatureStore) -> Result<Evaluated, Error> {
        let train = [&self.split.train[..], &self.split.validation].concat();
        let predictions = Predictions::of(&self.model, store, &self.split.test, &train)?;
        let summary = SplitSummary::new(store, &self.spec, &self.split);
        let mut report = EvaluationReport::new(&predictions, &self.model, store, summary, self.course())?;
        report.took(Some(self.training_s));
        Ok(Evaluated { predictions, report })
    }
}
