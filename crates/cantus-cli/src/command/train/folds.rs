//! `cantus train --folds N`: cross-validation, with a run for each fold and a report of all of them.

use anyhow::ensure;
use cantus::report::EvaluationReport;
use cantus::{Evaluated, Recipe, Run, SplitPurpose, TrainOptions};
use cantus_dataset::{Error, FeatureStore, Folds, SplitSpec};

use super::Train;
use super::display::Display;
use crate::global_options::Global;
use crate::output::WrongUsage;

impl Train {
    /// Trains and evaluates every fold and writes the run; also returns the number of files whose extraction failed. `None`
    /// if Ctrl-C stopped it.
    pub(super) fn cross_validate(
        &self,
        n_folds: usize,
        global: &Global,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let run = || Run::create_cross_validation(&self.output, self.run_options());
        self.on_folds(n_folds, run, global, |run, store, recipe, folds, options| {
            run.cross_validate(store, recipe, folds, self.final_model, options)
        })
    }

    /// Trains and evaluates one fold, from 1, of a cross-validation whose other folds are trained by other processes; returns its
    /// report. `None` if Ctrl-C stopped it.
    pub(super) fn train_fold(
        &self,
        fold: usize,
        n_folds: usize,
        global: &Global,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        ensure!(fold <= n_folds, WrongUsage(format!("--fold {fold}: there are {n_folds} folds")));
        ensure!(
            FeatureStore::is_store(&self.data),
            WrongUsage(
                "--fold needs a feature store, which `cantus extract` writes: several processes use it"
                    .to_owned()
            )
        );
        let run = || Run::create_shared_cross_validation(&self.output, self.resume);
        self.on_folds(n_folds, run, global, |run, store, recipe, folds, options| {
            run.train_fold(store, recipe, folds, fold - 1, options)
        })
    }

    /// Creates the run, gets the features and their folds, and calls `train` with them.
    fn on_folds(
        &self,
        n_folds: usize,
        create: impl FnOnce() -> Result<Run, cantus::Error>,
        global: &Global,
        train: impl FnOnce(
            &Run,
            &FeatureStore,
            &Recipe,
            &Folds,
            &TrainOptions<'_>,
        ) -> Result<Evaluated, cantus::Error>,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let split = self.split.spec(self.seed, SplitPurpose::Folds)?;
        let start = self.start.open()?;
        let recipe = self.recipe(start.as_ref())?;
        let run = create()?.with_settings(&self.settings())?;
        let dashboard = self.open_dashboard(global)?;
        let Some(data) = self.data(split, &recipe, &run, global)? else { return Ok(None) };
        let folds = given_or_drawn(&data.store, n_folds, &data.split)?;
        let display = Display::new(self, dashboard.as_ref(), global);
        let options = TrainOptions {
            split: data.split,
            seed: self.seed,
            n_threads: global.n_threads(),
            memory: self.memory(),
            calibration: None,
            start: start.as_ref(),
            observer: Some(&|event| display.observe(event)),
        };
        let evaluated = train(&run, &data.store, &recipe, &folds, &options);
        Ok(display.finish(evaluated)?.map(|evaluated| (evaluated.report, data.n_lost)))
    }
}

/// The folds of the manifest or, if it has none, `n_folds` random ones.
fn given_or_drawn(store: &FeatureStore, n_folds: usize, spec: &SplitSpec) -> anyhow::Result<Folds> {
    match Folds::given_or_drawn(store.tracks(), store.labels(), n_folds, spec) {
        Err(error @ Error::OtherFolds { .. }) => {
            let advice = "set --folds to this number, or extract without its column `fold`";
            Err(WrongUsage(format!("{error}; {advice}")).into())
        }
        folds => Ok(folds?),
    }
}
