//! The subcommands, one file each: arguments and implementation.

pub mod compare;
pub mod completions;
pub mod compose;
pub mod demo;
pub mod evaluate;
pub mod export;
pub mod extract;
pub mod features;
pub mod fetch;
pub mod inspect;
mod inspect_table;
mod kind_options;
pub mod lesson;
pub mod man;
mod output_path;
mod pitch_options;
pub mod plot;
mod port;
pub mod predict;
pub mod serve;
mod spec;
mod theme;
pub mod train;
pub mod undo_tags;

use crate::cli::{Cli, Command};
use crate::interrupt;
use crate::output::Outcome;

/// Runs the parsed command.
pub fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let global = cli.global;
    interrupt::listen();
    start_threads(global.jobs)?;
    match cli.command {
        Command::Demo(demo) => demo.run(&global),
        Command::Compose(compose) => compose.run(&global),
        Command::Inspect(inspect) => inspect.run(&global),
        Command::Features(features) => features.run(&global),
        Command::Fetch(fetch) => fetch.run(&global),
        Command::Extract(extract) => extract.run(&global),
        Command::Train(train) => train.run(&global),
        Command::Evaluate(evaluate) => evaluate.run(&global),
        Command::Compare(compare) => compare.run(),
        Command::Predict(predict) => predict.run(&global),
        Command::Export(export) => export.run(&global),
        Command::UndoTags(undo_tags) => undo_tags.run(&global),
        Command::Serve(serve) => serve.run(&global),
        Command::Plot(plot) => plot.run(),
        Command::Lesson(lesson) => lesson.run(&global),
        Command::Completions(completions) => completions.run(),
        Command::Man(manual) => manual.run(),
    }
}

/// `--jobs` sets the size of the global thread pool; `RAYON_NUM_THREADS` does if it is absent.
fn start_threads(jobs: Option<u16>) -> anyhow::Result<()> {
    if let Some(jobs) = jobs {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(jobs)).build_global()?;
    }
    Ok(())
}
