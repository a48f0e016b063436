//! Entry point of the `cantus` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cantus_cli::run(std::env::args_os()))
}
