//! `cantus store add`: extracts the recordings that a store lacks.

use std::path::PathBuf;

use cantus_dataset::{AddOptions, Addition, Catalog, Error, Progress, add};
use clap::Args;

use crate::command::extract::report_failures;
use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Extract the recordings that are not in a feature store, and append them to it
#[derive(Debug, Args)]
#[command(after_help = "\
A recording is in the store if a track has its path. The features are those of the store. If the command is stopped or killed, \
the store is as it was, and the same command continues.")]
pub struct Add {
    /// Feature store
    store: PathBuf,
    /// Folder of label folders, or manifest CSV; labels may be new
    recordings: PathBuf,
}

impl Add {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let catalog = Catalog::open_further(&self.recordings)?;
        let bar = progress::bar("extract", catalog.tracks.len(), global.quiet);
        let options = AddOptions { jobs: global.n_threads(), cancel: interrupt::flag() };
        let on_progress = |progress: Progress<'_>| {
            bar.set_length(progress.n_tracks as u64);
            bar.set_position(progress.n_done as u64);
            bar.set_message(output::printable(progress.path));
        };
        let result = add(&self.store, &catalog, &options, &on_progress);
        bar.finish_and_clear();
        let addition = match result {
            Err(error @ Error::Cancelled { .. }) => {
                output::note(&output::in_one_line(&error.into()));
                return Ok(Outcome::Interrupted);
            }
            result => result?,
        };
        self.report(&addition, global);
        Ok(Outcome::from_failures(addition.failures.len() + addition.changed.len()))
    }

    /// Prints what was added, what failed, and what was in the store already.
    fn report(&self, addition: &Addition, global: &Global) {
        let Addition { n_tracks, n_segments, n_present, changed, failures, warnings, audit } = addition;
        report_failures(failures);
        for warning in warnings {
            output::note(&format!("{}: {}", warning.path, warning.reason));
        }
        if let Some(first) = changed.first() {
            let n = output::count(changed.len(), "recording");
            output::note(&format!(
                "{n} of the store changed since the extraction, and not extracted again; the first: {first}"
            ));
        }
        if global.quiet {
            return;
        }
        if let Some(summary) = audit.as_ref().and_then(cantus_dataset::audit::Audit::summary) {
            output::note(&format!("audit of all recordings of the store: {summary}"));
        }
        let count = output::count;
        let segments = format!("{} of {}", count(*n_segments, "segment"), count(*n_tracks, "track"));
        output::note(&format!("{segments} added to {}; {n_present} were in it", self.store.display()));
    }
}
