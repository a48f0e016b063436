//! `cantus evaluate`: evaluates a run's model on its test part.

use std::path::PathBuf;

use cantus::Run;
use clap::Args;

use crate::global_options::Global;
use crate::output::{self, Outcome};

/// Evaluate a run's model on its held-out tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus evaluate run
  cantus evaluate run --json | jq .track_accuracy")]
pub struct Evaluate {
    /// Run folder, as `cantus train` writes it
    run: PathBuf,
    /// Feature store, if it is no longer where the run was trained
    #[arg(long, value_name = "FEATURES")]
    features: Option<PathBuf>,
    /// One JSON document instead of a text report
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let report = Run::open(&self.run)?.evaluate(self.features.as_deref(), global.n_threads())?;
        if self.json {
            output::json(&report)?
        } else {
            output::print(&report.to_text())?
        }
        Ok(Outcome::Done)
    }
}
