//! A training that writes a run: checkpoints while it lasts, all files when it is evaluated.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cantus_audio::regular_file;
use cantus_dataset::{FeatureStore, SplitSpec, Unit};

use super::{DIVERGED, HELD_OUT, Run, WITHOUT_LEAK};
use crate::error::{CHECKPOINT, RunProblem};
use crate::evaluation::{Evaluated, evaluate_with};
use crate::noise::NoiseSounds;
use crate::report::{EvaluationReport, group_remarks};
use crate::training::fingerprint::data_sha256;
use crate::training::job::Job;
use crate::training::prepared::Prepared;
use crate::training::{self, Stage, TrainOptions, Trained};
use crate::{Error, Model, Recipe};

/// Minimum time between two checkpoints: rare enough to cost little, frequent enough to lose little.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

impl Run {
    /// Trains a recipe, evaluates it on the test part, and writes all files of the run.
    ///
    /// Checkpoints are written every few seconds, and when the observer stops the training; a run created with
    /// [`resume`](super::RunOptions::resume) continues from the last one, with the same result as without an interruption. A
    /// split by segment, which leaks, is accompanied by a training on a split by track, and a random split by track that
    /// separates groups by one by group, if that is possible; the report shows the scores of both.
    ///
    /// # Errors
    /// Those of [`train`](crate::train) and [`evaluate`](crate::evaluate); [`Error::Interrupted`] if the observer stopped it;
    /// if a file cannot be written, or the checkpoint is of another training. If the training diverges, the model of the
    /// best epoch before is saved beside the run's files.
    pub fn train(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        options: &TrainOptions<'_>,
    ) -> Result<Evaluated, Error> {
        let recipe = training::adapted(recipe, store, options)?;
        let evaluated = self.train_on_split(store, &recipe, options, data_sha256(store)?)?;
        self.remove_inside(HELD_OUT)?;
        Ok(evaluated)
    }

    /// [`Self::train`] for an adapted recipe, unless this run is resumed and finished.
    pub(super) fn train_on_split(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        options: &TrainOptions<'_>,
        data_sha256: String,
    ) -> Result<Evaluated, Error> {
        let job = Job::new(store, recipe, store.split(&options.split)?, options, data_sha256.clone());
        let prepared = job.prepare()?;
        let noise = NoiseSounds::extract(store)?;
        if let Some(finished) = self.finished(&prepared.fingerprint(), store, &noise, options.n_threads)? {
            return Ok(finished);
        }
        let without_leak = self.train_without_leak(store, recipe, options, &noise, &data_sha256)?;
        let trained = self.fit(prepared, Stage::Single, options)?;
        let mut evaluated = self.evaluate_trained(&trained, store, &noise)?;
        match without_leak {
            Some((report, by)) => {
                evaluated.report.add_without_leak(&report, by, group_remarks::noun(store));
            }
            None => self.remove_inside(WITHOUT_LEAK)?,
        }
        self.save(&trained, &evaluated, store)?;
        Ok(evaluated)
    }

    /// If the split leaks, trains the same recipe with the same shares and seed on a split that does not, in a run inside this
    /// one; returns its report and what that split keeps whole.
    fn train_without_leak(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        options: &TrainOptions<'_>,
        noise: &NoiseSounds,
        data_sha256: &str,
    ) -> Result<Option<(EvaluationReport, Unit)>, Error> {
        let Some(by) = unit_without_leak(store, &options.split)? else { return Ok(None) };
        let split = SplitSpec { by, ..options.split.clone() };
        let options = TrainOptions { split, ..options.clone() };
        let run = self.inside(WITHOUT_LEAK);
        run.make_folder()?;
        let split = store.split(&options.split)?;
        let job = Job::new(store, recipe, split, &options, data_sha256.to_owned());
        let evaluated = run.train_inside(job.prepare()?, Stage::WithoutLeak, &options, noise)?;
        Ok(Some((evaluated.report, by)))
    }

    /// Trains, evaluates and writes this run inside another one, unless that is resumed and this one is finished.
    pub(super) fn train_inside(
        &self,
        prepared: Prepared<'_>,
        stage: Stage,
        options: &TrainOptions<'_>,
        noise: &NoiseSounds,
    ) -> Result<Evaluated, Error> {
        let store = prepared.store();
        let fingerprint = prepared.fingerprint();
        if let Some(finished) = self.finished(&fingerprint, store, noise, options.n_threads)? {
            return Ok(finished);
        }
        let trained = self.fit(prepared, stage, options)?;
        let evaluated = self.evaluate_trained(&trained, store, noise)?;
        self.save(&trained, &evaluated, store)?;
        Ok(evaluated)
    }

    /// The evaluation of a trained model, with the run's remark.
    fn evaluate_trained(
        &self,
        trained: &Trained,
        store: &FeatureStore,
        noise: &NoiseSounds,
    ) -> Result<Evaluated, Error> {
        let mut evaluated = evaluate_with(trained, store, noise)?;
        if let Some(remark) = &self.remark {
            evaluated.report.add_remark(remark.clone());
        }
        Ok(evaluated)
    }

    /// The evaluation of a finished run that is resumed, with its predictions computed anew; `None` if it is not finished.
    fn finished(
        &self,
        fingerprint: &str,
        store: &FeatureStore,
        noise: &NoiseSounds,
        n_threads: usize,
    ) -> Result<Option<Evaluated>, Error> {
        if !self.is_finished(fingerprint)? {
            return Ok(None);
        }
        // What a process leaves that is killed after it has written the model.
        self.remove(DIVERGED)?;
        self.remove(CHECKPOINT)?;
        let predictions = self.predictions(store, noise, n_threads)?;
        Ok(Some(Evaluated { predictions, report: self.report()? }))
    }

    /// Whether this run is resumed and finished.
    ///
    /// # Errors
    /// If it was finished by a training with another fingerprint.
    pub(super) fn is_finished(&self, fingerprint: &str) -> Result<bool, Error> {
        if !self.resume || !self.path(Model::FILE_NAME).exists() {
            return Ok(false);
        }
        match self.config()?.run.fingerprint.as_deref() == Some(fingerprint) {
            true => Ok(true),
            false => self.refuse(RunProblem::OtherTraining),
        }
    }

    /// Trains with checkpoints, from the last one if the run is resumed.
    pub(super) fn fit(
        &self,
        prepared: Prepared<'_>,
        stage: Stage,
        options: &TrainOptions<'_>,
    ) -> Result<Trained, Error> {
        let fingerprint = prepared.fingerprint();
        let checkpoint = if self.resume { self.checkpoint(&fingerprint)? } else { None };
        let mut last_checkpoint = Instant::now();
        let trained = prepared.train(stage, options, checkpoint.as_deref(), |make_checkpoint, is_stopped| {
            if !is_stopped && last_checkpoint.elapsed() < CHECKPOINT_EVERY {
                return Ok(());
            }
            last_checkpoint = Instant::now();
            self.save_checkpoint(&fingerprint, &make_checkpoint()?)
        });
        match trained {
            Err(Error::Diverged { source, model, .. }) => {
                let saved = self.save_diverged(model.as_deref())?.map(PathBuf::into_boxed_path);
                Err(Error::Diverged { source, model, saved })
            }
            trained => trained,
        }
    }

    /// Writes the checkpoint from which an interrupted training resumes, with the fingerprint of its job.
    pub(super) fn save_checkpoint(&self, fingerprint: &str, checkpoint: &[u8]) -> Result<(), Error> {
        self.write(CHECKPOINT, &[fingerprint.as_bytes(), b"\n", checkpoint].concat())
    }

    /// The checkpoint of an interrupted training; `None` without one.
    ///
    /// # Errors
    /// If it cannot be read, or was written by a training on other data, another split or recipe.
    pub(super) fn checkpoint(&self, fingerprint: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(CHECKPOINT);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = regular_file::read(&path).map_err(Error::io(&path))?;
        match bytes.strip_prefix(fingerprint.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n")) {
            Some(checkpoint) => Ok(Some(checkpoint.to_vec())),
            None => Err(Error::Run { path, problem: RunProblem::OtherTraining }),
        }
    }

    /// Writes all files, the model last, so that a folder with a model is a finished run. The model of a run that is
    /// overwritten is removed first, so that it is never beside another run's report.
    pub(super) fn save(
        &self,
        trained: &Trained,
        evaluated: &Evaluated,
        store: &FeatureStore,
    ) -> Result<(), Error> {
        self.remove_folds()?;
        self.remove(Model::FILE_NAME)?;
        self.save_training(trained, store)?;
        self.save_evaluation(evaluated, None, Some(trained.curve()), store)?;
        let config = self.new_config(store.dir(), Some(trained.fingerprint.clone()))?;
        self.save_origin(&trained.recipe, &config)?;
        self.write(Model::FILE_NAME, &trained.model.to_bytes()?)?;
        self.remove(DIVERGED)?;
        self.remove(CHECKPOINT)
    }

    /// Ends a training that diverged and cannot be resumed. Writes the file of the model of the best epoch before, if there
    /// is one, and returns its path.
    fn save_diverged(&self, model: Option<&[u8]>) -> Result<Option<PathBuf>, Error> {
        let saved =
            model.map(|model| self.write(DIVERGED, model).map(|()| self.path(DIVERGED))).transpose()?;
        self.remove(CHECKPOINT)?;
        Ok(saved)
    }
}

/// What a split must keep whole so that it does not leak as this one does; `None` if this one does not, or none could.
fn unit_without_leak(store: &FeatureStore, spec: &SplitSpec) -> Result<Option<Unit>, Error> {
    let tracks = store.tracks();
    let is_predefined = tracks.iter().any(|track| track.part.is_some());
    Ok(match spec.by {
        _ if !store.tracks_known() => None,
        Unit::Segment => (!store.is_tagged()).then_some(Unit::Track),
        Unit::Track if !is_predefined => {
            let separates_groups = group_remarks::n_shared_groups(store, &store.split(spec)?) > 0;
            let is_possible = || spec.group_obstacle(tracks, store.labels(), None).is_none();
            (separates_groups && is_possible()).then_some(Unit::Group)
        }
        Unit::Track | Unit::Group => None,
    })
}
