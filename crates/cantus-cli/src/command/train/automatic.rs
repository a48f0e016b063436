//! `cantus train FOLDER` without a recipe: candidates are compared on the training part, and the best one is trained.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;
use cantus::report::EvaluationReport;
use cantus::selection::{Candidate, Selection, Trial, TrialOptions, candidates, without_test_part};
use cantus::{Recipe, Run, TrainOptions};
use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use cantus_dataset::{Catalog, Durations, FeatureStore, SplitSpec, Unit};
use cantus_serve::Dashboard;

use super::Train;
use super::display::Display;
use crate::command::extract::{self, Choices};
use crate::global_options::Global;
use crate::interrupt;
use crate::output::{self, WrongUsage};

/// A specification, that of its augmented copies, the folder of the features, and the number of files whose extraction failed.
struct Extracted {
    spec: FeatureSpec,
    copies: AugmentSpec,
    dir: PathBuf,
    n_lost: usize,
}

/// The selection while it goes on.
struct Search<'a> {
    train: &'a Train,
    run: &'a Run,
    catalog: &'a Catalog,
    options: TrialOptions<'a>,
    global: &'a Global,
    extracted: Vec<Extracted>,
    /// Whether the groups and the official split were reported.
    is_split_shown: bool,
}

impl Train {
    /// Selects a recipe, trains it on all tracks that are not in the test part, evaluates it and writes the run; also returns
    /// the number of files whose extraction failed. `None` if Ctrl-C stopped it.
    pub(super) fn train_automatically(
        &self,
        global: &Global,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let start = Instant::now();
        let split = SplitSpec { test_first: true, ..self.split.spec(self.seed, false)? };
        if split.by == Unit::Segment {
            let what = "--split segment needs a recipe, such as -m mlp: recipes are compared on whole tracks";
            return Err(WrongUsage(what.to_owned()).into());
        }
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
        let mut search = Search {
            train: self,
            run: &run,
            catalog: &catalog,
            options,
            global,
            extracted: Vec::new(),
            is_split_shown: false,
        };
        let Some(selection) = search.run(&candidates)? else { return Ok(None) };
        let best =
            selection.best().and_then(|trial| candidates.iter().find(|other| other.name == trial.name));
        let Some(chosen) = best.or(candidates.first()) else { bail!("there is no recipe to try") };
        if !global.quiet {
            output::note(match best {
                Some(_) => "recipes by cross-validation on the training part:",
                None => "no recipe could be cross-validated on the training part; the first is trained:",
            });
            selection.to_text().lines().for_each(output::note);
        }
        search.train_winner(chosen, &selection, dashboard.as_ref())
    }

    /// The candidates, with the changes of the command line.
    fn candidates(&self, durations: &Durations) -> anyhow::Result<Vec<Candidate>> {
        let changed = |candidate: Candidate| {
            let mut recipe = self.changed(candidate.recipe);
            recipe.features.segments = self.segments.change(recipe.features.segments)?;
            anyhow::Ok(Candidate { recipe: recipe.with_features(recipe.features.clone()), ..candidate })
        };
        if self.segments.segment().is_some() {
            let what = "--segment needs a recipe: without one, segment lengths are tried; add -m best";
            return Err(WrongUsage(what.to_owned()).into());
        }
        let embeddings = self.embeddings.load_or_added()?;
        candidates(durations, &embeddings)?.into_iter().map(changed).collect()
    }
}

impl Search<'_> {
    /// Tries every candidate; `None` if Ctrl-C stopped it.
    fn run(&mut self, candidates: &[Candidate]) -> anyhow::Result<Option<Selection>> {
        let earlier = self.run.selection()?;
        let mut selection = Selection::default();
        for candidate in candidates {
            let Some(trial) = self.try_candidate(candidate, &earlier)? else { return Ok(None) };
            if !self.global.quiet {
                output::note(&format!("tried {}: {}", trial.name, trial.outcome));
            }
            selection.trials.push(trial);
            self.run.save_selection(&selection)?;
        }
        Ok(Some(selection))
    }

    fn try_candidate(&mut self, candidate: &Candidate, earlier: &Selection) -> anyhow::Result<Option<Trial>> {
        // The first candidate is always tried, so that there is a result.
        let is_first = self.extracted.is_empty();
        let is_late = || self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late() && !is_first {
            return Ok(Some(Trial::out_of_time(candidate)));
        }
        let Some(index) = self.extract(&candidate.recipe)? else { return Ok(None) };
        let (mut store, split) = self.open(index)?;
        without_test_part(&mut store, &split)?;
        let options = TrialOptions {
            deadline: self.options.deadline.filter(|_| !is_first),
            train: TrainOptions { split, ..self.options.train.clone() },
        };
        match Trial::run(candidate, &store, &options, earlier) {
            Err(cantus::Error::Interrupted) => {
                output::note("stopped; the same command with --resume continues");
                Ok(None)
            }
            trial => Ok(Some(trial?)),
        }
    }

    /// Index of the features of a recipe, which are extracted if no candidate before had the same; `None` if Ctrl-C stopped it.
    fn extract(&mut self, recipe: &Recipe) -> anyhow::Result<Option<usize>> {
        let (spec, copies) = (&recipe.features, recipe.augmentation.copy_spec());
        let is_same = |extracted: &Extracted| extracted.spec == *spec && extracted.copies == copies;
        if let Some(index) = self.extracted.iter().position(is_same) {
            return Ok(Some(index));
        }
        recipe.validate_for(spec, self.catalog.labels.len())?;
        let dir = self.run.path(&format!("features-{}", self.extracted.len() + 1));
        let choices =
            Choices { overwrite: self.train.overwrite, augmentation: Some(&copies), ..Choices::default() };
        let extraction = extract::extract_catalog(self.catalog, spec, &dir, choices, self.global)?;
        let Some(extraction) = extraction else { return Ok(None) };
        if self.extracted.is_empty() {
            extract::report_extraction(&extraction, &dir, self.global);
        }
        let n_lost = extraction.failures.len();
        self.extracted.push(Extracted { spec: spec.clone(), copies, dir, n_lost });
        Ok(Some(self.extracted.len() - 1))
    }

    /// The features, with their groups and official parts, which are shown once, and their split.
    fn open(&mut self, index: usize) -> anyhow::Result<(FeatureStore, SplitSpec)> {
        let mut store = FeatureStore::open(&self.extracted[index].dir)?;
        let global = Global { quiet: self.global.quiet || self.is_split_shown, ..self.global.clone() };
        self.is_split_shown = true;
        let split = self.options.train.split.clone();
        let split = self.train.split.assign(split, None, &mut store, &global)?;
        Ok((store, split))
    }

    /// Trains the chosen candidate on all tracks that are not in the test part, and evaluates it on these.
    fn train_winner(
        &mut self,
        chosen: &Candidate,
        selection: &Selection,
        dashboard: Option<&Dashboard>,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let Some(index) = self.extract(&chosen.recipe)? else { return Ok(None) };
        let (store, split) = self.open(index)?;
        // Only early stopping needs a validation part.
        let validation = chosen.recipe.training.early_stopping.map_or(0.0, |_| split.validation);
        let n_tried = selection.trials.iter().filter(|trial| trial.score().is_some()).count();
        let remark = match n_tried {
            0 => format!("the recipe ({}) was not selected by a comparison: too few tracks", chosen.name),
            _ => format!(
                "the recipe ({}) was selected among {n_tried} by cross-validation on the training part; the test part took no part in the choice",
                chosen.name
            ),
        };
        let run = self.run.clone().with_remark(remark);
        let display = Display::new(self.train, dashboard, self.global);
        let options = TrainOptions {
            split: SplitSpec { validation, ..split },
            calibration: selection.best().and_then(|trial| trial.calibration),
            observer: Some(&|event| display.observe(event)),
            ..self.options.train.clone()
        };
        let evaluated = match self.train.final_model {
            true => run.train_final(&store, &chosen.recipe, &options),
            false => run.train(&store, &chosen.recipe, &options),
        };
        let n_lost = self.extracted[index].n_lost;
        Ok(display.finish(evaluated)?.map(|evaluated| (evaluated.report, n_lost)))
    }
}
