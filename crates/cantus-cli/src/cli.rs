//! The command line: what can be asked, in clap's words. What each command does is in `command/`.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

use crate::command;

/// Teach a computer to hear: folders of recordings in, a classifier you can trust out.
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
  cantus demo                          all of it, on music composed on the spot
  cantus extract MUSIC -o features     from MUSIC/<label>/**/<audio file>
  cantus train features -o run         train, and score the held-out tracks
  cantus predict run song.mp3          the label of a new song
  cantus predict run MUSIC --json      the same for scripts
  cantus serve run                     the same in a web page, and over HTTP
  cantus lesson 8                      how it works, from one neuron up

Options can also come from the environment (--batch-size is CANTUS_BATCH_SIZE) and from a TOML file \
(--config FILE: a table for each command, as in `[train]` `batch_size = 16`). A flag wins over the \
environment, the environment over the file, the file over the default.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 done but some files failed, 130 stopped by Ctrl-C.";

/// Options that every command has.
#[derive(Debug, Args)]
pub struct Global {
    /// Files and batches worked on at once [default: all cores]
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// No progress bars and no remarks; errors are still printed
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// TOML file with options, a table for each command
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Global {
    /// The bound of `--jobs`; 0 where it is absent, for one thread on each core.
    pub fn n_threads(&self) -> usize {
        self.jobs.map_or(0, usize::from)
    }
}

/// In the order in which a newcomer meets them.
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
