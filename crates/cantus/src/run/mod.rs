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
//! A split by segment adds a run `without-leak` inside the run: the same recipe on a split by track.
//!
//! A cross-validation has `folds.csv`, the fold of each track, and a run for each fold in `fold-1`, `fold-2`, …; its
//! predictions and its report are those of all folds together. It has a model, with its history and split, only with
//! `--final`.

mod folds;
mod redraw;
mod run_lock;
mod tables;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cantus_audio::atomic_file;
use cantus_dataset::{FeatureStore, Part};
use serde::{Deserialize, Serialize};

use crate::evaluation::{Predictions, data_sha256};
use crate::model_file::CHECKPOINT;
use crate::report::{self, EvaluationReport, Figure, TrainingCurve};
use crate::training::{Evaluated, Trained};
use crate::{Error, Model, Recipe, model_file};
use cantus_plot::Theme;
use run_lock::RunLock;
use tables::SplitRow;

/// The model of the best epoch before a training diverged.
const DIVERGED: &str = "diverged.safetensors";
const CONFIG: &str = "config.toml";
const SPLIT: &str = "split.csv";
const TIME: &str = "time.json";
const REPORT: &str = "report.json";
/// The run inside a run with a split by segment, trained with the same recipe on a split by track.
pub const WITHOUT_LEAK: &str = "without-leak";

/// A run folder.
#[derive(Debug, Clone)]
pub struct Run {
    dir: PathBuf,
    /// The lock of the training that writes to it.
    _lock: Option<Arc<RunLock>>,
}

/// `time.json`: the duration, which differs between two runs of the same training.
#[derive(Debug, Serialize, Deserialize)]
struct Time {
    training_s: Option<f64>,
}

/// `config.toml`: options under the names of the flags, so that `--config` repeats the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Options of `cantus train`.
    pub train: toml::Table,
    /// Facts that are not options.
    pub run: Origin,
}

/// Origin of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Its feature store; a relative path is relative to the run folder.
    pub features: PathBuf,
    /// The version of Cantus that trained it.
    pub cantus_version: String,
    /// The training's fingerprint, see [`Prepared::fingerprint`](crate::training::Prepared::fingerprint); `None` for a
    /// cross-validation without a final model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Run {
    fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), _lock: None }
    }

    /// Creates the folder for a new run and locks it until the run is dropped.
    ///
    /// # Errors
    /// If the folder cannot be created, is not empty and not a run, or another training writes to it; if it holds a
    /// finished run and `overwrite` is false, or an interrupted one and both `overwrite` and `resume` are false.
    pub fn create(dir: &Path, overwrite: bool, resume: bool) -> Result<Self, Error> {
        let run = Self::locked(dir)?;
        let refuse = |reason: &str| Err(Error::Run { path: dir.to_owned(), reason: reason.to_owned() });
        if overwrite {
            return Ok(run);
        }
        if run.path(model_file::FILE_NAME).exists() || run.is_cross_validation() {
            return refuse("it holds a finished run; choose another folder, or --overwrite");
        }
        if run.path(CHECKPOINT).exists() && !resume {
            return refuse(
                "it holds an interrupted training; --resume continues it, --overwrite starts anew",
            );
        }
        Ok(run)
    }

    fn make_folder(&self) -> Result<(), Error> {
        let dir = &self.dir;
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        // Detects an unwritable folder before the training instead of after it.
        atomic_file::AtomicFile::create(&dir.join(CONFIG)).map_err(Error::io(dir))?;
        Ok(())
    }

    /// Opens the folder of a finished run.
    ///
    /// # Errors
    /// If it is not there or not finished.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let run = Self::at(dir);
        if !dir.is_dir() {
            return Err(Error::not_a_run(dir));
        }
        let needed: &[&str] = if run.is_cross_validation() {
            &[CONFIG, REPORT]
        } else {
            &[model_file::FILE_NAME, CONFIG, SPLIT, REPORT]
        };
        let missing = needed.iter().find(|name| !dir.join(name).is_file());
        match missing {
            None => Ok(run),
            Some(name) => Err(Error::unfinished_run(dir, name)),
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
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes the checkpoint from which an interrupted training resumes, with the fingerprint of its job.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_checkpoint(&self, fingerprint: &str, checkpoint: &[u8]) -> Result<(), Error> {
        self.write(CHECKPOINT, &[fingerprint.as_bytes(), b"\n", checkpoint].concat())
    }

    /// The checkpoint of an interrupted training; `None` without one.
    ///
    /// # Errors
    /// If it cannot be read, or was written by a training on other data, another split or recipe.
    pub fn checkpoint(&self, fingerprint: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(CHECKPOINT);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let checkpoint = bytes.strip_prefix(fingerprint.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"));
        checkpoint.map(|checkpoint| Some(checkpoint.to_vec())).ok_or_else(|| {
            let reason = "it was written by a training on other data, or with another split or recipe; \
                          train with the same options, or --overwrite it";
            Error::Run { path, reason: reason.to_owned() }
        })
    }

    /// Writes all files, the model last, so that a folder with a model is a finished run. The model of a run that is
    /// overwritten is removed first, so that it is never beside another run's report.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save(
        &self,
        trained: &Trained,
        evaluated: &Evaluated,
        store: &FeatureStore,
        recipe: &Recipe,
        config: &Config,
    ) -> Result<(), Error> {
        self.remove_folds()?;
        if !matches!(&evaluated.report, EvaluationReport::Classes(report) if report.without_leak.is_some()) {
            self.remove_inner(WITHOUT_LEAK)?;
        }
        self.remove(model_file::FILE_NAME)?;
        self.save_training(trained, store)?;
        self.save_examination(evaluated, None, Some(trained.course()), store)?;
        self.save_origin(recipe, config)?;
        self.write(model_file::FILE_NAME, &trained.model.to_bytes()?)?;
        self.remove(DIVERGED)?;
        self.remove(CHECKPOINT)
    }

    /// Ends a training that diverged and cannot be resumed. Writes the model of the best epoch before, if there is one, and
    /// returns its path.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn save_diverged(&self, model: Option<&Model>) -> Result<Option<PathBuf>, Error> {
        let kept = model.map(|model| self.write(DIVERGED, &model.to_bytes()?).map(|()| self.path(DIVERGED)));
        let kept = kept.transpose()?;
        self.remove(CHECKPOINT)?;
        Ok(kept)
    }

    fn save_origin(&self, recipe: &Recipe, config: &Config) -> Result<(), Error> {
        self.write(CONFIG, toml_text(config)?.as_bytes())?;
        self.write("recipe.toml", toml_text(recipe)?.as_bytes())
    }

    /// Writes the files of a training other than its model.
    fn save_training(&self, trained: &Trained, store: &FeatureStore) -> Result<(), Error> {
        self.write(SPLIT, &tables::split(&trained.split.split, store)?)?;
        self.write("history.csv", tables::history(&trained.history).as_bytes())?;
        self.write("history.json", &json_bytes(&trained.history)?)?;
        self.save_figures(&[report::pictures::history(trained.course())])
    }

    /// Writes the files of an evaluation; `folds` are the names of the fold of each track, in a cross-validation.
    fn save_examination(
        &self,
        evaluated: &Evaluated,
        folds: Option<&[&str]>,
        course: Option<TrainingCurve<'_>>,
        store: &FeatureStore,
    ) -> Result<(), Error> {
        let Evaluated { predictions, report } = evaluated;
        self.write("predictions.csv", &tables::predictions(predictions.tracks(), folds, store)?)?;
        self.write("report.txt", report.to_text().as_bytes())?;
        let mut figures = report.pictures(predictions.tracks());
        self.save_figures(&figures)?;
        figures.extend(course.map(report::pictures::history));
        self.write("report.md", report.to_markdown(&figures).as_bytes())?;
        self.write("report.html", report.to_html(&figures).as_bytes())?;
        self.write(TIME, &json_bytes(&Time { training_s: report.training_s() })?)?;
        self.write(REPORT, &json_bytes(report)?)
    }

    fn save_figures(&self, figures: &[Figure]) -> Result<(), Error> {
        let dir = self.path("plots");
        std::fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        for Figure { name, picture, .. } in figures {
            self.write(&format!("plots/{name}.png"), &picture.to_png(Theme::Light))?;
            self.write(&format!("plots/{name}.svg"), picture.to_svg(Theme::Light).as_bytes())?;
        }
        Ok(())
    }

    /// Removes a file of the run, if it exists.
    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
            _ => Ok(()),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        atomic_file::write(&path, bytes).map_err(Error::io(&path))
    }

    /// The model.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn model(&self) -> Result<Model, Error> {
        Model::load(self.path(model_file::FILE_NAME))
    }

    /// Scores the run's models on their test parts again, from the features, on `n_threads` threads (0 for one per core).
    ///
    /// # Errors
    /// If the run is incomplete, or its features are missing, changed or of another specification.
    pub fn evaluate(&self, features: Option<&Path>, n_threads: usize) -> Result<EvaluationReport, Error> {
        let mut store = FeatureStore::open(&self.features(features)?)?;
        let report = self.report()?;
        let runs = match report.n_folds() {
            None => vec![self.clone()],
            Some(n_folds) => (0..n_folds).map(|fold| self.fold(fold)).collect(),
        };
        // Before the checksum, which only detects a difference: this error names it.
        if let Some(run) = runs.first() {
            run.model()?.check_features(store.spec(), store.labels())?;
        }
        if data_sha256(&store)? != report.model().data_sha256 {
            let reason = "the features are not those that it was trained on, or were damaged; give its own with --features";
            return Err(Error::Run { path: self.dir.clone(), reason: reason.to_owned() });
        }
        if let Some(run) = runs.first() {
            run.recall_groups(&mut store)?;
        }
        let mut predictions = Predictions::default();
        for run in runs {
            predictions.extend(&run.predictions(&store, n_threads)?);
        }
        report.renewed(&predictions, &store)
    }

    /// The predictions of the run's model for its test part.
    fn predictions(&self, store: &FeatureStore, n_threads: usize) -> Result<Predictions, Error> {
        let mut model = self.model()?;
        model.network.set_threads(n_threads);
        model.check_features(store.spec(), store.labels())?;
        let [train, validation, test] = self.segments(store)?;
        Predictions::of(&model, store, &test, &[train, validation].concat())
    }

    /// The report of the finished run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn report(&self) -> Result<EvaluationReport, Error> {
        let path = self.path(REPORT);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let mut report = EvaluationReport::from_json(&text).map_err(|error| self.broken(REPORT, &error))?;
        // Runs of earlier versions have no `time.json`.
        report.took(self.read_json(TIME).map_or(None, |time: Time| time.training_s));
        Ok(report)
    }

    fn read_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text).map_err(|error| self.broken(name, &error))
    }

    fn config(&self) -> Result<Config, Error> {
        let path = self.path(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        toml::from_str(&text).map_err(|error| self.broken(CONFIG, &error))
    }

    /// Path of the features: the given one, or the one that the run was trained on.
    fn features(&self, given: Option<&Path>) -> Result<PathBuf, Error> {
        if let Some(path) = given {
            return Ok(path.to_owned());
        }
        let features = self.dir.join(self.config()?.run.features);
        if features.exists() {
            return Ok(features);
        }
        let reason =
            format!("its features are no longer at {}; give their path with --features", features.display());
        Err(Error::Run { path: self.dir.clone(), reason })
    }

    /// Restores the groups of the store's tracks from `split.csv`.
    fn recall_groups(&self, store: &mut FeatureStore) -> Result<(), Error> {
        let rows = self.split_rows()?.into_iter().map(|row| (row.path, row.group));
        let groups: HashMap<String, Option<String>> = rows.collect();
        for track in store.tracks_mut() {
            track.group = groups.get(&track.path).cloned().flatten();
        }
        Ok(())
    }

    fn split_rows(&self) -> Result<Vec<SplitRow>, Error> {
        tables::read_split(&self.path(SPLIT)).map_err(|error| self.broken(SPLIT, &error))
    }

    /// The segments of each part according to `split.csv`, in the order of [`Part::ALL`].
    fn segments(&self, store: &FeatureStore) -> Result<[Vec<usize>; 3], Error> {
        let numbers: HashMap<&str, usize> =
            store.tracks().iter().enumerate().map(|(number, track)| (track.path.as_str(), number)).collect();
        let mut segments: [Vec<usize>; 3] = Default::default();
        for SplitRow { path, segment, part, .. } in self.split_rows()? {
            let Some(&track) = numbers.get(path.as_str()) else {
                let reason =
                    format!("the features have no track {path}; give the store that the run was trained on");
                return Err(Error::Run { path: self.dir.clone(), reason });
            };
            let Some(place) = part.and_then(|part| Part::ALL.into_iter().position(|other| other == part))
            else {
                continue;
            };
            let of_track = store.segments_of(track);
            match segment {
                None => segments[place].extend(of_track),
                Some(segment) => segments[place].extend(of_track.into_iter().nth(segment)),
            }
        }
        segments.iter_mut().for_each(|part| part.sort_unstable());
        Ok(segments)
    }

    fn broken(&self, name: &str, error: &dyn std::fmt::Display) -> Error {
        Error::Run { path: self.path(name), reason: error.to_string() }
    }
}

fn toml_text(value: &impl Serialize) -> Result<String, Error> {
    toml::to_string(value).map_err(|error| Error::Unwritable { reason: error.to_string() })
}

fn json_bytes(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Error::Unwritable { reason: error.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}
