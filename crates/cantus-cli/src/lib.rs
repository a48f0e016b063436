//! The `cantus` command as a function: parses a command line, runs the command, returns its exit code.
//!
//! The binary `cantus` and the Python package (`python -m cantus`) call [`run`].

mod advice;
mod cli;
mod command;
mod config;
mod global_options;
mod interrupt;
mod open_files;
mod output;
mod progress;

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr, stdout};

use cantus_simd::InstructionSet;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

pub use command::inspect::audit_document;

/// Runs the command line `arguments`, of which the first is the name of the program, and returns its exit code.
///
/// Results are printed on standard output, messages on standard error. Signals are handled from the first call on. Exit
/// codes: 0 done, 1 failed, 2 wrong usage, 3 done but some files failed, 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match config::parse(arguments.into_iter()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    start_log(cli.global.quiet);
    open_files::raise_limit();
    if let Err(error) = InstructionSet::requested() {
        return output::error(&output::WrongUsage(format!("{}: {error}", cantus_simd::VARIABLE)).into())
            .exit_code();
    }
    match cli.run() {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => output::error(&error).exit_code(),
    }
}

/// Prints clap's message and returns its exit code: 0 for help and version, 2 for wrong usage.
fn usage(error: &clap::Error) -> u8 {
    let printed = error.print().and_then(|()| stdout().flush());
    match output::unless_closed(printed) {
        // Help and version are results.
        Err(failure) if !error.use_stderr() => output::error(&failure).exit_code(),
        _ => u8::try_from(error.exit_code()).unwrap_or(2),
    }
}

/// Logs go to standard error; `RUST_LOG` sets the level, also that of other crates, such as decoders, which log nothing otherwise.
fn start_log(quiet: bool) {
    let level = if quiet { LevelFilter::ERROR } else { LevelFilter::WARN };
    let requested = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
    let filter = requested.unwrap_or_else(|| Targets::new().with_target("cantus", level));
    let format = fmt::layer().without_time().with_writer(stderr).with_ansi(stderr().is_terminal());
    // A process that runs a second command keeps the log of the first.
    let _ = tracing_subscriber::registry().with(format.with_filter(filter)).try_init();
}
