//! One training: checks its inputs, computes the normalisation, builds the networks and fits them.

use std::ops::ControlFlow;
use std::time::Instant;

use cantus_dataset::{FeatureStore, Part, Unit, duplicates_across_split};
use cantus_nn::{EpochEnd, History, Network, Progress};

use super::checkpoints::{Checkpoints, MakeCheckpoint};
use super::fingerprint::Fingerprinted;
use super::job::Job;
use super::member::Member;
use super::starting_model::refusal;
use super::{EnsembleMember, Stage, StartingModel, TrainEvent, TrainOptions, Trained, TrainingStart};
use crate::model::Provenance;
use crate::noise::BackgroundExamples;
use crate::normalization::Normalizer;
use crate::predictions;
use crate::report::{SplitSummary, TrainingCurve};
use crate::{Calibration, Error, Model, Normalization, Recipe};

/// A job whose normalisation is computed and whose networks are built, before training.
pub(crate) struct Prepared<'a> {
    job: Job<'a>,
    /// Synthesised examples of the label `_background_`, if there is one.
    background: Option<BackgroundExamples>,
    normalization: Normalization,
    /// The networks to train, one after another; several for an ensemble.
    members: Vec<Member<'a>>,
}

impl<'a> Job<'a> {
    /// Computes the normalisation and builds the networks, or takes both from the model that the training starts from.
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
        if self.recipe.is_ensemble() && self.start.is_some() {
            return Err(refusal(&self.recipe.name));
        }
        let networks = self.recipe.networks();
        networks.iter().try_for_each(|recipe| Member::check(&self, recipe))?;
        let background = BackgroundExamples::synthesize(store, split.train.len(), self.seed)?;
        let normalization = self.compute_normalization(&split.train)?;
        let member = |index| Member::new(&self, index, background.as_ref(), &normalization);
        let members = (0..networks.len()).map(member).collect::<Result<Vec<_>, _>>()?;
        let prepared = Prepared { job: self, background, normalization, members };
        if prepared.job.recipe.is_ensemble() {
            // Before training, so that networks that cannot be averaged cost no time.
            prepared.average().map(drop)?;
        }
        Ok(prepared)
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

    /// The event that the training of a network begins.
    fn start(&self, stage: Stage, index: usize, is_resumed: bool) -> TrainingStart<'_> {
        let Job { store, recipe, split, spec, .. } = &self.job;
        let member = &self.members[index];
        TrainingStart {
            stage,
            member: recipe.is_ensemble().then(|| EnsembleMember {
                recipe: &member.recipe.name,
                index,
                n_members: self.members.len(),
            }),
            n_epochs: member.recipe.training.epochs,
            network: member.network.summary(),
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
    pub(crate) fn split(&self) -> &cantus_dataset::SegmentSplit {
        &self.job.split
    }

    /// Segments to train on: those of the training part, followed by those of its altered copies.
    #[cfg(test)]
    pub(crate) fn train_indices(&self) -> &[usize] {
        &self.members[0].train_indices
    }

    /// The normalisation computed on the training part.
    #[cfg(test)]
    pub(crate) fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Number of segments of altered copies that are added to the training part; of an ensemble, the most of any network.
    pub(crate) fn n_copied_segments(&self) -> usize {
        let most = self.members.iter().map(|member| member.train_indices.len()).max();
        most.unwrap_or(0).saturating_sub(self.job.split.train.len())
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

    /// Trains the networks; resumes from a checkpoint if one is given.
    ///
    /// `at_epoch` is called after every epoch with a function that makes a checkpoint, and with whether the training stops there
    /// because the observer said so.
    ///
    /// # Errors
    /// If the store cannot be read, the checkpoint belongs to another job, or `at_epoch` fails; [`Error::Interrupted`] if the
    /// observer stopped it. If the training diverges, [`Error::Diverged`] holds the model of the best epoch before, unless it is one
    /// of several networks.
    pub(crate) fn train(
        mut self,
        stage: Stage,
        options: &TrainOptions<'_>,
        checkpoint: Option<&[u8]>,
        mut at_epoch: impl FnMut(&MakeCheckpoint<'_>, bool) -> Result<(), Error>,
    ) -> Result<Trained, Error> {
        let start = Instant::now();
        let mut checkpoints = Checkpoints::new(self.members.len(), checkpoint);
        let mut history = History::default();
        for index in 0..self.members.len() {
            let of_member = self.train_member(index, stage, options, &mut checkpoints, &mut at_epoch)?;
            append(&mut history, of_member);
        }
        self.finish(history, options.calibration, start.elapsed().as_secs_f64())
    }

    /// Trains one of the networks.
    fn train_member(
        &mut self,
        index: usize,
        stage: Stage,
        options: &TrainOptions<'_>,
        checkpoints: &mut Checkpoints,
        at_epoch: &mut impl FnMut(&MakeCheckpoint<'_>, bool) -> Result<(), Error>,
    ) -> Result<History, Error> {
        let checkpoint = checkpoints.of_member(index);
        // A stop at the start takes effect at the end of the first epoch, as one a moment later would: then there is a checkpoint.
        let mut is_stopped = {
            let start = self.start(stage, index, checkpoint.is_some());
            options.observe(&TrainEvent::Start(&start)).is_break()
        };
        let mut failure = None;
        let Self { job, members, background, .. } = &mut *self;
        let (is_last, member) = (index + 1 == members.len(), &mut members[index]);
        let recipe = member.recipe;
        let history = member.fit(job, background.as_ref(), checkpoint.as_deref(), &mut |progress| {
            is_stopped |= options.observe(&TrainEvent::Progress(progress)).is_break();
            let Progress::Epoch(end) = progress else { return ControlFlow::Continue(()) };
            let at_end = at_epoch(&|| checkpoints.with(index, end.checkpoint()?), is_stopped);
            failure = at_end.err();
            if !is_last && may_end(&recipe.training, end) {
                match end.checkpoint() {
                    Ok(checkpoint) => checkpoints.set(index, checkpoint),
                    Err(error) => failure = failure.take().or(Some(error.into())),
                }
            }
            if is_stopped || failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // Whatever the result, the training is over; an observer that stops here changes nothing.
        let _ = options.observe(&TrainEvent::End);
        match (history, failure) {
            (Err(Error::Network(source @ cantus_nn::Error::Diverged { best_epoch, .. })), _) => {
                let best = best_epoch.filter(|_| self.members.len() == 1);
                let model = best.map(|_| self.take_model()?.to_bytes()).transpose()?;
                let model = model.map(Vec::into_boxed_slice);
                Err(Error::Diverged { source, model, saved: None })
            }
            (Err(error), _) | (Ok(_), Some(error)) => Err(error),
            (Ok(_), None) if is_stopped => Err(Error::Interrupted),
            (Ok(history), None) => Ok(history),
        }
    }

    /// The trained and calibrated model with the facts of its training; `calibration` is that of a model without a validation
    /// part.
    fn finish(
        mut self,
        history: History,
        calibration: Option<Calibration>,
        training_s: f64,
    ) -> Result<Trained, Error> {
        let fingerprint = self.fingerprint();
        let Job { store, recipe, split, spec, .. } = &self.job;
        let best_epoch = TrainingCurve::new(&history, recipe).best_epoch;
        let (store, recipe, split, spec) = (*store, Recipe::clone(recipe), split.clone(), spec.clone());
        let mut model = self.take_model()?;
        model.calibration = match calibration {
            Some(calibration) if split.validation.is_empty() => calibration,
            _ => predictions::calibration(&model, store, &split.validation)?,
        };
        Ok(Trained { model, recipe, history, best_epoch, split, spec, fingerprint, training_s })
    }

    /// The network of an ensemble, with the current weights of its members.
    ///
    /// # Errors
    /// If they cannot be averaged.
    fn average(&self) -> Result<Network, Error> {
        let Job { store, recipe, .. } = &self.job;
        let networks: Vec<&Network> = self.members.iter().map(|member| &member.network).collect();
        recipe.averaged(store.spec(), store.labels().len(), &networks)
    }

    /// The model with the networks' current weights, not calibrated. Takes the network, if there is one.
    ///
    /// # Errors
    /// Those of [`average`](Self::average).
    fn take_model(&mut self) -> Result<Model, Error> {
        let single = if self.job.recipe.is_ensemble() { None } else { self.members.pop() };
        let mut network = single.map_or_else(|| self.average(), |member| Ok(member.network))?;
        network.set_threads(self.job.n_threads);
        let Job { store, recipe, split, start, data_sha256, seed, .. } = &self.job;
        let test = || predictions::tracks_of(store, &split.test).into_iter();
        let provenance = Provenance {
            recipe: recipe.name.clone(),
            seed: *seed,
            data_sha256: data_sha256.clone(),
            n_training_tracks: predictions::n_tracks(store, &split.train),
            start: start.map(|start| start.starting_point(store, test())),
        };
        let (labels, features, crops) = (store.labels().to_vec(), store.spec().clone(), recipe.crops());
        let (normalization, calibration) = (self.normalization.clone(), Calibration::default());
        Ok(Model { labels, features, normalization, crops, calibration, provenance, network })
    }
}

/// Adds the epochs of another network.
fn append(history: &mut History, other: History) {
    history.loss.extend(other.loss);
    history.accuracy.extend(other.accuracy);
    history.val_loss.extend(other.val_loss);
    history.val_accuracy.extend(other.val_accuracy);
    history.learning_rate.extend(other.learning_rate);
}

/// Whether a training may end after this epoch.
fn may_end(training: &cantus_nn::Training, end: &EpochEnd<'_>) -> bool {
    training.early_stopping.is_some() || end.epoch + 1 >= training.epochs
}
