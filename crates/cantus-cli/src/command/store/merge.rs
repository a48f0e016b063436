//! `cantus store merge`: several stores as one.

use std::path::PathBuf;

use cantus_dataset::merge_stores;
use clap::Args;

use super::{observed, summary};
use crate::global_options::Global;
use crate::output::{self, Outcome};

/// Merge feature stores of the same settings, or all shards of an extraction
#[derive(Debug, Args)]
pub struct Merge {
    /// Feature stores; of shards, all
    #[arg(required = true, num_args = 1.., value_name = "STORE")]
    stores: Vec<PathBuf>,
    /// Folder of the new feature store
    #[arg(long, short, value_name = "STORE")]
    output: PathBuf,
    /// Of tracks with the same path, keep that of the first store
    #[arg(long)]
    skip_duplicates: bool,
}

impl Merge {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let Self { stores, output, skip_duplicates } = self;
        let merged =
            observed("merge", global, |observer| merge_stores(stores, output, *skip_duplicates, observer))?;
        let Some(merged) = merged else { return Ok(Outcome::Interrupted) };
        if !global.quiet {
            output::note(&format!("{}: {}", output.display(), summary(&merged)));
        }
        Ok(Outcome::Done)
    }
}
