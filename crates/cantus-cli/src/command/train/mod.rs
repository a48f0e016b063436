//! `cantus train`: trains a recipe on features, evaluates it on held-out tracks, and writes a run.

mod data;
mod folds;
mod leak_check;
mod progress_observer;
mod settings;
mod split_options;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use cantus::evaluation::Predictions;
use cantus::report::EvaluationReport;
use cantus::run::Run;
use cantus::training::{Evaluated, Job, Prepared, Trained};
use cantus::{Model, Recipe};
use cantus_dataset::{SegmentSplit, SplitSpec};
use cantus_nn::{Batching, EarlyStopping};
use cantus_serve::Dashboard;
use clap::Args;

use self::data::Data;
use self::leak_check::LeakCheck;
use self::progress_observer::ProgressObserver;
use self::split_options::SplitOptions;
use super::port;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Train a classifier by a recipe and evaluate it on held-out tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus train features -o run
      by track, a quarter held out
  cantus train features -o run --group artist
      no artist in two parts: the unbiased estimate
  cantus train features -o run --group artist --folds 5
      cross-validation: every track is tested once
  cantus train MUSIC -m mlp-regularised -o run
      straight from a folder of recordings
  cantus train features -o run --split-lists train.txt valid.txt test.txt
  cantus train MUSIC -m best -o run --validation 0
      the most accurate recipe for few recordings
  cantus train features -m my-recipe.toml -o run
      a recipe of your own; start from run/recipe.toml
  cantus train features -o run --dashboard
      the curves live, at http://127.0.0.1:8081
  cantus train features -o run --resume
      continue after Ctrl-C")]
pub struct Train {
    /// Feature store, or folder of label folders
    data: PathBuf,
    /// Recipe: mlp, mlp-normalised, mlp-regularised, cnn, rnn, lstm, gru, multi-timescale-lstm, best, or a TOML file
    #[arg(long, short, default_value = "mlp-normalised", value_name = "RECIPE")]
    model: String,
    /// Run folder to create
    #[arg(long, short, value_name = "RUN")]
    output: PathBuf,
    /// Maximum number of epochs [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Segments per batch [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    batch_size: Option<usize>,
    /// Learning rate of the optimizer [default: the recipe's]
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true)]
    learning_rate: Option<f32>,
    /// Epochs without a lower validation loss before training stops; 0 never stops early [default: the recipe's]
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Seed of the split, the initial weights and the order of segments
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    split: SplitOptions,
    /// Cross-validate: test on each of N folds a model that is trained on the others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    folds: Option<u16>,
    /// After a cross-validation, train a final model on all tracks except a validation part
    #[arg(long = "final", requires = "folds")]
    final_model: bool,
    /// Continue an interrupted training with the same options
    #[arg(long)]
    resume: bool,
    /// Replace a run in the output folder, finished or interrupted
    #[arg(long)]
    overwrite: bool,
    /// The report as one JSON document
    #[arg(long)]
    json: bool,
    /// Show the curves of the training while it runs, at http://127.0.0.1:PORT; 0 for any port that is free [default: 8081]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "8081")]
    dashboard: Option<u16>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        Ok(_) => Err("must be more than 0".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Train {
    /// The demonstration's training: the lecture's multilayer perceptron on normalised features. With the lecture's own settings
    /// (`mlp`) it is far less accurate on the synthetic tracks.
    pub fn of_demo(features: PathBuf, run: PathBuf, seed: u64) -> Self {
        Self {
            data: features,
            model: "mlp-normalised".to_owned(),
            output: run,
            epochs: None,
            batch_size: None,
            learning_rate: None,
            patience: None,
            seed,
            split: SplitOptions::default(),
            folds: None,
            final_model: false,
            resume: false,
            overwrite: true,
            json: false,
            dashboard: None,
        }
    }

    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let done = match self.folds {
            Some(n_folds) => self.cross_validate(n_folds.into(), global)?,
            None => self.train(global)?.map(|(_, report, n_lost)| (report, n_lost)),
        };
        let Some((report, n_lost)) = done else { return Ok(Outcome::Interrupted) };
        if self.json {
            output::json(&report)?;
        } else {
            // Separates the report from the summary of the network, which `--quiet` omits.
            let gap = if global.quiet { "" } else { "\n" };
            output::print(&format!("{gap}{}", report.to_text()))?;
            if !global.quiet {
                output::note(&self.next_steps());
            }
        }
        Ok(Outcome::from_failures(n_lost))
    }

    /// Where the run is, and which command to run next.
    fn next_steps(&self) -> String {
        let run = self.output.display();
        if self.folds.is_some() && !self.final_model {
            return format!("run in {run}, with a run for each fold; --resume --final adds a final model");
        }
        format!("run in {run}; next: cantus predict {run} SONG")
    }

    /// Trains and writes the run; also returns the number of files whose extraction failed. `None` if Ctrl-C stopped it.
    pub fn train(&self, global: &Global) -> anyhow::Result<Option<(Trained, EvaluationReport, usize)>> {
        let spec = self.split_spec()?;
        let recipe = self.recipe()?;
        let run = Run::create(&self.output, self.overwrite, self.resume)?;
        let dashboard = self.open_dashboard(global)?;
        let Some(data) = self.data(&recipe, &run, dashboard, global)? else { return Ok(None) };
        let recipe = self.for_task(recipe, &data, global)?;
        let without_leak = match self.without_leak(&run, &data, &recipe, &spec, global)? {
            LeakCheck::Found(scores) => Some(scores),
            LeakCheck::None => None,
            LeakCheck::Interrupted => return Ok(None),
        };
        let split = data.store.split(&spec)?;
        let prepared = self.job(&data, &recipe, split, spec, global).prepare()?;
        if !(global.quiet || self.json) {
            output::print(&prepared.summary())?;
            output::note(&prepared.split_summary().to_string());
            if prepared.n_copied_segments() > 0 {
                output::note(&format!(
                    "training on {} segments of augmented copies too",
                    prepared.n_copied_segments()
                ));
            }
        }
        tell_torn(&prepared);
        let fingerprint = prepared.fingerprint();
        let checkpoint = self.checkpoint(&run, &fingerprint, global)?;
        let trained =
            fit(prepared, checkpoint.as_deref(), &run, fingerprint.clone(), data.stage("train", global))?;
        let Some(trained) = trained else { return Ok(None) };
        let mut evaluated = trained.evaluate(&data.store)?;
        if let EvaluationReport::Classes(report) = &mut evaluated.report {
            report.without_leak = without_leak;
        }
        let config = self.config(&data.features, &self.output, Some(fingerprint))?;
        run.save(&trained, &evaluated, &data.store, &recipe, &config)?;
        let Evaluated { report, .. } = evaluated;
        data.end(&report);
        Ok(Some((trained, report, data.n_lost)))
    }

    /// Trains and evaluates in a nested run, unless that is finished and `--resume` is given.
    fn train_inside(
        &self,
        prepared: Prepared<'_>,
        run: &Run,
        data: &Data,
        recipe: &Recipe,
        what: &str,
        global: &Global,
    ) -> anyhow::Result<Option<(Predictions, EvaluationReport)>> {
        let fingerprint = prepared.fingerprint();
        if self.resume
            && let Some(finished) = run.finished(&fingerprint, &data.store, global.n_threads())?
        {
            return Ok(Some(finished));
        }
        let checkpoint = if self.resume { run.checkpoint(&fingerprint)? } else { None };
        let stage = data.stage(what, global);
        let trained = fit(prepared, checkpoint.as_deref(), run, fingerprint.clone(), stage)?;
        let Some(trained) = trained else { return Ok(None) };
        let evaluated = trained.evaluate(&data.store)?;
        let config = self.config(&data.features, &run.path(""), Some(fingerprint))?;
        run.save(&trained, &evaluated, &data.store, recipe, &config)?;
        Ok(Some((evaluated.predictions, evaluated.report)))
    }

    /// A training on the data, with the options of the command line.
    fn job<'a>(
        &self,
        data: &'a Data,
        recipe: &'a Recipe,
        split: SegmentSplit,
        spec: SplitSpec,
        global: &Global,
    ) -> Job<'a> {
        let n_threads = global.n_threads();
        let Data { store, sha256, .. } = data;
        Job { store, recipe, split, spec, data_sha256: sha256, seed: self.seed, n_threads }
    }

    /// Opens the live page of the training, if requested; first of all, so that a port in use costs no time.
    fn open_dashboard(&self, global: &Global) -> anyhow::Result<Option<Dashboard>> {
        let Some(port) = self.dashboard else { return Ok(None) };
        let listener = port::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "--dashboard=PORT")?;
        let run = self.output.display().to_string();
        let dashboard = Dashboard::start(listener, &run).context("the dashboard cannot be opened")?;
        if !global.quiet {
            output::note(&format!("dashboard: http://{}", dashboard.address()));
        }
        Ok(Some(dashboard))
    }

    /// The checkpoint of an interrupted training, with `--resume`.
    fn checkpoint(&self, run: &Run, fingerprint: &str, global: &Global) -> anyhow::Result<Option<Vec<u8>>> {
        if !self.resume {
            return Ok(None);
        }
        let checkpoint = run.checkpoint(fingerprint)?;
        if checkpoint.is_none() && !global.quiet {
            let run = self.output.display();
            output::note(&format!("no interrupted training in {run}; starting from the beginning"));
        }
        Ok(checkpoint)
    }

    /// How the tracks are split.
    fn split_spec(&self) -> anyhow::Result<SplitSpec> {
        self.split.spec(self.seed, self.folds.is_some())
    }

    /// The recipe with the changes of the command line.
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let mut recipe = Recipe::load(&self.model).map_err(|error| WrongUsage(error.to_string()))?;
        let training = &mut recipe.training;
        training.seed = self.seed;
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.batching = self.batch_size.map_or(training.batching, Batching::Mini);
        if let Some(rate) = self.learning_rate {
            training.optimizer = training.optimizer.with_learning_rate(rate);
        }
        match self.patience {
            Some(0) => training.early_stopping = None,
            Some(patience) => {
                training.early_stopping =
                    Some(EarlyStopping { patience, ..training.early_stopping.unwrap_or_default() });
            }
            None => {}
        }
        Ok(recipe)
    }
}

/// Saves the best model of a training that diverged, and returns the error to report.
fn diverged(run: &Run, source: &cantus_nn::Error, model: Option<&Model>) -> anyhow::Result<anyhow::Error> {
    let kept = run.save_diverged(model)?.map(|path| format!(" in {}", path.display())).unwrap_or_default();
    let advice = match source {
        cantus_nn::Error::Diverged { learning_rate, .. } => {
            format!("; for example --learning-rate {:.0e}", (learning_rate / 10.0).min(1e-3))
        }
        _ => String::new(),
    };
    Ok(anyhow::anyhow!("{source}{kept}{advice}"))
}

/// Reports recordings whose copies are in several parts of a given split.
fn tell_torn(prepared: &Prepared<'_>) {
    for recording in prepared.duplicates_across_split() {
        output::note(&format!(
            "the given split has copies of {recording} in several parts: the estimate is biased upwards"
        ));
    }
}

/// Display of one training.
struct Stage<'a> {
    what: &'a str,
    quiet: bool,
    dashboard: Option<&'a Dashboard>,
}

/// Trains, showing progress in a bar and a dashboard; on Ctrl-C writes a checkpoint and returns `None`.
fn fit(
    prepared: Prepared<'_>,
    checkpoint: Option<&[u8]>,
    run: &Run,
    fingerprint: String,
    stage: Stage<'_>,
) -> anyhow::Result<Option<Trained>> {
    let Stage { what, quiet, dashboard } = stage;
    let bar = progress::training_bar(what, prepared.n_epochs(), quiet);
    if let Some(dashboard) = dashboard {
        dashboard.start_stage(what, prepared.n_epochs());
    }
    let mut observer = ProgressObserver::new(&bar, dashboard, run, fingerprint);
    let trained = prepared.train(checkpoint, |progress| observer.observe(progress));
    bar.finish_and_clear();
    let trained = match trained {
        Err(cantus::Error::Diverged { source, model }) => {
            return Err(diverged(run, &source, model.as_deref())?);
        }
        trained => trained?,
    };
    if let Some(failure) = observer.failure() {
        return Err(failure.into());
    }
    if interrupt::requested() {
        output::note("stopped; the same command with --resume continues");
        return Ok(None);
    }
    Ok(Some(trained))
}
