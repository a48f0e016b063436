//! `cantus undo-tags`: restores genre tags from an undo file.

use std::path::PathBuf;

use cantus::genre_tags::Journal;
use cantus::input_files::Failed;
use clap::Args;

use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Restore the genre tags that `cantus predict --write-tags` changed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus undo-tags cantus-undo.jsonl

Every file is restored to the last byte. One that was changed since is reported and not written.")]
pub struct UndoTags {
    /// The undo file
    file: PathBuf,
}

impl UndoTags {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let changes = Journal::read(&self.file)?;
        let bar = progress::bar("undo", changes.len(), global.quiet);
        let (mut n_undone, mut failed) = (0, Vec::new());
        // The last change first, in case a file was changed twice.
        for change in changes.iter().rev().take_while(|_| !interrupt::requested()) {
            match change.undo() {
                Ok(done) => n_undone += usize::from(done),
                Err(error) => failed.push(Failed::new(&change.path, &error)),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        output::failures(&failed);
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        if !global.quiet {
            let n_as_before = changes.len() - failed.len() - n_undone;
            let already = match n_as_before {
                0 => String::new(),
                n => format!(", {n} already"),
            };
            output::note(&format!("{} restored{already}", output::count(n_undone, "file")));
        }
        Ok(Outcome::of_job(changes.len() - failed.len(), failed.len()))
    }
}
