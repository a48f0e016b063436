//! Definition of the command line for clap: global options and subcommands, which are implemented in `command/`.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

use crate::command;

/// Train audio classifiers on labelled recordings and evaluate them on held-out tracks.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  cantus demo                          the whole pipeline, on synthetic music
  cantus extract MUSIC -o features     from MUSIC/<label>/**/<audio file>
  cantus train features -o run         train, and evaluate on held-out tracks
  cantus predict run song.mp3          predict the label of a recording
  cantus predict run MUSIC --json      the same as JSON
  cantus serve run                     the same as a web page and an HTTP API
  cantus lesson 8                      run a lesson of the lecture course

Options can also come from the environment (--batch-size is CANTUS_BATCH_SIZE) and from a TOML file \
(--config FILE: a table for each command, as in `[train]` `batch_size = 16`). Precedence: flag, \
environment, file, default.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 done but some files failed, 130 stopped by Ctrl-C.";

/// Options that every command has.
#[derive(Debug, Args)]
pub struct Global {
    /// Files and batches processed in parallel [default: all cores]
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// No progress bars and no notes; errors are still printed
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// TOML file with options, a table for each command
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Global {
    /// Value of `--jobs`; 0 if it is absent, for one thread per core.
    pub fn n_threads(&self) -> usize {
        self.jobs.map_or(0, usize::from)
    }
}

/// The subcommands, in the order in which `--help` lists them: that of a typical first use.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(command::demo::Demo),
    Compose(command::compose::Compose),
    Fetch(command::fetch::Fetch),
    Inspect(command::inspect::Inspect),
    Features(command::features::FeaturesOf),
    Extract(command::extract::Extract),
    Train(command::train::Train),
    Evaluate(command::evaluate::Evaluate),
    Compare(command::compare::Compare),
    Predict(command::predict::Predict),
    Export(command::export::Export),
    UndoTags(command::undo_tags::UndoTags),
    Serve(command::serve::Serve),
    Plot(command::plot::Plot),
    Lesson(command::lesson::Lesson),
    Completions(command::completions::Completions),
    Man(command::man::Manual),
}
