//! `cantus train`: features in, a run with a model in it out.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use cantus::evaluation::{Answers, data_sha256};
use cantus::report::Verdict;
use cantus::run::{Config, Origin, Run};
use cantus::serve::Dashboard;
use cantus::training::{Examined, Job, Prepared, Trained};
use cantus::{Recipe, Task};
use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec};
use cantus_nn::{Batching, EarlyStopping};
use clap::Args;

use super::extract;
use super::leak::Honest;
use super::port;
use super::split_options::SplitOptions;
use super::watch::Watch;
use crate::cli::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Train a classifier, keep its best epoch, score it on held-out tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus train features -m mlp -o run
      by track, a quarter held out
  cantus train features -o run --group artist
      no artist in two parts: the honest figure
  cantus train features -o run --group artist --folds 5
      every track examined once: the figure to quote
  cantus train MUSIC -m mlp-regularised -o run
      straight from a folder of recordings
  cantus train features -o run --split-lists train.txt valid.txt test.txt
  cantus train MUSIC -m best -o run --validation 0
      what scores highest on few recordings
  cantus train features -m my-recipe.toml -o run
      a recipe of your own; begin with run/recipe.toml
  cantus train features -o run --dashboard
      the curves live, at http://127.0.0.1:8081
  cantus train features -o run --resume
      go on where Ctrl-C stopped it")]
pub struct Train {
    /// Feature store, or folder of label folders
    pub(super) data: PathBuf,
    /// Recipe: mlp, mlp-regularised, cnn, rnn, lstm, gru, best, or a TOML file
    #[arg(long, short, default_value = "mlp", value_name = "RECIPE")]
    model: String,
    /// Run folder to make
    #[arg(long, short, value_name = "RUN")]
    pub(super) output: PathBuf,
    /// Most passes over the training part [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Segments per step [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    batch_size: Option<usize>,
    /// Step size of the optimizer [default: the recipe's]
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true)]
    learning_rate: Option<f32>,
    /// Epochs without a lower validation loss before training stops; 0 never stops early [default: the recipe's]
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Seed of the split, the first weights, the order of segments
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) split: SplitOptions,
    /// Cross-validate: examine each of N folds by a model that has learnt from the others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub(super) folds: Option<u16>,
    /// After a cross-validation, train the model to use: on all tracks, but for a validation part
    #[arg(long = "final", requires = "folds")]
    pub(super) final_model: bool,
    /// Go on with an interrupted training of the same options
    #[arg(long)]
    pub(super) resume: bool,
    /// Replace a run in the output folder, finished or interrupted
    #[arg(long)]
    pub(super) overwrite: bool,
    /// The report as one JSON document
    #[arg(long)]
    pub(super) json: bool,
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
    /// The demonstration's training: the lecture's network as its recipe has it.
    pub fn of_demo(features: PathBuf, run: PathBuf, seed: u64) -> Self {
        Self {
            data: features,
            model: "mlp".to_owned(),
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
            // Behind the network's table, where there is one.
            let gap = if global.quiet { "" } else { "\n" };
            output::print(&format!("{gap}{}", report.to_text()))?;
            if !global.quiet {
                output::note(&self.farewell());
            }
        }
        Ok(Outcome::from_failures(n_lost))
    }

    /// Where the run is, and what to do with it.
    fn farewell(&self) -> String {
        let run = self.output.display();
        if self.folds.is_some() && !self.final_model {
            return format!(
                "run in {run}, a run for each fold inside it; --resume --final adds a model to use"
            );
        }
        format!("run in {run}; next: cantus predict {run} SONG")
    }

    /// Trains and writes the run; also tells how many files were lost on the way. None if Ctrl-C stopped it.
    pub fn train(&self, global: &Global) -> anyhow::Result<Option<(Trained, Verdict, usize)>> {
        let spec = self.split_spec()?;
        let recipe = self.recipe()?;
        let run = Run::create(&self.output, self.overwrite, self.resume)?;
        let dashboard = self.open_dashboard(global)?;
        let Some(data) = self.data(&recipe, &run, dashboard, global)? else { return Ok(None) };
        let recipe = self.for_task(recipe, &data, global)?;
        let without_leak = match self.without_leak(&run, &data, &recipe, &spec, global)? {
            Honest::Found(scores) => Some(scores),
            Honest::None => None,
            Honest::Interrupted => return Ok(None),
        };
        let split = data.store.split(&spec)?;
        let prepared = self.job(&data, &recipe, split, spec, global).prepare()?;
        if !(global.quiet || self.json) {
            output::print(&prepared.summary())?;
            output::note(&prepared.split_summary().to_string());
            if prepared.n_copied_segments() > 0 {
                output::note(&format!(
                    "training on {} segments of altered copies too",
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
        let mut examined = trained.examine(&data.store)?;
        if let Verdict::Classes(report) = &mut examined.report {
            report.without_leak = without_leak;
        }
        let config = self.config(&data.features, &self.output, Some(fingerprint))?;
        run.save(&trained, &examined, &data.store, &recipe, &config)?;
        let Examined { report, .. } = examined;
        data.end(&report);
        Ok(Some((trained, report, data.n_lost)))
    }

    /// Trains and examines in a run inside the run, unless that is there already and may be kept.
    pub(super) fn train_inside(
        &self,
        prepared: Prepared<'_>,
        run: &Run,
        data: &Data,
        recipe: &Recipe,
        what: &str,
        global: &Global,
    ) -> anyhow::Result<Option<(Answers, Verdict)>> {
        let fingerprint = prepared.fingerprint();
        if self.resume
            && let Some(finished) = run.finished(&fingerprint, &data.store)?
        {
            return Ok(Some(finished));
        }
        let checkpoint = if self.resume { run.checkpoint(&fingerprint)? } else { None };
        let stage = data.stage(what, global);
        let trained = fit(prepared, checkpoint.as_deref(), run, fingerprint.clone(), stage)?;
        let Some(trained) = trained else { return Ok(None) };
        let examined = trained.examine(&data.store)?;
        let config = self.config(&data.features, &run.path(""), Some(fingerprint))?;
        run.save(&trained, &examined, &data.store, recipe, &config)?;
        Ok(Some((examined.answers, examined.report)))
    }

    /// The recipe as it is followed for what the labels of the data are; told, where they are tags.
    pub(super) fn for_task(&self, recipe: Recipe, data: &Data, global: &Global) -> anyhow::Result<Recipe> {
        let task = Task::of_store(&data.store);
        let followed = recipe.for_task(task)?;
        if task == Task::Tagging && !global.quiet {
            output::note(&tell_tags(&data.store, followed.training.loss != recipe.training.loss));
        }
        Ok(followed)
    }

    /// A training on the data, with the options of the command line.
    pub(super) fn job<'a>(
        &self,
        data: &'a Data,
        recipe: &'a Recipe,
        split: SegmentSplit,
        spec: SplitSpec,
        global: &Global,
    ) -> Job<'a> {
        let n_threads = global.jobs.map_or(0, usize::from);
        let Data { store, sha256, .. } = data;
        Job { store, recipe, split, spec, data_sha256: sha256, seed: self.seed, n_threads }
    }

    /// The features, with their groups. None if Ctrl-C stopped their extraction.
    pub(super) fn data(
        &self,
        recipe: &Recipe,
        run: &Run,
        dashboard: Option<Dashboard>,
        global: &Global,
    ) -> anyhow::Result<Option<Data>> {
        let Some((features, n_lost)) = self.features(recipe, run, global)? else { return Ok(None) };
        let mut store = FeatureStore::open(&features)?;
        self.split.assign(&mut store, global)?;
        if !global.quiet {
            tell_copies(&store);
        }
        let sha256 = data_sha256(&store)?;
        Ok(Some(Data { store, features, sha256, n_lost, dashboard }))
    }

    /// The page that shows the training, if it was asked for; before anything else, so that a port in use costs no time.
    pub(super) fn open_dashboard(&self, global: &Global) -> anyhow::Result<Option<Dashboard>> {
        let Some(port) = self.dashboard else { return Ok(None) };
        let listener = port::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "--dashboard=PORT")?;
        let run = self.output.display().to_string();
        let dashboard = Dashboard::open(listener, &run).context("the dashboard cannot be opened")?;
        if !global.quiet {
            output::note(&format!("dashboard: http://{}", dashboard.address()));
        }
        Ok(Some(dashboard))
    }

    /// Where an interrupted training is gone on from, if that was asked for.
    pub(super) fn checkpoint(
        &self,
        run: &Run,
        fingerprint: &str,
        global: &Global,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        if !self.resume {
            return Ok(None);
        }
        let checkpoint = run.checkpoint(fingerprint)?;
        if checkpoint.is_none() && !global.quiet {
            let run = self.output.display();
            output::note(&format!("no interrupted training in {run}; beginning at the beginning"));
        }
        Ok(checkpoint)
    }

    /// How the tracks are split.
    pub(super) fn split_spec(&self) -> anyhow::Result<SplitSpec> {
        self.split.spec(self.seed, self.folds.is_some())
    }

    /// The recipe with what was changed of it on the command line.
    pub(super) fn recipe(&self) -> anyhow::Result<Recipe> {
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

    /// The feature store given, or one made inside the run of the recordings given, and how many of these were lost; none
    /// if interrupted.
    fn features(
        &self,
        recipe: &Recipe,
        run: &Run,
        global: &Global,
    ) -> anyhow::Result<Option<(PathBuf, usize)>> {
        if FeatureStore::is_store(&self.data) {
            return Ok(Some((self.data.clone(), 0)));
        }
        let store = run.path("features");
        let copies = recipe.augmentation.copy_spec();
        let choices = extract::Choices {
            overwrite: self.overwrite,
            augmentation: Some(&copies),
            ..extract::Choices::default()
        };
        let extraction = extract::extract_folder(&self.data, &recipe.features, &store, choices, global)?;
        Ok(extraction.map(|extraction| {
            extract::tell(&extraction, &store, global);
            (store, extraction.failures.len())
        }))
    }

    /// The options under their names, for `config.toml` in the folder `run`.
    pub(super) fn config(
        &self,
        features: &Path,
        run: &Path,
        fingerprint: Option<String>,
    ) -> anyhow::Result<Config> {
        let mut train = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| train.insert(name.to_owned(), value);
        set("model", self.model.clone().into());
        set("seed", whole_number(self.seed));
        if let Some(n_folds) = self.folds {
            set("folds", whole_number(n_folds.into()));
            set("final", self.final_model.into());
        }
        train.extend(self.split.settings(self.folds.is_some()));
        let mut set = |name: &str, value: toml::Value| train.insert(name.to_owned(), value);
        self.epochs.map(|n| set("epochs", whole_number(n as u64)));
        self.batch_size.map(|n| set("batch_size", whole_number(n as u64)));
        self.learning_rate.map(|rate| set("learning_rate", as_typed(rate)));
        self.patience.map(|n| set("patience", whole_number(n as u64)));
        let to_output = if run == self.output { "" } else { ".." };
        let features = features
            .strip_prefix(&self.output)
            .map_or_else(|_| features.canonicalize(), |inside| Ok(Path::new(to_output).join(inside)))?;
        let cantus_version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Config { train, run: Origin { features, cantus_version, fingerprint } })
    }
}

/// Says what tags there are, and what they make of the recipe.
fn tell_tags(store: &FeatureStore, is_changed: bool) -> String {
    let labels = match store.labels().len() {
        1 => "1 label, or none".to_owned(),
        n => format!("{n} labels, several to a track"),
    };
    let n_tags: usize = store.tracks().iter().map(|track| track.labels.len()).sum();
    let n_without = store.tracks().iter().filter(|track| track.labels.is_empty()).count();
    let mean = n_tags as f64 / store.tracks().len().max(1) as f64;
    let changed = if is_changed {
        "; sigmoid and binary cross-entropy take the place of the recipe's softmax and categorical cross-entropy"
    } else {
        ""
    };
    format!("{labels}: {mean:.1} on average, none in {n_without} of {} tracks{changed}", store.tracks().len())
}

/// Says which tracks the split keeps together, whatever it is made by.
fn tell_copies(store: &FeatureStore) {
    let of_recordings: Vec<&str> =
        store.tracks().iter().filter_map(|track| track.recording.as_deref()).collect();
    let n_recordings = of_recordings.iter().collect::<std::collections::BTreeSet<_>>().len();
    if n_recordings > 0 {
        let n_tracks = of_recordings.len();
        output::note(&format!(
            "{n_tracks} tracks are copies of {} (recordings.csv of the features); the split keeps the copies of each together",
            output::count(n_recordings, "recording")
        ));
    }
}

/// A number for TOML, whose integers end where those of i64 do; beyond, the text that a flag would have.
fn whole_number(n: u64) -> toml::Value {
    i64::try_from(n).map_or_else(|_| n.to_string().into(), toml::Value::from)
}

/// The decimal number that was typed, and not the digits that its nearest f32 has as an f64.
fn as_typed(number: f32) -> toml::Value {
    number.to_string().parse().unwrap_or(f64::from(number)).into()
}

/// Names recordings of which a split that was given has copies in several parts.
pub(super) fn tell_torn(prepared: &Prepared<'_>) {
    for recording in prepared.torn_recordings() {
        output::note(&format!(
            "the given split has copies of {recording} on several sides: the figure flatters"
        ));
    }
}

/// Features to train on.
pub(super) struct Data {
    pub(super) store: FeatureStore,
    /// Where they lie.
    pub(super) features: PathBuf,
    pub(super) sha256: String,
    /// Files that were lost when they were extracted for this run.
    pub(super) n_lost: usize,
    /// Where the training is shown, if anywhere but in the terminal.
    dashboard: Option<Dashboard>,
}

impl Data {
    /// A training called `what`, among those that are made on the data.
    pub(super) fn stage<'a>(&'a self, what: &'a str, global: &Global) -> Stage<'a> {
        Stage { what, quiet: global.quiet, dashboard: self.dashboard.as_ref() }
    }

    /// Tells the dashboard what came of it all.
    pub(super) fn end(&self, report: &Verdict) {
        if let Some(dashboard) = &self.dashboard {
            dashboard.end(report.to_text().lines().next().unwrap_or_default());
        }
    }
}

/// How one training is shown.
pub(super) struct Stage<'a> {
    pub(super) what: &'a str,
    quiet: bool,
    dashboard: Option<&'a Dashboard>,
}

/// Trains behind a bar and before a dashboard; on Ctrl-C keeps a checkpoint and returns none.
pub(super) fn fit(
    prepared: Prepared<'_>,
    checkpoint: Option<&[u8]>,
    run: &Run,
    fingerprint: String,
    stage: Stage<'_>,
) -> anyhow::Result<Option<Trained>> {
    let Stage { what, quiet, dashboard } = stage;
    let bar = progress::training_bar(what, prepared.n_epochs(), quiet);
    if let Some(dashboard) = dashboard {
        dashboard.begin(what, prepared.n_epochs());
    }
    let mut watch = Watch::new(&bar, dashboard, run, fingerprint);
    let trained = prepared.train(checkpoint, |progress| watch.observe(progress))?;
    bar.finish_and_clear();
    if let Some(failure) = watch.failure() {
        return Err(failure.into());
    }
    if interrupt::requested() {
        output::note("stopped; the same command with --resume goes on from here");
        return Ok(None);
    }
    Ok(Some(trained))
}
