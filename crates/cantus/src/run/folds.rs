//! Run folder of a cross-validation: a run for each fold, and the files of all folds together.

use std::path::Path;

use cantus_dataset::{FeatureStore, Folds};

use super::{Config, REPORT, Run, SPLIT, tables};
use crate::evaluation::Predictions;
use crate::model_file::{CHECKPOINT, FOLDS};
use crate::report::EvaluationReport;
use crate::training::{Evaluated, Trained};
use crate::{Error, Recipe, model_file};

impl Run {
    /// Creates the folder for a cross-validation, or opens one to resume.
    ///
    /// # Errors
    /// If the folder cannot be created, or holds a run: a cross-validation needs `resume` or `overwrite`, any other
    /// finished run `overwrite`.
    pub fn create_folds(dir: &Path, overwrite: bool, resume: bool) -> Result<Self, Error> {
        let run = Self::at(dir);
        if run.is_cross_validation() {
            if !(overwrite || resume) {
                let reason = "it holds a cross-validation; --resume continues it, --overwrite starts anew";
                return Err(Error::Run { path: dir.to_owned(), reason: reason.to_owned() });
            }
            let run = Self::locked(dir)?;
            if !resume {
                run.remove_folds()?;
                run.remove(REPORT)?;
                run.remove(model_file::FILE_NAME)?;
            }
            return Ok(run);
        }
        let run = Self::create(dir, overwrite, resume)?;
        run.remove(model_file::FILE_NAME)?;
        Ok(run)
    }

    /// Whether the folder is that of a cross-validation, finished or not.
    pub fn is_cross_validation(&self) -> bool {
        self.dir.join(FOLDS).is_file()
    }

    /// The run of that name inside this one; its folder is created.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn inner(&self, name: &str) -> Result<Self, Error> {
        let run = Self::at(&self.dir.join(name));
        run.make_folder()?;
        Ok(run)
    }

    /// Removes the run of that name inside this one, if there is one.
    pub(super) fn remove_inner(&self, name: &str) -> Result<(), Error> {
        let dir = self.dir.join(name);
        if dir.join(REPORT).is_file() {
            std::fs::remove_dir_all(&dir).map_err(Error::io(&dir))
        } else {
            Ok(())
        }
    }

    /// The run of a fold, counted from 0; its folder counts from 1.
    pub fn fold(&self, fold: usize) -> Self {
        Self::at(&self.dir.join(format!("fold-{}", fold + 1)))
    }

    /// Writes the fold of each track, and creates the folder of each fold.
    ///
    /// # Errors
    /// If they cannot be written, or the folder holds a cross-validation of other folds.
    pub fn begin_folds(&self, folds: &Folds, store: &FeatureStore) -> Result<(), Error> {
        let table = tables::folds(folds, store)?;
        let path = self.path(FOLDS);
        if path.exists() && std::fs::read(&path).map_err(Error::io(&path))? != table {
            let reason = "it was written by a cross-validation of other tracks or with other folds; \
                          train with the same options, or without --resume into another folder";
            return Err(Error::Run { path, reason: reason.to_owned() });
        }
        for fold in 0..folds.n_folds() {
            self.fold(fold).make_folder()?;
        }
        self.write(FOLDS, &table)
    }

    /// A finished run's predictions for its test part, computed on `n_threads` threads (0 for one per core), and its report;
    /// `None` if it is not finished.
    ///
    /// # Errors
    /// If it was written by a training on other data, another split or recipe, or cannot be read.
    pub fn finished(
        &self,
        fingerprint: &str,
        store: &FeatureStore,
        n_threads: usize,
    ) -> Result<Option<(Predictions, EvaluationReport)>, Error> {
        if !self.path(model_file::FILE_NAME).exists() {
            return Ok(None);
        }
        if self.config()?.run.fingerprint.as_deref() != Some(fingerprint) {
            let reason = "it was written by a training on other data, or with another split or recipe; \
                          train with the same options, or without --resume into another folder";
            return Err(Error::Run { path: self.dir.clone(), reason: reason.to_owned() });
        }
        Ok(Some((self.predictions(store, n_threads)?, self.report()?)))
    }

    /// Writes the files of all folds together, and the final model, if there is one; only the model is written after the
    /// report, so that a folder with a report is a finished cross-validation.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save_folds(
        &self,
        evaluated: &Evaluated,
        folds: &Folds,
        final_model: Option<&Trained>,
        store: &FeatureStore,
        recipe: &Recipe,
        config: &Config,
    ) -> Result<(), Error> {
        self.remove(model_file::FILE_NAME)?;
        self.save_origin(recipe, config)?;
        if let Some(trained) = final_model {
            self.save_training(trained, store)?;
        } else {
            // Files of a single training that this cross-validation replaces.
            for name in [SPLIT, "history.csv", "history.json", "plots/history.png", "plots/history.svg"] {
                self.remove(name)?;
            }
        }
        let names: Vec<&str> = folds.fold_of_track.iter().map(|&fold| folds.names[fold].as_str()).collect();
        self.save_examination(evaluated, Some(&names), final_model.map(Trained::course), store)?;
        if let Some(trained) = final_model {
            self.write(model_file::FILE_NAME, &trained.model.to_bytes()?)?;
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
}
