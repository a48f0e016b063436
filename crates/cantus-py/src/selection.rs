//! Trainings without a recipe: candidates are compared on the training part, and the best one is trained.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cantus::selection::{Candidate, Search, SelectionData, Trial, TrialOptions, candidates};
use cantus::{OptionProblem, Recipe, Run, RunOptions, SplitPurpose, TrainEvent, TrainOptions};
use cantus_dataset::{AuditMode, Catalog, Durations, FeatureStore, SplitSpec};
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::embeddings::Embeddings;
use crate::errors::Failure;
use crate::extract::{self, Options};
use crate::progress::Progress;
use crate::segment_request::{self, SegmentRequest};
use crate::split::SplitRequest;
use crate::train::RecipeRequest;
use crate::training_progress::TrainingProgress;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(train_best, module)?)
}

/// The arguments of `cantus.train` without a recipe.
#[derive(Deserialize)]
struct Request {
    data: PathBuf,
    out: PathBuf,
    /// Minutes in which recipes are tried.
    budget: f64,
    /// Changes of every candidate.
    #[serde(flatten)]
    changes: RecipeRequest,
    #[serde(flatten)]
    split: SplitRequest,
    #[serde(flatten)]
    embeddings: Embeddings,
    #[serde(flatten)]
    segments: SegmentRequest,
    /// Folder of recordings of no class.
    background: Option<PathBuf>,
    /// Of a cross-validation, which needs a recipe.
    folds: Option<usize>,
    #[serde(rename = "final")]
    final_model: bool,
    overwrite: bool,
    resume: bool,
    /// What `config.toml` records.
    settings: Map<String, Value>,
}

/// Selects a recipe, trains and evaluates it, and writes the run; returns remarks on recordings that were left out.
#[pyfunction]
fn train_best(py: Python<'_>, request: &str, on_progress: Option<Py<PyAny>>) -> PyResult<Vec<String>> {
    let request: Request = serde_json::from_str(request).map_err(|error| Failure::json(&error))?;
    let progress = Progress::new(on_progress);
    progress.run(py, || request.train(&progress))
}

/// The recordings of the selection.
struct Recordings<'a> {
    request: &'a Request,
    catalog: &'a Catalog,
    progress: &'a Progress,
    n_candidates: usize,
    n_tried: usize,
    /// Remarks of the first extraction.
    remarks: Option<Vec<String>>,
}

impl Request {
    fn train(&self, progress: &Progress) -> Result<Vec<String>, Failure> {
        let start = Instant::now();
        let split = self.split.spec(self.changes.seed, SplitPurpose::Selection)?;
        let segments = self.segments.changes();
        segments.validate_for_selection()?;
        if self.folds.is_some() {
            return Err(cantus::Error::from(OptionProblem::FoldsWithoutRecipe).into());
        }
        let options = RunOptions { overwrite: self.overwrite, resume: self.resume };
        let run = Run::create(&self.out, options)?.with_settings(&self.settings)?;
        let catalog = segment_request::open_catalog(&self.data, self.background.as_deref())?;
        let durations = Durations::of_catalog(&catalog);
        let changed = |candidate: Candidate| {
            let recipe = segments.of_candidate(&self.changes.changed(candidate.recipe))?;
            Ok::<_, cantus::Error>(Candidate { recipe, ..candidate })
        };
        let embeddings = self.embeddings.load_or_added()?;
        let candidates: Vec<Candidate> =
            candidates(&durations, &embeddings)?.into_iter().map(changed).collect::<Result<_, _>>()?;
        let is_stopped = |_: &TrainEvent<'_>| flow(progress);
        let train = TrainOptions {
            split,
            seed: self.changes.seed,
            n_threads: self.changes.n_jobs,
            memory: self.changes.memory,
            observer: Some(&is_stopped),
            ..TrainOptions::default()
        };
        let deadline = Some(start + Duration::from_secs_f64(60.0 * self.budget));
        let mut recordings = Recordings {
            request: self,
            catalog: &catalog,
            progress,
            n_candidates: candidates.len(),
            n_tried: 0,
            remarks: None,
        };
        let mut search = Search::new(&run, &mut recordings, TrialOptions { train, deadline });
        let selection = search.run(&candidates)?;
        let winner = search.winner(&candidates, &selection)?;
        let winner = winner.ok_or_else(|| Failure::internal("there is no recipe to try"))?;
        let shown = TrainingProgress::new(progress);
        winner.train(self.final_model, &|event| {
            shown.show(event);
            flow(progress)
        })?;
        Ok(recordings.remarks.unwrap_or_default())
    }
}

fn flow(progress: &Progress) -> ControlFlow<()> {
    if progress.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl SelectionData for &mut Recordings<'_> {
    type Error = Failure;

    fn extract(&mut self, recipe: &Recipe, dir: &Path) -> Result<(), Failure> {
        recipe.validate_for(&recipe.features, self.catalog.labels.len())?;
        let options = Options {
            copies: Some(recipe.augmentation.copy_spec()),
            audit: AuditMode::Report,
            overwrite: self.request.overwrite,
            n_jobs: self.request.changes.n_jobs,
        };
        let remarks = extract::extract_catalog(self.catalog, &recipe.features, dir, options, self.progress)?;
        self.remarks.get_or_insert(remarks);
        Ok(())
    }

    fn open(&mut self, dir: &Path, split: &SplitSpec) -> Result<(FeatureStore, SplitSpec), Failure> {
        let mut store = FeatureStore::open(dir)?;
        let split = self.request.split.assign(split.clone(), None, &mut store)?;
        Ok((store, split))
    }

    fn tried(&mut self, trial: &Trial) {
        self.n_tried += 1;
        let scores: Vec<(&'static str, f64)> =
            trial.score().map(|score| ("score", score)).into_iter().collect();
        self.progress.show(("recipes".to_owned(), self.n_tried, self.n_candidates, scores));
    }
}
