//! Trainings that write a run folder, and their evaluation.

use std::ops::ControlFlow;
use std::path::PathBuf;

use cantus::{
    Recipe, RecordingOptions, Run, RunOptions, SplitPurpose, StartingModel, TrainEvent, TrainOptions,
};
use cantus_dataset::{Durations, FeatureStore, Folds, SplitSpec};
use cantus_nn::{Batching, EarlyStopping};
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::embeddings::Embeddings;
use crate::errors::Failure;
use crate::extract::{self, Options};
use crate::gil;
use crate::model::NativeModel;
use crate::progress::Progress;
use crate::segment_request::{self, SegmentRequest};
use crate::split::SplitRequest;
use crate::start::StartRequest;
use crate::training_progress::TrainingProgress;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(train, module)?)?;
    module.add_function(wrap_pyfunction!(fit_model, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)
}

/// The arguments of `cantus.train`.
#[derive(Deserialize)]
struct Request {
    data: PathBuf,
    out: PathBuf,
    #[serde(flatten)]
    recipe: RecipeRequest,
    #[serde(flatten)]
    split: SplitRequest,
    #[serde(flatten)]
    embeddings: Embeddings,
    #[serde(flatten)]
    segments: SegmentRequest,
    /// Folder of recordings of no class.
    background: Option<PathBuf>,
    #[serde(flatten)]
    start: StartRequest,
    folds: Option<usize>,
    #[serde(rename = "final")]
    final_model: bool,
    overwrite: bool,
    resume: bool,
    /// What `config.toml` records.
    settings: Map<String, Value>,
}

/// A recipe and the settings that replace its own.
#[derive(Deserialize)]
pub struct RecipeRequest {
    /// `None` if one is to be selected, or the training starts from a model, which names it.
    recipe: Option<String>,
    epochs: Option<usize>,
    batch_size: Option<usize>,
    learning_rate: Option<f32>,
    /// 0 for no early stopping.
    patience: Option<usize>,
    /// Of the split, the initial weights and the order of segments.
    pub seed: u64,
    /// 0 for one for each processor.
    pub n_jobs: usize,
    /// Bytes for features; `None` for the default.
    #[serde(default)]
    pub memory: Option<u64>,
}

/// Trains and evaluates a recipe and writes the run; returns remarks on recordings that were left out.
#[pyfunction]
fn train(py: Python<'_>, request: &str, on_progress: Option<Py<PyAny>>) -> PyResult<Vec<String>> {
    let request: Request = serde_json::from_str(request).map_err(|error| Failure::json(&error))?;
    let progress = Progress::new(on_progress);
    progress.run(py, || request.train(&progress))
}

impl Request {
    fn train(&self, progress: &Progress) -> Result<Vec<String>, Failure> {
        let purpose = if self.folds.is_some() { SplitPurpose::Folds } else { SplitPurpose::Training };
        let spec = self.split.spec(self.recipe.seed, purpose)?;
        self.check_features()?;
        let start = self.start.open()?;
        let recipe = match &start {
            Some(start) => self.recipe.changed(self.start.recipe(start, self.recipe.recipe.as_deref())?),
            None => self.recipe_of_data()?,
        };
        let options = RunOptions { overwrite: self.overwrite, resume: self.resume };
        let run = match self.folds {
            Some(_) => Run::create_cross_validation(&self.out, options)?,
            None => Run::create(&self.out, options)?,
        };
        let run = run.with_settings(&self.settings)?;
        let (features, remarks) = self.features(&recipe, &run, progress)?;
        let mut store = FeatureStore::open(&features)?;
        let split = self.split.assign(spec, self.folds, &mut store)?;
        self.train_on(&store, &recipe, &run, start.as_ref(), split, progress)?;
        Ok(remarks)
    }

    /// Checks the arguments for the features, which a store or a model to start from has already.
    fn check_features(&self) -> Result<(), Failure> {
        let segments = self.segments.changes();
        segments.validate()?;
        let given = RecordingOptions {
            segments: !segments.is_empty(),
            embeddings: !self.embeddings.is_empty(),
            background: self.background.is_some(),
        };
        if FeatureStore::is_store(&self.data) {
            given.check_store()?;
        } else if self.start.is_given() {
            given.check_start()?;
        }
        Ok(())
    }

    /// The named recipe, with the embedding models that are given for recordings.
    fn recipe_of_data(&self) -> Result<Recipe, Failure> {
        match FeatureStore::is_store(&self.data) {
            // The features of a store contain their models.
            true => self.recipe.load(),
            false => self.embeddings.of_recipe(self.recipe.load()?),
        }
    }

    /// The given feature store, or one that is extracted into the run.
    fn features(
        &self,
        recipe: &Recipe,
        run: &Run,
        progress: &Progress,
    ) -> Result<(PathBuf, Vec<String>), Failure> {
        if FeatureStore::is_store(&self.data) {
            return Ok((self.data.clone(), Vec::new()));
        }
        let catalog = segment_request::open_catalog(&self.data, self.background.as_deref())?;
        let durations = Durations::of_catalog(&catalog);
        let (recipe, _) = self.segments.changes().of_recipe(recipe, &durations, catalog.labels.len())?;
        let dir = run.path("features");
        let options = Options {
            copies: Some(recipe.augmentation.copy_spec()),
            audit: cantus_dataset::AuditMode::Report,
            overwrite: self.overwrite,
            n_jobs: self.recipe.n_jobs,
        };
        let remarks = extract::extract_catalog(&catalog, &recipe.features, &dir, options, progress)?;
        Ok((dir, remarks))
    }

    fn train_on(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        run: &Run,
        start: Option<&StartingModel>,
        split: SplitSpec,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let draw = |n_folds| Folds::given_or_drawn(store.tracks(), store.labels(), n_folds, &split);
        let folds = self.folds.map(draw).transpose()?;
        self.recipe.with_options(split, progress, |options| {
            let options = &TrainOptions { start, ..options.clone() };
            match &folds {
                Some(folds) => run.cross_validate(store, recipe, folds, self.final_model, options),
                None if self.final_model => run.train_final(store, recipe, options),
                None => run.train(store, recipe, options),
            }
        })?;
        Ok(())
    }
}

impl RecipeRequest {
    /// The named recipe with the settings that are given.
    fn load(&self) -> Result<Recipe, Failure> {
        let name = self.recipe.as_deref().ok_or_else(|| Failure::internal("a training without a recipe"))?;
        Ok(self.changed(Recipe::load(name)?))
    }

    /// A recipe with the settings that are given.
    pub fn changed(&self, mut recipe: Recipe) -> Recipe {
        for Recipe { training, .. } in recipe.networks_mut() {
            training.epochs = self.epochs.unwrap_or(training.epochs);
            training.batching = self.batch_size.map_or(training.batching, Batching::Mini);
            if let Some(rate) = self.learning_rate {
                training.optimizer = training.optimizer.with_learning_rate(rate);
            }
            training.early_stopping = match self.patience {
                None => training.early_stopping,
                Some(0) => None,
                Some(patience) => {
                    Some(EarlyStopping { patience, ..training.early_stopping.unwrap_or_default() })
                }
            };
        }
        recipe
    }

    /// Trains with the options of this request, whose events are shown.
    fn with_options<T>(
        &self,
        split: SplitSpec,
        progress: &Progress,
        train: impl FnOnce(&TrainOptions<'_>) -> Result<T, cantus::Error>,
    ) -> Result<T, Failure> {
        let shown = TrainingProgress::new(progress);
        let observer = |event: &TrainEvent<'_>| {
            shown.show(event);
            if progress.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = TrainOptions {
            split,
            seed: self.seed,
            n_threads: self.n_jobs,
            memory: self.memory,
            observer: Some(&observer),
            ..TrainOptions::default()
        };
        Ok(train(&options)?)
    }
}

/// The arguments of a training without a test part.
#[derive(Deserialize)]
struct FitRequest {
    store: PathBuf,
    #[serde(flatten)]
    recipe: RecipeRequest,
    validation: f64,
}

/// Trains on all tracks of a store but a validation part, and returns the model; groups are kept whole where they are known.
/// Without early stopping there is no validation part.
#[pyfunction]
fn fit_model(py: Python<'_>, request: &str, on_progress: Option<Py<PyAny>>) -> PyResult<NativeModel> {
    let request: FitRequest = serde_json::from_str(request).map_err(|error| Failure::json(&error))?;
    let progress = Progress::new(on_progress);
    progress.run(py, || request.fit(&progress))
}

impl FitRequest {
    fn fit(&self, progress: &Progress) -> Result<NativeModel, Failure> {
        let recipe = self.recipe.load()?;
        let mut store = FeatureStore::open(&self.store)?;
        let labels = store.labels().to_vec();
        let validation = if recipe.stops_early() { self.validation } else { 0.0 };
        let spec = SplitSpec { validation, test: 0.0, seed: self.recipe.seed, ..SplitSpec::default() };
        let split = spec.by_known_groups(store.tracks_mut(), &labels);
        let trained =
            self.recipe.with_options(split, progress, |options| cantus::train(&store, &recipe, options))?;
        Ok(NativeModel::from(trained.model))
    }
}

/// Scores a run's models on their test parts again; returns the report as JSON.
#[pyfunction]
fn evaluate(py: Python<'_>, run: PathBuf, features: Option<PathBuf>, n_jobs: usize) -> PyResult<String> {
    let stop = std::sync::atomic::AtomicBool::new(false);
    gil::interruptible(py, &stop, || {
        let report = Run::open(&run)?.evaluate(features.as_deref(), n_jobs)?;
        serde_json::to_string(&report).map_err(|error| Failure::json(&error))
    })
}
