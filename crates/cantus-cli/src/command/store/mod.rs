//! `cantus store`: operations on feature stores that extract nothing again.

mod add;
mod export;
mod filter;
mod info;
mod merge;
mod verify;

use cantus_dataset::{Error, StoreObserver, StoreSummary};
use clap::{Args, Subcommand};

use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Describe, verify, merge, extend, filter and export feature stores
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus store info features
      features, labels, groups, segments, sizes
  cantus store verify features
      every byte against its hash
  cantus store merge shard-1 shard-2 shard-3 -o features
      the shards of `cantus extract MUSIC --shard 1/3 -o shard-1` and so on: the same bytes as without --shard
  cantus store merge mine theirs -o all --skip-duplicates
  cantus store add features MUSIC
      extract only the recordings that are not in it
  cantus store filter features -o some --label jazz,rock --exclude bad.csv
  cantus store export features -o features.npz --format npz

The output appears under its name when it is complete. `add` replaces the header of the store last; until then, the \
store is as it was.")]
pub struct Store {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Info(info::Info),
    Verify(verify::Verify),
    Merge(merge::Merge),
    Add(add::Add),
    Filter(filter::Filter),
    Export(export::Export),
}

impl Store {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::Info(info) => info.run(),
            Action::Verify(verify) => verify.run(global),
            Action::Merge(merge) => merge.run(global),
            Action::Add(add) => add.run(global),
            Action::Filter(filter) => filter.run(global),
            Action::Export(export) => export.run(global),
        }
    }
}

/// Runs an operation with a progress bar; `None` if Ctrl-C stopped it.
fn observed<T>(
    what: &str,
    global: &Global,
    operation: impl FnOnce(StoreObserver<'_>) -> Result<T, Error>,
) -> anyhow::Result<Option<T>> {
    let bar = progress::bar(what, 0, global.quiet);
    let cancel = interrupt::flag();
    let on_progress = |n_done: usize, n: usize| {
        bar.set_length(n as u64);
        bar.set_position(n_done as u64);
    };
    let result = operation(StoreObserver { cancel: &cancel, on_progress: &on_progress });
    bar.finish_and_clear();
    match result {
        Err(error @ Error::Stopped { .. }) => {
            output::note(&error.to_string());
            Ok(None)
        }
        result => Ok(Some(result?)),
    }
}

/// `20 segments of 2 tracks in 1 part`, and what of the stores is not in it.
fn summary(summary: &StoreSummary) -> String {
    let StoreSummary { n_parts, n_tracks, n_segments, n_failures, n_left_out } = *summary;
    let count = output::count;
    let segments = format!("{} of {}", count(n_segments, "segment"), count(n_tracks, "track"));
    let mut text = format!("{segments} in {}", count(n_parts, "part"));
    if n_left_out > 0 {
        text += &format!("; {} left out", count(n_left_out, "track"));
    }
    if n_failures > 0 {
        text += &format!("; {} without features", count(n_failures, "file"));
    }
    text
}
