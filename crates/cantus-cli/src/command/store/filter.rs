//! `cantus store filter`: a store of some of the tracks of another.

use std::path::PathBuf;

use anyhow::ensure;
use cantus_dataset::audit::Exclusions;
use cantus_dataset::{StoreFilter, filter_store};
use clap::Args;

use super::{observed, summary};
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Write some of the tracks of a feature store to a new one
#[derive(Debug, Args)]
#[command(after_help = "Several conditions are combined: a track is kept if it fulfils all of them.")]
pub struct Filter {
    /// Feature store
    store: PathBuf,
    /// Folder of the new feature store
    #[arg(long, short, value_name = "STORE")]
    output: PathBuf,
    /// Keep tracks with one of these labels
    #[arg(long, value_delimiter = ',', value_name = "LABEL")]
    label: Vec<String>,
    /// Keep tracks of one of these groups
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    group: Vec<String>,
    /// Keep the tracks of a list: a path in each line, or CSV that begins with it
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Leave out the tracks of a list: CSV, a path and a reason in each line
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
}

impl Filter {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(Exclusions::read).transpose();
        let filter = StoreFilter {
            labels: self.label.clone(),
            groups: self.group.clone(),
            list: read(&self.list)?,
            exclude: read(&self.exclude)?,
        };
        ensure!(
            filter != StoreFilter::default(),
            WrongUsage("nothing to filter by: give --label, --group, --list or --exclude".to_owned())
        );
        let filtered = observed("filter", global, |observer| {
            filter_store(&self.store, &self.output, &filter, observer)
        })?;
        let Some(filtered) = filtered else { return Ok(Outcome::Interrupted) };
        for path in &filtered.unknown {
            output::note(&format!("{path} is no track of {}", self.store.display()));
        }
        if !global.quiet {
            output::note(&format!("{}: {}", self.output.display(), summary(&filtered.summary)));
        }
        Ok(Outcome::Done)
    }
}
