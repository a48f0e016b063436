//! Training: a feature store and a recipe in, a model and what can be said of it out.
//!
//! Learn the normalisation from the training part of a split, fit the network while the validation part watches, and
//! score the test part once, at the end.

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

/// What to train on and how.
#[derive(Debug)]
pub struct Job<'a> {
    /// The features; its tracks' groups are kept whole where the split is by group.
    pub store: &'a FeatureStore,
    /// The recipe, with whatever was changed of it.
    pub recipe: &'a Recipe,
    /// Who is learnt from, chosen by, evaluated with.
    pub split: SegmentSplit,
    /// How that split was asked for.
    pub spec: SplitSpec,
    /// SHA-256 of the store, as [`evaluation::data_sha256`] makes it.
    pub data_sha256: &'a str,
    /// Seed of the first weights, the order of examples, dropout.
    pub seed: u64,
    /// Threads; 0 for one on each core.
    pub n_threads: usize,
}

/// What a training brought.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Loss and accuracy of each epoch.
    pub history: History,
    /// The epoch whose weights the model has, from 0, where that is not simply the last.
    pub best_epoch: Option<usize>,
    /// Which segments were learnt from, chosen by, evaluated with.
    pub split: SegmentSplit,
    /// How that split was asked for.
    pub spec: SplitSpec,
    /// How long it took, in seconds; after an interruption, since then.
    pub training_s: f64,
}

/// What the test part says of a model.
#[derive(Debug)]
pub struct Evaluated {
    /// What the model said of each segment of the test part.
    pub predictions: Predictions,
    /// The scores of that, and what a reader has to know about them.
    pub report: EvaluationReport,
}

/// A job that is normalised and built, but not trained.
pub struct Prepared<'a> {
    job: Job<'a>,
    /// The training part, and altered copies of it.
    learnt_from: Vec<usize>,
    /// Of each label; empty where all count the same.
    class_weights: Vec<f32>,
    normalization: Normalization,
    network: Network,
}

impl<'a> Job<'a> {
    /// Learns the normalisation and builds the network.
    ///
    /// # Errors
    /// If there is nothing to learn from, a part that was asked for is empty, the store cannot be read, or the network does not fit.
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
            let reason = "its loss is that of classes, and the labels of these features are tags; take what Recipe::for_task makes of it";
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason: reason.to_owned() });
        }
        if self.spec.by == Unit::Segment && store.is_tagged() {
            let reason = "the lecture course's split by segment is for classes; labels that are tags are split by track or group";
            return Err(Error::TrainingData { reason: reason.to_owned() });
        }
        if let Some(reason) = self.recipe.misfit(store.n_frames(), store.n_bins()) {
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason });
        }
        let augmentation = &self.recipe.augmentation;
        if let Some(reason) = copies::misfit(store, &augmentation.copy_spec()) {
            return Err(Error::Recipe { name: self.recipe.name.clone(), reason });
        }
        let learnt_from = copies::with_copies(store, &split.train, augmentation.copies);
        let class_weights = self.class_weights(&split.train)?;
        let normalization = self.learn_normalization(&split.train)?;
        let architecture = self.recipe.architecture(store.n_frames(), store.n_bins(), store.labels().len());
        let mut network = Network::new(&architecture, self.seed).map_err(|error| self.unbuilt(error))?;
        network.set_threads(self.n_threads);
        Ok(Prepared { job: self, learnt_from, class_weights, normalization, network })
    }

    /// A network that could not be built: perhaps its features are not what the recipe hears.
    fn unbuilt(&self, error: cantus_nn::Error) -> Error {
        let name = self.recipe.name.clone();
        let mut reason = error.to_string();
        if let Some(difference) = spec_difference(self.store.spec(), &self.recipe.features) {
            reason += &format!(
                "; these features are not what the recipe hears ({difference}): make them with `cantus extract -m {name}`"
            );
        }
        Error::Recipe { name, reason }
    }

    /// How much each label counts, by the sizes that it has in the training part.
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

    fn learn_normalization(&self, segments: &[usize]) -> Result<Normalization, Error> {
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
    /// The network as Keras prints it.
    pub fn summary(&self) -> String {
        self.network.summary()
    }

    /// Most epochs that there may be.
    pub fn n_epochs(&self) -> usize {
        self.job.recipe.training.epochs
    }

    /// Sizes of the parts.
    pub fn split_summary(&self) -> SplitSummary {
        SplitSummary::new(self.job.store, &self.job.spec, &self.job.split)
    }

    /// Recordings of which the split that was given has copies in several parts.
    pub fn duplicates_across_split(&self) -> Vec<&str> {
        let split = &self.job.split.split;
        match split.unit {
            Unit::Track | Unit::Group => duplicates_across_split(self.job.store.tracks(), &split.parts),
            Unit::Segment => Vec::new(),
        }
    }

    /// Which segments are learnt from, chosen by, evaluated with.
    pub fn split(&self) -> &SegmentSplit {
        &self.job.split
    }

    /// Segments that are learnt from: the training part's, and those of its altered copies.
    pub fn learnt_from(&self) -> &[usize] {
        &self.learnt_from
    }

    /// The normalisation that was learnt from the training part.
    pub fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Segments of altered copies that are learnt from beside the training part.
    pub fn n_copied_segments(&self) -> usize {
        self.learnt_from.len() - self.job.split.train.len()
    }

    /// What tells this training from every other: SHA-256 over its data, split, recipe and seed, in hexadecimal.
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

    /// Trains; goes on from a checkpoint if there is one.
    ///
    /// `observe` hears of every epoch and may stop the training by [`ControlFlow::Break`]; the model is then the best
    /// until there.
    ///
    /// # Errors
    /// If the store cannot be read, or the checkpoint is of another job. If the training diverges, [`Error::Diverged`]
    /// holds the model of the best epoch before.
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

    /// The network as it is now with all that prediction needs, not calibrated.
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

    /// What is done to the examples that are learnt from.
    fn on_the_fly(&self, segments: &[usize]) -> OnlineAugmentation {
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
        let (train, validation) = (part(&self.learnt_from)?, part(&self.job.split.validation)?);
        let train = train.augmented(self.on_the_fly(&self.learnt_from));
        let is_watched = !self.job.split.validation.is_empty();
        let watched = is_watched.then_some(&validation as &dyn cantus_nn::Examples);
        let mut failure = None;
        let watch = |progress: Progress<'_>| {
            failure = train.failure().or_else(|| validation.failure());
            if failure.is_some() { ControlFlow::Break(()) } else { observe(&progress) }
        };
        let history = match checkpoint {
            None => self.network.fit(&train, watched, &training, watch)?,
            Some(checkpoint) => self.network.resume(&train, watched, &training, checkpoint, watch)?,
        };
        failure.map_or(Ok(history), |failure| Err(failure.into()))
    }
}

impl Trained {
    pub(crate) fn course(&self) -> TrainingCurve<'_> {
        TrainingCurve { history: &self.history, best_epoch: self.best_epoch }
    }

    /// Examines the model with the test part.
    ///
    /// # Errors
    /// If the test part is empty, the store cannot be read, or the network diverged.
    pub fn evaluate(&self, store: &FeatureStore) -> Result<Evaluated, Error> {
        let learnt = [&self.split.train[..], &self.split.validation].concat();
        let predictions = Predictions::of(&self.model, store, &self.split.test, &learnt)?;
        let summary = SplitSummary::new(store, &self.spec, &self.split);
        let mut report = EvaluationReport::new(&predictions, &self.model, store, summary, self.course())?;
        report.took(Some(self.training_s));
        Ok(Evaluated { predictions, report })
    }
}
