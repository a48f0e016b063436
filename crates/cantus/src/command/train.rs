//! `cantus train`: features in, a run with a model in it out.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use cantus::Recipe;
use cantus::run::{Config, Origin, Run};
use cantus::training::{Job, Prepared, Trained};
use cantus_dataset::{FeatureStore, Grouping, SplitSpec, Unit, assign_groups};
use cantus_nn::{Batching, EarlyStopping};
use clap::{Args, ValueEnum};

use super::extract;
use super::watch::Watch;
use crate::cli::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Train a classifier, keep its best epoch, score it on held-out tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus train features -m mlp -o run                    by track, a quarter held out
  cantus train features -o run --group artist            no artist in two parts: the honest figure
  cantus train MUSIC -m mlp-regularised -o run           straight from a folder of recordings
  cantus train features -m my-recipe.toml -o run         a recipe of your own; begin with run/recipe.toml
  cantus train features -o run --resume                  go on where Ctrl-C stopped it")]
pub struct Train {
    /// Feature store, or folder of label folders
    data: PathBuf,
    /// Recipe: mlp, mlp-regularised, cnn, rnn, lstm, gru, or a TOML file
    #[arg(long, short, default_value = "mlp", value_name = "RECIPE")]
    model: String,
    /// Run folder to make
    #[arg(long, short, value_name = "RUN")]
    output: PathBuf,
    /// Most passes over the training part [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Segments per step [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    batch_size: Option<usize>,
    /// Step size of the optimizer [default: the recipe's]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    learning_rate: Option<f32>,
    /// Epochs without a lower validation loss before training stops; 0 never stops early [default: the recipe's]
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Seed of the split, the first weights, the order of segments
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// What the split keeps whole; `segment` is the lecture course's, which leaks [default: track, or group with --group]
    #[arg(long, value_enum, value_name = "UNIT")]
    split: Option<SplitBy>,
    /// What makes a group: `artist` (the tag), `parent` (the folder), or a CSV file with the columns path,group
    #[arg(long, value_name = "GROUPING")]
    group: Option<String>,
    /// Share of the validation part
    #[arg(long, default_value_t = VALIDATION, value_name = "SHARE")]
    validation: f64,
    /// Share of the test part
    #[arg(long, default_value_t = TEST, value_name = "SHARE")]
    test: f64,
    /// Go on with an interrupted training of the same options
    #[arg(long)]
    resume: bool,
    /// Replace a finished run in the output folder
    #[arg(long)]
    overwrite: bool,
    /// The report as one JSON document
    #[arg(long)]
    json: bool,
}

/// The course's share: a fifth of what the test leaves.
const VALIDATION: f64 = 0.15;
/// The course's share.
const TEST: f64 = 0.25;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SplitBy {
    Track,
    Group,
    Segment,
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
            split: None,
            group: None,
            validation: VALIDATION,
            test: TEST,
            resume: false,
            overwrite: true,
            json: false,
        }
    }

    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let Some((trained, n_lost)) = self.train(global)? else { return Ok(Outcome::Interrupted) };
        if self.json {
            output::json(&trained.report)?;
        } else {
            output::print(&format!("\n{}", trained.report.to_text()))?;
            if !global.quiet {
                output::note(&format!("run in {0}; next: cantus predict {0} SONG", self.output.display()));
            }
        }
        Ok(Outcome::from_failures(n_lost))
    }

    /// Trains and writes the run; also tells how many files were lost on the way. None if Ctrl-C stopped it.
    pub fn train(&self, global: &Global) -> anyhow::Result<Option<(Trained, usize)>> {
        let split = self.split_spec()?;
        let recipe = self.recipe()?;
        let run = Run::create(&self.output, self.overwrite)?;
        let Some((features, n_lost)) = self.features(&recipe, &run, global)? else { return Ok(None) };
        let mut store = FeatureStore::open(&features)?;
        self.assign_groups(&mut store, global)?;
        if !global.quiet {
            tell_copies(&store);
        }
        let n_threads = global.jobs.map_or(0, usize::from);
        let job = Job { store: &store, recipe: &recipe, split, seed: self.seed, n_threads };
        let prepared = job.prepare()?;
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
        for recording in prepared.torn_recordings() {
            output::note(&format!(
                "the given split has copies of {recording} on several sides: the figure flatters"
            ));
        }
        let fingerprint = prepared.fingerprint();
        let checkpoint = self.checkpoint(&run, &fingerprint, global)?;
        let trained = fit(prepared, checkpoint.as_deref(), &run, fingerprint, global)?;
        let Some(trained) = trained else { return Ok(None) };
        run.save(&trained, &store, &recipe, &self.config(&features)?)?;
        Ok(Some((trained, n_lost)))
    }

    /// Where an interrupted training is gone on from, if that was asked for.
    fn checkpoint(&self, run: &Run, fingerprint: &str, global: &Global) -> anyhow::Result<Option<Vec<u8>>> {
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

    fn split_spec(&self) -> anyhow::Result<SplitSpec> {
        let by = match (self.split, &self.group) {
            (None | Some(SplitBy::Track), None) => Unit::Track,
            (Some(SplitBy::Segment), None) => Unit::Segment,
            (None | Some(SplitBy::Group), _) => Unit::Group,
            (Some(_), Some(_)) => {
                let what = "--group asks for a split by group; leave --split out, or say --split group";
                return Err(WrongUsage(what.to_owned()).into());
            }
        };
        for (name, share) in [("--validation", self.validation), ("--test", self.test)] {
            ensure!(
                (0.0..1.0).contains(&share),
                WrongUsage(format!("{name} must be a share from 0 to below 1, not {share}"))
            );
        }
        ensure!(
            self.test > 0.0,
            WrongUsage("--test must be more than 0: a figure needs tracks that were held out".to_owned())
        );
        ensure!(
            self.validation + self.test < 1.0,
            WrongUsage("--validation and --test leave nothing to train on".to_owned())
        );
        Ok(SplitSpec { by, validation: self.validation, test: self.test, seed: self.seed })
    }

    /// The recipe with what was changed of it on the command line.
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

    fn assign_groups(&self, store: &mut FeatureStore, global: &Global) -> anyhow::Result<()> {
        let Some(group) = &self.group else { return Ok(()) };
        let Ok(grouping) = group.parse::<Grouping>();
        let labels = store.labels().to_vec();
        let found = assign_groups(store.tracks_mut(), &labels, &grouping)?;
        if !global.quiet {
            let alone = if found.n_ungrouped > 0 {
                format!("; {} tracks without one stand alone", found.n_ungrouped)
            } else {
                String::new()
            };
            output::note(&format!("{} groups by {group}{alone}", found.n_groups));
        }
        for path in &found.unknown {
            output::note(&format!("{group}: {path} is no track of the features"));
        }
        Ok(())
    }

    /// The options under their names, for `config.toml`.
    fn config(&self, features: &Path) -> anyhow::Result<Config> {
        let mut train = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| train.insert(name.to_owned(), value);
        set("model", self.model.clone().into());
        set("seed", whole_number(self.seed));
        set("validation", self.validation.into());
        set("test", self.test.into());
        self.split.map(|by| set("split", format!("{by:?}").to_lowercase().into()));
        self.group.as_ref().map(|group| set("group", group.clone().into()));
        self.epochs.map(|n| set("epochs", whole_number(n as u64)));
        self.batch_size.map(|n| set("batch_size", whole_number(n as u64)));
        self.learning_rate.map(|rate| set("learning_rate", as_typed(rate)));
        self.patience.map(|n| set("patience", whole_number(n as u64)));
        let features = features
            .strip_prefix(&self.output)
            .map_or_else(|_| features.canonicalize(), |inside| Ok(inside.to_owned()))?;
        Ok(Config { train, run: Origin { features, cantus_version: env!("CARGO_PKG_VERSION").to_owned() } })
    }
}

/// Says which tracks the split keeps together, whatever it is made by.
fn tell_copies(store: &FeatureStore) {
    let of_recordings: Vec<&str> =
        store.tracks().iter().filter_map(|track| track.recording.as_deref()).collect();
    let n_recordings = of_recordings.iter().collect::<std::collections::BTreeSet<_>>().len();
    if n_recordings > 0 {
        let n_tracks = of_recordings.len();
        output::note(&format!(
            "{n_tracks} tracks are copies of {n_recordings} recordings (recordings.csv of the features); the split \
             keeps the copies of each together"
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

/// Trains behind a bar; on Ctrl-C keeps a checkpoint and returns none.
fn fit(
    prepared: Prepared<'_>,
    checkpoint: Option<&[u8]>,
    run: &Run,
    fingerprint: String,
    global: &Global,
) -> anyhow::Result<Option<Trained>> {
    let bar = progress::bar("train", prepared.n_epochs(), global.quiet);
    let mut watch = Watch::new(&bar, run, fingerprint);
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
