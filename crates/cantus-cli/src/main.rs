//! Entry point of the `cantus` command: parses the command line, runs the command, returns its exit code.

mod advice;
mod cli;
mod command;
mod config;
mod global_options;
mod interrupt;
mod output;
mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;

use cantus_audio::panic_guard;

fn main() -> ExitCode {
    let cli = match config::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    start_log(cli.global.quiet);
    hide_caught_panics();
    match cli.run() {
        Ok(outcome) => outcome.into(),
        Err(error) => output::error(&error).into(),
    }
}

/// Prints no panic of a third-party parser that becomes the error of a file; its line would contain a path of the build.
fn hide_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_guard::is_active() {
            print(panic);
        }
    }));
}

/// Prints clap's message and returns its exit code: 0 for help and version, 2 for wrong usage.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe while printing help is no error.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Logs go to standard error; `RUST_LOG` sets the level, also that of other crates, such as decoders, which log nothing otherwise.
fn start_log(quiet: bool) {
    let default = if quiet { "off,cantus=error" } else { "off,cantus=warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).without_time();
    log.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
}
