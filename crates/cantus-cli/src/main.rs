//! The `cantus` command: parse, run, report.

mod cli;
mod command;
mod config;
mod interrupt;
mod output;
mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match config::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    start_log(cli.global.quiet);
    match command::run(cli) {
        Ok(outcome) => outcome.into(),
        Err(error) => output::error(&error).into(),
    }
}

/// Prints what clap says: help and version are answers (0), all else is wrong usage (2).
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe while printing help is nobody's concern.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Logs go to standard error; `RUST_LOG` chooses how much, and whether other crates may speak.
fn start_log(quiet: bool) {
    let default = if quiet { "error" } else { "error,cantus=warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).without_time();
    log.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
}
