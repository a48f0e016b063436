//! Run folder of a cross-validation: a run for each fold, and the files of all folds together.

use std::ops::ControlFlow;

use cantus_audio::regular_file;
use cantus_dataset::{FeatureStore, Folds, SplitSpec, Unit};

use super::{HELD_OUT, REPORT, Run, WITHOUT_LEAK, tables};
use crate::cross_validation::{evaluate_folds, in_several_folds, of_folds};
use crate::error::{CHECKPOINT, FOLDS, RunProblem};
use crate::evaluation::Evaluated;
use crate::noise::NoiseSounds;
use crate::report::{EvaluationReport, group_remarks};
use crate::training::fingerprint::data_sha256;
use crate::training::job::Job;
use crate::training::{self, Stage, TrainEvent, TrainOptions, Trained};
use crate::{Error, Model, Recipe};

impl Run {
    /// Trains and evaluates every fold, each in a run inside this one, and writes the files of all folds together; with
    /// `final_model` also trains a model on all tracks except a validation part.
    ///
    /// Random folds by track that separate groups are accompanied by a cross-validation in folds by group, if that is possible;
    /// the report shows the scores of both.
    ///
    /// A run created with [`resume`](super::RunOptions::resume) keeps the folds that are finished.
    ///
    /// # Errors
    /// Those of [`Run::train`], for any fold; if the folder holds a cross-validation of other folds.
    pub fn cross_validate(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        folds: &Folds,
        final_model: bool,
        options: &TrainOptions<'_>,
    ) -> Result<Evaluated, Error> {
        let options = of_folds(options);
        let recipe = training::adapted(recipe, store, &options)?;
        let data_sha256 = data_sha256(store)?;
        let job = |split| Job::new(store, &recipe, split, &options, data_sha256.clone());
        self.begin_folds(folds, store)?;
        let noise = NoiseSounds::extract(store)?;
        let by_group = self.cross_validate_by_group(store, &recipe, folds, &options, &noise, &data_sha256)?;
        let mut evaluated = evaluate_folds(store, folds, &options, |fold, split| {
            self.fold(fold).lock_inside()?.train_inside(
                job(split).prepare()?,
                Stage::Fold { fold },
                &options,
                &noise,
            )
        })?;
        match by_group {
            Some(report) => {
                evaluated.report.add_without_leak(&report, Unit::Group, group_remarks::noun(store));
            }
            None => self.remove_inside(WITHOUT_LEAK)?,
        }
        let mut trained = None;
        if final_model {
            let split = folds.split_without_test(store.tracks(), store.labels(), &options.split)?;
            let prepared = job(store.segments_of_split(split)).prepare()?;
            trained = Some(self.fit(prepared, Stage::Final, &options)?);
        }
        self.save_folds(&evaluated, folds, trained.as_ref(), store, &recipe)?;
        Ok(evaluated)
    }

    /// If random folds separate groups, cross-validates the same recipe in as many folds by group, in a run inside this one;
    /// returns its report.
    fn cross_validate_by_group(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        folds: &Folds,
        options: &TrainOptions<'_>,
        noise: &NoiseSounds,
        data_sha256: &str,
    ) -> Result<Option<EvaluationReport>, Error> {
        let Some(folds) = folds_by_group(store, folds, &options.split)? else { return Ok(None) };
        let observer = |event: &TrainEvent<'_>| match event {
            // Not a fold of the cross-validation that was asked for.
            TrainEvent::FoldEvaluated { .. } => ControlFlow::Continue(()),
            event => options.observe(event),
        };
        let split = SplitSpec { by: Unit::Group, ..options.split.clone() };
        let options = TrainOptions { split, observer: Some(&observer), ..options.clone() };
        let run = self.inside(WITHOUT_LEAK);
        run.make_folder()?;
        if !self.resume {
            // Those of a run that this one replaces may have been drawn with another seed.
            run.remove_folds()?;
        }
        run.begin_folds(&folds, store)?;
        let evaluated = evaluate_folds(store, &folds, &options, |fold, split| {
            let job = Job::new(store, recipe, split, &options, data_sha256.to_owned());
            run.fold(fold).train_inside(job.prepare()?, Stage::WithoutLeak, &options, noise)
        })?;
        run.save_folds(&evaluated, &folds, None, store, recipe)?;
        Ok(Some(evaluated.report))
    }

    /// Trains and evaluates one fold, counted from 0. Other folds may be trained at the same time, on this machine or others;
    /// when all are finished, [`cross_validate`](Self::cross_validate) of the run created with
    /// [`resume`](super::RunOptions::resume) writes the files of all folds together, with the same bytes as in one go.
    ///
    /// # Errors
    /// Those of [`cross_validate`](Self::cross_validate); without `resume`, if the fold is finished or was interrupted; if another
    /// training writes to it.
    ///
    /// # Panics
    /// If there is no such fold.
    pub fn train_fold(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        folds: &Folds,
        fold: usize,
        options: &TrainOptions<'_>,
    ) -> Result<Evaluated, Error> {
        let options = of_folds(options);
        let recipe = training::adapted(recipe, store, &options)?;
        let split = folds.split(fold, store.tracks(), store.labels(), &options.split)?;
        self.begin_folds(folds, store)?;
        let run = self.fold(fold).lock_inside()?;
        if !self.resume && run.path(Model::FILE_NAME).exists() {
            return run.refuse(RunProblem::Finished);
        }
        if !self.resume && run.path(CHECKPOINT).exists() {
            return run.refuse(RunProblem::Interrupted);
        }
        let noise = NoiseSounds::extract(store)?;
        let segments = store.segments_of_split(split);
        let job = Job::new(store, &recipe, segments, &options, data_sha256(store)?);
        run.train_inside(job.prepare()?, Stage::Fold { fold }, &options, &noise)
    }

    /// Writes the fold of each track, and creates the folder of each fold.
    ///
    /// # Errors
    /// If they cannot be written, or the folder holds a cross-validation of other folds.
    fn begin_folds(&self, folds: &Folds, store: &FeatureStore) -> Result<(), Error> {
        let table = tables::folds(folds, store)?;
        let path = self.path(FOLDS);
        if path.exists() && regular_file::read(&path).map_err(Error::io(&path))? != table {
            return Err(Error::Run { path, problem: RunProblem::OtherFolds });
        }
        for fold in 0..folds.n_folds() {
            self.fold(fold).make_folder()?;
        }
        self.write(FOLDS, &table)
    }

    /// Writes the files of all folds together, and the final model, if there is one; only the model is written after the
    /// report, so that a folder with a report is a finished cross-validation.
    fn save_folds(
        &self,
        evaluated: &Evaluated,
        folds: &Folds,
        final_model: Option<&Trained>,
        store: &FeatureStore,
        recipe: &Recipe,
    ) -> Result<(), Error> {
        self.remove(Model::FILE_NAME)?;
        self.remove_inside(HELD_OUT)?;
        let fingerprint = final_model.map(|trained| trained.fingerprint.clone());
        self.save_origin(recipe, &self.new_config(store.dir(), fingerprint)?)?;
        match final_model {
            Some(trained) => self.save_training(trained, store)?,
            // Those of a single training that this cross-validation replaces.
            None => self.remove_training()?,
        }
        let names: Vec<&str> = folds.fold_of_track.iter().map(|&fold| folds.names[fold].as_str()).collect();
        self.save_evaluation(evaluated, Some(&names), final_model.map(Trained::curve), store)?;
        if let Some(trained) = final_model {
            self.write(Model::FILE_NAME, &trained.model.to_bytes()?)?;
        }
        self.remove(CHECKPOINT)
    }

    /// Removes a cross-validation's folds, if there are any.
    pub(super) fn remove_folds(&self) -> Result<(), Error> {
        if !self.is_cross_validation() {
            return Ok(());
        }
        for entry in std::fs::read_dir(&self.dir).map_err(Error::io(&self.dir))?.flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("fold-"));
            if number.is_some_and(|number| number.parse::<usize>().is_ok()) {
                std::fs::remove_dir_all(entry.path()).map_err(Error::io(&entry.path()))?;
            }
        }
        self.remove(FOLDS)
    }

    /// Removes the run of that name inside this one, if there is one.
    pub(super) fn remove_inside(&self, name: &str) -> Result<(), Error> {
        let dir = self.dir.join(name);
        if dir.join(REPORT).is_file() {
            std::fs::remove_dir_all(&dir).map_err(Error::io(&dir))
        } else {
            Ok(())
        }
    }
}

/// As many folds by group as there are random ones by track; `None` if these keep groups whole, or none could.
fn folds_by_group(store: &FeatureStore, folds: &Folds, spec: &SplitSpec) -> Result<Option<Folds>, Error> {
    let (tracks, labels, n_folds) = (store.tracks(), store.labels(), folds.n_folds());
    let is_drawn = spec.by == Unit::Track && !folds.predefined && store.tracks_known();
    let separates_groups = || !in_several_folds(folds, |track| tracks[track].group.clone()).is_empty();
    let is_possible = || spec.group_obstacle(tracks, labels, Some(n_folds)).is_none();
    if !(is_drawn && separates_groups() && is_possible()) {
        return Ok(None);
    }
    Ok(Some(Folds::draw(tracks, labels, Unit::Group, n_folds, spec.seed)?))
}
