//! `cantus train`: trains a recipe on features, evaluates it on held-out tracks, and writes a run.

mod automatic;
mod data;
mod display;
mod folds;
mod settings;
mod split_options;
mod start_options;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use cantus::report::EvaluationReport;
use cantus::{Error, OptionProblem, Recipe, Run, RunOptions, SplitPurpose, StartingModel, TrainOptions};
use cantus_audio::feature::FeatureKind;
use cantus_dataset::FeatureStore;
use cantus_nn::{Batching, EarlyStopping};
use cantus_serve::Dashboard;
use clap::Args;

use self::display::Display;
use self::split_options::SplitOptions;
use self::start_options::StartOptions;
use super::byte_size::{self, ByteSize};
use super::embedding_options::{self, EmbeddingOptions};
use super::port;
use super::segment_options::SegmentOptions;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Train a classifier by a recipe and evaluate it on held-out tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus train MUSIC -o run
      several recipes are tried on the training part; the best one is trained and evaluated on held-out tracks
  cantus train MUSIC -o run --embedding musicnn.onnx
      with the output of a network that others have trained
  cantus train features -o run
      on features that were extracted before, a quarter held out; no artist or group in two parts, where they are known
  cantus train features -o run --group parent
      no folder (an album, a session) in two parts
  cantus train features -o run --folds 5
      cross-validation: every track is tested once
  cantus train features -o run --folds 5 --fold 2
      one fold of it, as one of five jobs
  cantus train features -o run --split track
      although groups are known; the report says what it hides
  cantus train MUSIC -m mlp-regularised -o run
      straight from a folder of recordings
  cantus train MUSIC --background NOISE -o run
      with a class for \"none of these\", trained on NOISE
  cantus train features -o run --split-lists train.txt valid.txt test.txt
  cantus train MUSIC -m best -o run --validation 0
      the most accurate recipe for few recordings
  cantus train features -m my-recipe.toml -o run
      a recipe of your own; start from run/recipe.toml
  cantus train MUSIC -o run --from other-run --freeze 4
      fine-tuning: start from the layers of a trained model, of which the first four stay as they are
  cantus train features -o run --dashboard
      the curves live, at http://127.0.0.1:8081
  cantus train features -o run --resume
      continue after Ctrl-C")]
pub struct Train {
    /// Feature store, or folder of label folders
    data: PathBuf,
    /// Recipe: best, ensemble, logistic-regression, kernel-machine, log-mel-cnn, log-mel-pooled-cnn, embedding, embedding-kernel,
    /// embedding-mlp, embedding-best, mlp, mlp-normalised, mlp-regularised, cnn, rnn, lstm, gru, multi-timescale-lstm, or a TOML file [default: for
    /// recordings the best of several, for a feature store mlp-normalised, or embedding]
    #[arg(long, short, value_name = "RECIPE")]
    model: Option<String>,
    /// Minutes in which recipes are tried, if none is named; the training of the chosen one comes after them
    #[arg(long, value_name = "MINUTES", default_value_t = BUDGET_MIN, value_parser = minutes, conflicts_with = "model")]
    budget: f64,
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
    /// Memory for features, such as 512MiB; of a feature store that is larger, they are read as they are needed. The result does not
    /// depend on it [default: 2GiB]
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse)]
    memory: Option<ByteSize>,
    #[command(flatten)]
    split: SplitOptions,
    /// Folder of recordings that belong to none of the classes, of any depth: they are the class `_background_`
    #[arg(long, value_name = "FOLDER")]
    background: Option<PathBuf>,
    /// Cross-validate: test on each of N folds a model that is trained on the others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    folds: Option<u16>,
    /// Of a cross-validation, train only this fold, from 1: other processes train the others; then the same command with --resume
    /// and without --fold finishes the run
    #[arg(
        long, value_name = "I", requires = "folds", conflicts_with_all = ["final_model", "overwrite"],
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    fold: Option<u16>,
    /// After the evaluation, train a final model on all tracks except a validation part
    #[arg(long = "final")]
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
    #[command(flatten)]
    segments: SegmentOptions,
    #[command(flatten)]
    embeddings: EmbeddingOptions,
    #[command(flatten)]
    start: StartOptions,
}

/// Default of `--budget`.
const BUDGET_MIN: f64 = 10.0;
/// Recipe for a feature store, if none is named.
const RECIPE_FOR_STORES: &str = "mlp-normalised";

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.0..=1e6).contains(&minutes) => Ok(minutes),
        Ok(_) => Err("must be from 0 to 1000000 minutes".to_owned()),
        Err(error) => Err(error.to_string()),
    }
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
    /// Bytes of memory for features, if they are given.
    fn memory(&self) -> Option<u64> {
        self.memory.map(|ByteSize(n_bytes)| n_bytes as u64)
    }

    /// The demonstration's training: the lecture's multilayer perceptron on normalised features. With the lecture's own settings
    /// (`mlp`) it is far less accurate on the synthetic tracks.
    pub fn of_demo(features: PathBuf, run: PathBuf, seed: u64) -> Self {
        Self {
            data: features,
            model: Some(RECIPE_FOR_STORES.to_owned()),
            memory: None,
            budget: BUDGET_MIN,
            output: run,
            epochs: None,
            batch_size: None,
            learning_rate: None,
            patience: None,
            seed,
            split: SplitOptions::default(),
            segments: SegmentOptions::default(),
            embeddings: EmbeddingOptions::default(),
            start: StartOptions::default(),
            background: None,
            folds: None,
            fold: None,
            final_model: false,
            resume: false,
            overwrite: true,
            json: false,
            dashboard: None,
        }
    }

    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let done = match self.folds {
            _ if self.is_automatic() => self.train_automatically(global)?,
            Some(n_folds) => match self.fold {
                Some(fold) => self.train_fold(fold.into(), n_folds.into(), global)?,
                None => self.cross_validate(n_folds.into(), global)?,
            },
            None => self.train(global)?,
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
        if let Some(fold) = self.fold {
            return format!(
                "fold {fold} in {run}; when all are trained, --resume without --fold finishes the run"
            );
        }
        if self.folds.is_some() && !self.final_model {
            return format!("run in {run}, with a run for each fold; --resume --final adds a final model");
        }
        format!("run in {run}; next: cantus predict {run} SONG")
    }

    /// Trains and writes the run; returns the report and the number of files whose extraction failed. `None` if Ctrl-C
    /// stopped it.
    pub fn train(&self, global: &Global) -> anyhow::Result<Option<(EvaluationReport, usize)>> {
        let split = self.split.spec(self.seed, SplitPurpose::Training)?;
        let start = self.start.open()?;
        let recipe = self.recipe(start.as_ref())?;
        let run = Run::create(&self.output, self.run_options())?.with_settings(&self.settings())?;
        let dashboard = self.open_dashboard(global)?;
        let Some(data) = self.data(split, &recipe, &run, global)? else { return Ok(None) };
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
        let evaluated = match self.final_model {
            true => run.train_final(&data.store, &recipe, &options),
            false => run.train(&data.store, &recipe, &options),
        };
        Ok(display.finish(evaluated)?.map(|evaluated| (evaluated.report, data.n_lost)))
    }

    /// Whether a recipe is to be selected: none is named, and the data are recordings.
    fn is_automatic(&self) -> bool {
        let is_named = self.model.is_some() || self.start.is_given();
        !is_named && self.folds.is_none() && !FeatureStore::is_store(&self.data)
    }

    /// The name of the recipe, if none is to be selected.
    fn recipe_name(&self) -> &str {
        let of_store = || match FeatureStore::kinds(&self.data) {
            Ok(kinds) if kinds.contains(&FeatureKind::Embedding) => embedding_options::RECIPE,
            _ => RECIPE_FOR_STORES,
        };
        self.model.as_deref().unwrap_or_else(of_store)
    }

    fn run_options(&self) -> RunOptions {
        RunOptions { overwrite: self.overwrite, resume: self.resume }
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

    /// The recipe with the changes of the command line.
    fn recipe(&self, start: Option<&StartingModel>) -> anyhow::Result<Recipe> {
        if let Some(start) = start {
            return Ok(self.changed(self.start.recipe(start, self.model.as_deref())?));
        }
        if self.model.is_none() && self.folds.is_some() && !FeatureStore::is_store(&self.data) {
            return Err(Error::from(OptionProblem::FoldsWithoutRecipe).into());
        }
        let recipe = Recipe::load(self.recipe_name()).map_err(|error| WrongUsage(error.to_string()))?;
        let recipe = match FeatureStore::is_store(&self.data) {
            // The features of a store contain their models.
            true => recipe,
            false => self.embeddings.of_recipe(recipe)?,
        };
        Ok(self.changed(recipe))
    }

    /// A recipe with the changes of the command line.
    fn changed(&self, mut recipe: Recipe) -> Recipe {
        for Recipe { training, .. } in recipe.networks_mut() {
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
        }
        recipe
    }
}
