//! `cantus train --folds N`: cross-validation, with a run for each fold and a report of all of them.

use anyhow::ensure;
use cantus::Recipe;
use cantus::cross_validation::Pool;
use cantus::evaluation::Predictions;
use cantus::report::EvaluationReport;
use cantus::run::Run;
use cantus::training::{Evaluated, Trained};
use cantus_dataset::{FeatureStore, Folds, SplitSpec};

use super::data::Data;
use super::{Train, fit, tell_torn};
use crate::global_options::Global;
use crate::output::{self, WrongUsage};

impl Train {
    /// Trains and evaluates every fold and writes the run; also returns the number of files whose extraction failed. `None`
    /// if Ctrl-C stopped it.
    pub(super) fn cross_validate(
        &self,
        n_folds: usize,
        global: &Global,
    ) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let spec = SplitSpec { test: 0.0, ..self.split_spec()? };
        let recipe = self.recipe()?;
        let run = Run::create_folds(&self.output, self.overwrite, self.resume)?;
        let dashboard = self.open_dashboard(global)?;
        let Some(data) = self.data(&recipe, &run, dashboard, global)? else { return Ok(None) };
        let recipe = self.for_task(recipe, &data, global)?;
        let folds = given_or_drawn(&data.store, n_folds, &spec)?;
        run.begin_folds(&folds, &data.store)?;
        let cross =
            CrossValidation { train: self, global, run: &run, recipe: &recipe, data: &data, spec: &spec };
        let Some(evaluated) = cross.evaluate(&folds)? else { return Ok(None) };
        let mut final_model = None;
        if self.final_model {
            let Some(trained) = cross.train_final(&folds)? else { return Ok(None) };
            final_model = Some(trained);
        }
        let (trained, fingerprint) = final_model.unzip();
        let config = self.config(&data.features, &self.output, fingerprint)?;
        run.save_folds(&evaluated, &folds, trained.as_ref(), &data.store, &recipe, &config)?;
        data.end(&evaluated.report);
        Ok(Some((evaluated.report, data.n_lost)))
    }
}

/// The folds of the manifest or, if it has none, `n_folds` random ones.
fn given_or_drawn(store: &FeatureStore, n_folds: usize, spec: &SplitSpec) -> anyhow::Result<Folds> {
    let Some(given) = Folds::from_tracks(store.tracks(), spec.by) else {
        return Ok(Folds::draw(store.tracks(), store.labels(), spec.by, n_folds, spec.seed)?);
    };
    ensure!(
        given.n_folds() == n_folds,
        WrongUsage(format!(
            "the manifest gives {} folds ({}); set --folds to this number, or extract without its column `fold`",
            given.n_folds(),
            given.names.join(", ")
        ))
    );
    Ok(given)
}

/// What a cross-validation needs to train its folds.
struct CrossValidation<'a> {
    train: &'a Train,
    global: &'a Global,
    run: &'a Run,
    recipe: &'a Recipe,
    data: &'a Data,
    /// How each fold is split.
    spec: &'a SplitSpec,
}

impl CrossValidation<'_> {
    /// Trains and evaluates fold after fold.
    fn evaluate(&self, folds: &Folds) -> anyhow::Result<Option<Evaluated>> {
        let mut pool = Pool::new(folds, self.spec);
        for (fold, name) in folds.names.iter().enumerate() {
            let Some((predictions, report)) = self.fold(&pool, fold)? else { return Ok(None) };
            if !self.global.quiet {
                let place = format!("fold {name} ({} of {})", fold + 1, folds.n_folds());
                output::note(&format!("{place}: {}", report.headline()));
            }
            pool.add(&predictions, report);
        }
        Ok(Some(pool.evaluate(&self.data.store)?))
    }

    /// Trains and evaluates one fold, unless it is finished and `--resume` is given.
    fn fold(&self, pool: &Pool<'_>, fold: usize) -> anyhow::Result<Option<(Predictions, EvaluationReport)>> {
        let Self { train, data, .. } = self;
        let store = &data.store;
        let run = self.run.fold(fold);
        let split = pool.split(fold, store)?;
        let prepared = train.job(data, self.recipe, split, self.spec.clone(), self.global).prepare()?;
        if fold == 0 && !(self.global.quiet || train.json) {
            output::print(&prepared.summary())?;
        }
        if !self.global.quiet {
            output::note(&prepared.split_summary().to_string());
        }
        tell_torn(&prepared);
        train.train_inside(prepared, &run, data, self.recipe, &format!("fold {}", fold + 1), self.global)
    }

    /// Trains the final model; also returns the fingerprint of that training.
    fn train_final(&self, folds: &Folds) -> anyhow::Result<Option<(Trained, String)>> {
        let Self { train, data, spec, .. } = self;
        let store = &data.store;
        let split = folds.split_without_test(store.tracks(), store.labels(), spec)?;
        let split = store.segments_of_split(split);
        let job = train.job(data, self.recipe, split, SplitSpec::clone(spec), self.global);
        let prepared = job.prepare()?;
        let fingerprint = prepared.fingerprint();
        let checkpoint = if train.resume { self.run.checkpoint(&fingerprint)? } else { None };
        let stage = data.stage("final", self.global);
        let trained = fit(prepared, checkpoint.as_deref(), self.run, fingerprint.clone(), stage)?;
        Ok(trained.map(|trained| (trained, fingerprint)))
    }
}
