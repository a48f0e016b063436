//! Creation of a run folder: what may be continued or replaced.

use std::path::Path;

use cantus_audio::atomic_file::{self, AtomicFile};

use super::{CONFIG, REPORT, Run};
use crate::error::{CHECKPOINT, RunProblem};
use crate::{Error, Model};

/// What happens to a run that the folder holds already; by default it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// Replace it, finished or interrupted.
    pub overwrite: bool,
    /// Continue it, if its training was interrupted; a finished training, and finished folds of a cross-validation, are kept.
    pub resume: bool,
}

impl Run {
    /// Creates the folder for a new run and locks it until the run is dropped.
    ///
    /// # Errors
    /// If the folder cannot be created, is not empty and not a run, or another training writes to it; if it holds a
    /// finished run or an interrupted one, and both `overwrite` and `resume` are false; if it holds a cross-validation and
    /// `overwrite` is false.
    pub fn create(dir: &Path, options: RunOptions) -> Result<Self, Error> {
        let run = Self::locked(dir, options.resume)?;
        run.check_replaceable(options)?;
        Ok(run)
    }

    /// Fails if the folder holds a run that may not be replaced or continued by a single training.
    fn check_replaceable(&self, options: RunOptions) -> Result<(), Error> {
        if options.overwrite {
            return Ok(());
        }
        let is_finished = self.path(Model::FILE_NAME).exists() && !options.resume;
        if is_finished || self.is_cross_validation() {
            return self.refuse(RunProblem::Finished);
        }
        if self.path(CHECKPOINT).exists() && !options.resume {
            return self.refuse(RunProblem::Interrupted);
        }
        Ok(())
    }

    /// Creates the folder for a cross-validation, or opens one to resume.
    ///
    /// # Errors
    /// If the folder cannot be created, or holds a run: a cross-validation needs `resume` or `overwrite`, any other
    /// finished run `overwrite`.
    pub fn create_cross_validation(dir: &Path, options: RunOptions) -> Result<Self, Error> {
        let RunOptions { overwrite, resume } = options;
        // Locked first: one that another process trains at the moment is not interrupted.
        let run = Self::locked(dir, resume)?;
        if run.is_cross_validation() {
            if !(overwrite || resume) {
                return run.refuse(RunProblem::CrossValidation);
            }
            if !resume {
                run.remove_folds()?;
                run.remove(REPORT)?;
                run.remove(Model::FILE_NAME)?;
            }
            return Ok(run);
        }
        if !overwrite && run.path(Model::FILE_NAME).exists() {
            return run.refuse(RunProblem::Finished);
        }
        run.check_replaceable(options)?;
        run.remove(Model::FILE_NAME)?;
        Ok(run)
    }

    /// Creates the folder for a cross-validation whose folds are trained by several processes, or opens one; see
    /// [`train_fold`](Self::train_fold). With `resume`, the fold continues an interrupted training, and a finished one is kept.
    ///
    /// # Errors
    /// If the folder cannot be created, is not empty and not a run, or holds a single training.
    pub fn create_shared_cross_validation(dir: &Path, resume: bool) -> Result<Self, Error> {
        let run = Self::shared(dir, resume)?;
        if !run.is_cross_validation() {
            if run.path(Model::FILE_NAME).exists() {
                return run.refuse(RunProblem::Finished);
            }
            if run.path(CHECKPOINT).exists() {
                return run.refuse(RunProblem::Interrupted);
            }
        }
        Ok(run)
    }

    /// Creates the folder, if it does not exist, and checks that files can be written to it.
    pub(super) fn make_folder(&self) -> Result<(), Error> {
        let dir = &self.dir;
        atomic_file::create_folder(dir).map_err(Error::io(dir))?;
        // Detects an unwritable folder before the training instead of after it.
        AtomicFile::create(&dir.join(CONFIG)).map_err(Error::io(dir))?;
        Ok(())
    }
}
