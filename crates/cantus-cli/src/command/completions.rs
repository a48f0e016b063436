//! `cantus completions`: completion scripts for shells.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::output::{self, Outcome};

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example: cantus completions bash > ~/.local/share/bash-completion/completions/cantus"
)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script for `cantus`, the definition of the whole command line.
    pub fn run(&self, cantus: &mut Command) -> anyhow::Result<Outcome> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, cantus, "cantus", &mut script);
        output::exact(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Done)
    }
}
