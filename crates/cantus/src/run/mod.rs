//! The run folder: the files that a training writes and reads.
//!
//! | file | what |
//! |---|---|
//! | `model.safetensors` | the model, all that prediction needs |
//! | `config.toml` | the options of `cantus train`, and the path of its features |
//! | `recipe.toml` | the recipe as it was used; `-m RUN/recipe.toml` uses it again |
//! | `split.csv` | the part of each track |
//! | `predictions.csv` | the model's prediction for each track of the test part |
//! | `history.csv`, `history.json` | loss and accuracy by epoch, with Keras's keys |
//! | `report.json`, `.txt`, `.md`, `.html` | scores on the test part, with remarks and diagnostics; the page is self-contained |
//! | `time.json` | the duration of the training |
//! | `plots/` | the report's pictures as PNG and SVG |
//! | `checkpoint` | only while a training is not finished: `--resume` continues from it |
//! | `diverged.safetensors` | only after a training that ended at NaN or infinity: the model of the best epoch before |
//! | `.training` | empty; locked by the training that writes to the run, so that there is at most one |
//!
//! A split by segment adds a run `without-leak` inside the run: the same recipe on a split by track; a split or folds by track
//! that separate groups, one by group.
//!
//! A run with a final model (`--final`) has the evaluated model in the run `held-out` inside it.
//!
//! A run whose recipe was selected has `selection.json`, the trials.
//!
//! A cross-validation has `folds.csv`, the fold of each track, and a run for each fold in `fold-1`, `fold-2`, …; its
//! predictions and its report are those of all folds together. It has a model, with its history and split, only with
//! `--final`.

mod create;
mod cross_validation;
mod evaluation;
mod files;
mod final_model;
mod redraw;
mod run_lock;
mod selection;
mod settings;
mod starting_model;
mod tables;
mod training;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cantus_audio::regular_file;

pub use self::create::RunOptions;
use self::files::Time;
use self::run_lock::RunLock;
use self::settings::Settings;
use crate::error::{FOLDS, RunProblem};
use crate::report::EvaluationReport;
use crate::{Error, Model};

/// The model of the best epoch before a training diverged.
const DIVERGED: &str = "diverged.safetensors";
const CONFIG: &str = "config.toml";
const RECIPE: &str = "recipe.toml";
const SPLIT: &str = "split.csv";
const TIME: &str = "time.json";
const REPORT: &str = "report.json";
/// The run inside a run whose split leaks, trained with the same recipe on a split that does not.
const WITHOUT_LEAK: &str = "without-leak";

/// The run inside a run with a final model, whose model the report scores.
const HELD_OUT: &str = "held-out";
/// The trials of the selection of the recipe.
const SELECTION: &str = "selection.json";

/// A run folder.
///
/// ```no_run
/// use cantus::{Recipe, Run, RunOptions, TrainOptions};
/// use cantus_dataset::FeatureStore;
///
/// let store = FeatureStore::open("features".as_ref())?;
/// let run = Run::create("run".as_ref(), RunOptions::default())?;
/// let evaluated = run.train(&store, &Recipe::load("best")?, &TrainOptions::default())?;
/// println!("{}", evaluated.report.to_text());
/// let prediction = run.model()?.predict_file("song.mp3")?;
/// # Ok::<(), cantus::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Run {
    dir: PathBuf,
    /// The run that this one is inside of, if any.
    parent: Option<PathBuf>,
    /// Whether an interrupted training, and finished folds, are continued.
    resume: bool,
    /// What `config.toml` records.
    settings: Settings,
    /// Remark on the choice of the recipe, for the report.
    remark: Option<String>,
    /// The lock of the training that writes to it.
    _lock: Option<Arc<RunLock>>,
}

impl Run {
    fn at(dir: &Path) -> Self {
        let settings = Settings::default();
        Self { dir: dir.to_owned(), parent: None, resume: false, settings, remark: None, _lock: None }
    }

    /// The run of that name inside this one, with the same options; its folder may not exist.
    fn inside(&self, name: &str) -> Self {
        let Self { dir, resume, settings, remark, .. } = self;
        let (parent, settings, remark) = (Some(dir.clone()), settings.clone(), remark.clone());
        Self { dir: dir.join(name), parent, resume: *resume, settings, remark, _lock: None }
    }

    /// The run of a fold, counted from 0; its folder counts from 1.
    fn fold(&self, fold: usize) -> Self {
        self.inside(&format!("fold-{}", fold + 1))
    }

    /// Opens the folder of a finished run.
    ///
    /// # Errors
    /// If it is not there or not finished.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let run = Self::at(dir);
        if !dir.is_dir() {
            return run.refuse(if dir.exists() { RunProblem::NotAFolder } else { RunProblem::NotFound });
        }
        let needed: &[&str] = if run.is_cross_validation() {
            &[CONFIG, REPORT]
        } else {
            &[Model::FILE_NAME, CONFIG, SPLIT, REPORT]
        };
        let missing = needed.iter().find(|name| !dir.join(name).is_file());
        match missing {
            None => Ok(run),
            Some(name) => run.refuse(RunProblem::unfinished(dir, name)),
        }
    }

    /// Opens the folder of a run that has a report; `None` for a model file, or a folder without a report.
    ///
    /// # Errors
    /// If there is a report, but another file of a finished run is missing.
    pub fn open_if_reported(path: &Path) -> Result<Option<Self>, Error> {
        path.join(REPORT).is_file().then(|| Self::open(path)).transpose()
    }

    /// Path of a file of the run.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether the folder is that of a cross-validation, finished or not.
    #[must_use]
    pub fn is_cross_validation(&self) -> bool {
        self.dir.join(FOLDS).is_file()
    }

    /// The model.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn model(&self) -> Result<Model, Error> {
        Model::load(self.path(Model::FILE_NAME))
    }

    /// The report of the finished run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn report(&self) -> Result<EvaluationReport, Error> {
        let path = self.path(REPORT);
        let text = regular_file::read_to_string(&path).map_err(Error::io(&path))?;
        let mut report =
            EvaluationReport::from_json(&text).map_err(|error| self.malformed(REPORT, &error))?;
        // Runs of earlier versions have no `time.json`.
        report.took(self.read_json(TIME).map_or(None, |time: Time| time.training_s));
        Ok(report)
    }

    /// The error of this run folder.
    fn refuse<T>(&self, problem: RunProblem) -> Result<T, Error> {
        Err(Error::Run { path: self.dir.clone(), problem })
    }

    /// The error of a file that cannot be parsed.
    fn malformed(&self, name: &str, error: &dyn std::fmt::Display) -> Error {
        Error::Run { path: self.path(name), problem: RunProblem::Malformed(error.to_string()) }
    }
}
