//! The options that every command has.

use std::path::PathBuf;

use clap::Args;

/// Options that every command has.
#[derive(Debug, Clone, Args)]
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
