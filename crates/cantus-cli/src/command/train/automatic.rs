//! `cantus train FOLDER` without a recipe: candidates are compared on the training part, and the best one is trained.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use cantus::report::EvaluationReport;
use cantus::selection::{Candidate, Search, SelectionData, Trial, TrialOptions, Winner, candidates};
use cantus::{Recipe, Run, SplitPurpose, TrainOptions};
use cantus_dataset::{Catalog, Durations, FeatureStore, SplitSpec};

use super::Train;
use super::display::Display;
use crate::command::extract::{self, Choices};
use crate::global_options::Global;
use crate::interrupt;
use crate::output;

/// The recordings of the selection.
struct Recordings<'a> {
    train: &'a Train,
    catalog: &'a Catalog,
    global: &'a Global,
    /// Number of files whose extraction failed, by the folder of the features.
    n_lost: HashMap<PathBuf, usize>,
    /// Whether the groups and the official split were reported.
    is_split_shown: bool,
}

/// Ctrl-C stopped an extraction, which has reported it.
#[derive(Debug, thiserror::Error)]
#[error("the extraction was stopped")]
struct ExtractionStopped;

impl Train {
    /// Selects a recipe, trains it on all tracks that are not in the test part, evaluates it and writes the run; also returns
    /// the number of files whose extraction failed. `None` if Ctrl-C stopped it.
    pub(super) fn train_automatically(
        &self,
        global: &Global,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let start = Instant::now();
        let split = self.split.spec(self.seed, SplitPurpose::Selection)?;
        self.segments.changes().validate_for_selection()?;
        let run = Run::create(&self.output, self.run_options())?.with_settings(&self.settings())?;
        let dashboard = self.open_dashboard(global)?;
        let catalog = extract::open_catalog(&self.data, self.background.as_deref(), None, global)?;
        let durations = Durations::of_catalog(&catalog);
        let candidates = self.candidates(&durations)?;
        if !global.quiet {
            output::note(&format!("durations: {}", durations.in_words()));
            output::note(&format!(
                "no recipe is named: {} are tried on the training part, for {} min at most; -m names one",
                candidates.len(),
                self.budget
            ));
        }
        let observer = |_: &cantus::TrainEvent<'_>| match interrupt::requested() {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        };
        let train = TrainOptions {
            split,
            seed: self.seed,
            n_threads: global.n_threads(),
            memory: self.memory(),
            observer: Some(&observer),
            ..TrainOptions::default()
        };
        let deadline = start + Duration::from_secs_f64(60.0 * self.budget);
        let options = TrialOptions { train, deadline: Some(deadline) };
        let mut recordings = Recordings {
            train: self,
            catalog: &catalog,
            global,
            n_lost: HashMap::new(),
            is_split_shown: false,
        };
        let mut search = Search::new(&run, &mut recordings, options);
        let Some(winner) = unless_stopped(self.winner(&mut search, &candidates, global))? else {
            return Ok(None);
        };
        let display = Display::new(self, dashboard.as_ref(), global);
        let evaluated = winner.train(self.final_model, &|event| display.observe(event));
        let n_lost = recordings.n_lost.get(&winner.features).copied().unwrap_or(0);
        Ok(display.finish(evaluated)?.map(|evaluated| (evaluated.report, n_lost)))
    }

    /// Tries the candidates, shows their scores and returns the best.
    fn winner<'a>(
        &self,
        search: &mut Search<'a, &mut Recordings<'_>>,
        candidates: &[Candidate],
        global: &Global,
    ) -> anyhow::Result<Winner<'a>> {
        let selection = search.run(candidates)?;
        if !global.quiet {
            output::note(match selection.chosen() {
                Some(_) => "recipes by cross-validation on the training part:",
                None => "no recipe could be cross-validated on the training part; the first is trained:",
            });
            selection.to_text().lines().for_each(output::note);
        }
        search.winner(candidates, &selection)?.context("there is no recipe to try")
    }

    /// The candidates, with the changes of the command line.
    fn candidates(&self, durations: &Durations) -> anyhow::Result<Vec<Candidate>> {
        let changed = |candidate: Candidate| {
            let recipe = self.segments.changes().of_candidate(&self.changed(candidate.recipe))?;
            anyhow::Ok(Candidate { recipe, ..candidate })
        };
        let embeddings = self.embeddings.load_or_added()?;
        candidates(durations, &embeddings)?.into_iter().map(changed).collect()
    }
}

impl SelectionData for &mut Recordings<'_> {
    type Error = anyhow::Error;

    fn extract(&mut self, recipe: &Recipe, dir: &Path) -> anyhow::Result<()> {
        recipe.validate_for(&recipe.features, self.catalog.labels.len())?;
        let copies = recipe.augmentation.copy_spec();
        let choices =
            Choices { overwrite: self.train.overwrite, augmentation: Some(&copies), ..Choices::default() };
        let extraction = extract::extract_catalog(self.catalog, &recipe.features, dir, choices, self.global)?;
        let extraction = extraction.ok_or(ExtractionStopped)?;
        if self.n_lost.is_empty() {
            extract::report_extraction(&extraction, dir, self.global);
        }
        self.n_lost.insert(dir.to_owned(), extraction.failures.len());
        Ok(())
    }

    fn open(&mut self, dir: &Path, split: &SplitSpec) -> anyhow::Result<(FeatureStore, SplitSpec)> {
        let mut store = FeatureStore::open(dir)?;
        // Groups and official parts are those of the recordings: they are shown once.
        let global = Global { quiet: self.global.quiet || self.is_split_shown, ..self.global.clone() };
        self.is_split_shown = true;
        let split = self.train.split.assign(split.clone(), None, &mut store, &global)?;
        Ok((store, split))
    }

    fn tried(&mut self, trial: &Trial) {
        if !self.global.quiet {
            output::note(&format!("tried {}: {}", trial.name, trial.outcome));
        }
    }
}

/// `None` if Ctrl-C stopped an extraction or a trial.
fn unless_stopped<T>(result: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Err(error) if error.is::<ExtractionStopped>() => Ok(None),
        Err(error) if matches!(error.downcast_ref(), Some(cantus::Error::Interrupted)) => {
            output::note("stopped; the same command with --resume continues");
            Ok(None)
        }
        result => result.map(Some),
    }
}
