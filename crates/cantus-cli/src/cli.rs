//! The command line: subcommands, which are implemented in `command/`, and their dispatch.

use clap::{CommandFactory, Parser, Subcommand};

use crate::command;
use crate::global_options::Global;
use crate::interrupt::{self, OnFirst};
use crate::output::Outcome;

/// Train audio classifiers on labelled recordings and evaluate them on held-out tracks.
#[derive(Debug, Parser)]
#[command(name = "cantus", version, propagate_version = true, disable_help_subcommand = true, after_help = EXAMPLES)]
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

CANTUS_ISA=avx512, avx2 or baseline restricts the processor's instructions, to compare or to test them.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 done but some files failed, 130 stopped by Ctrl-C, \
143 by SIGTERM, 129 by SIGHUP.";

/// The subcommands, in the order in which `--help` lists them: that of a typical first use.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(command::demo::Demo),
    Compose(command::compose::Compose),
    Fetch(command::fetch::Fetch),
    Inspect(command::inspect::Inspect),
    Features(command::features::FeaturesOf),
    Extract(command::extract::Extract),
    Store(command::store::Store),
    Embeddings(command::embeddings::Embeddings),
    Train(command::train::Train),
    Evaluate(command::evaluate::Evaluate),
    Compare(command::compare::Compare),
    Predict(command::predict::Predict),
    Search(command::search::Search),
    Map(command::map::Map),
    Export(command::export::Export),
    UndoTags(command::undo_tags::UndoTags),
    Serve(command::serve::Serve),
    Plot(command::plot::Plot),
    Lesson(command::lesson::Lesson),
    Completions(command::completions::Completions),
    Man(command::man::Manual),
}

impl Command {
    /// What the first signal does: commands that take long, or that change the user's files one by one, end by themselves.
    fn on_first_signal(&self) -> OnFirst {
        match self {
            Self::Evaluate(_)
            | Self::Compare(_)
            | Self::Map(_)
            | Self::Export(_)
            | Self::Embeddings(_)
            | Self::Plot(_)
            | Self::Lesson(_)
            | Self::Completions(_)
            | Self::Man(_) => OnFirst::Exit,
            _ => OnFirst::Request,
        }
    }
}

impl Cli {
    /// Runs the parsed command.
    pub fn run(self) -> anyhow::Result<Outcome> {
        let global = self.global;
        interrupt::listen(self.command.on_first_signal());
        start_threads(global.jobs)?;
        match self.command {
            Command::Demo(demo) => demo.run(&global),
            Command::Compose(compose) => compose.run(&global),
            Command::Inspect(inspect) => inspect.run(&global),
            Command::Features(features) => features.run(&global),
            Command::Fetch(fetch) => fetch.run(&global),
            Command::Extract(extract) => extract.run(&global),
            Command::Store(store) => store.run(&global),
            Command::Embeddings(embeddings) => embeddings.run(&global),
            Command::Train(train) => train.run(&global),
            Command::Evaluate(evaluate) => evaluate.run(&global),
            Command::Compare(compare) => compare.run(),
            Command::Predict(predict) => predict.run(&global),
            Command::Search(search) => search.run(&global),
            Command::Map(map) => map.run(&global),
            Command::Export(export) => export.run(&global),
            Command::UndoTags(undo_tags) => undo_tags.run(&global),
            Command::Serve(serve) => serve.run(&global),
            Command::Plot(plot) => plot.run(),
            Command::Lesson(lesson) => lesson.run(&global),
            Command::Completions(completions) => completions.run(&mut Self::command()),
            Command::Man(manual) => manual.run(Self::command()),
        }
    }
}

/// `--jobs` sets the size of the global thread pool; `RAYON_NUM_THREADS` does if it is absent.
fn start_threads(jobs: Option<u16>) -> anyhow::Result<()> {
    if let Some(jobs) = jobs {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(jobs)).build_global()?;
    }
    Ok(())
}
