//! Writes predicted labels into the genre tags of the recordings: `cantus predict --write-tags`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cantus::genre_tags::{Change, Journal, Prepared};
use cantus::input_files::Failed;
use cantus::{Error, Task};
use cantus_dataset::BACKGROUND_LABEL;
use clap::Args;
use rayon::prelude::*;

use super::results::Track;
use super::{Request, sound};
use crate::global_options::Global;
use crate::output::{self, WrongUsage};
use crate::{interrupt, progress};

/// The default name of the undo file; a number follows if it exists.
const UNDO_FILE: &str = "cantus-undo";
const EXTENSION: &str = "jsonl";

#[derive(Debug, Args)]
pub struct GenreTags {
    /// Write the label into the genre tag of each recording, except `unknown` and `_background_`; the audio is not changed
    #[arg(long)]
    write_tags: bool,
    /// Only print which tags would be changed
    #[arg(long, requires = "write_tags")]
    dry_run: bool,
    /// Undo file to write for `cantus undo-tags` [default: cantus-undo.jsonl, numbered if there is one]
    #[arg(long, value_name = "FILE", requires = "write_tags")]
    undo_file: Option<PathBuf>,
}

impl GenreTags {
    /// Rejects impossible options before any prediction is computed.
    pub fn check(&self, requests: &[Request], task: Task) -> anyhow::Result<()> {
        if self.write_tags && task == Task::Tagging {
            let reason = "--write-tags writes one genre, and this model predicts several labels for a track; use --json or --csv";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        if self.write_tags && requests.iter().any(|request| sound::is_standard_input(&request.path)) {
            return Err(WrongUsage("standard input has no tags to write to".to_owned()).into());
        }
        match &self.undo_file {
            Some(path) if path.exists() && !self.dry_run => {
                let reason = format!(
                    "{}: exists already, and may be needed for an undo; give another file",
                    path.display()
                );
                Err(WrongUsage(reason).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes the labels into the tags, or prints what would be written; returns whether Ctrl-C stopped it.
    pub fn write(&self, tracks: &[Track], failed: &mut Vec<Failed>, global: &Global) -> anyhow::Result<bool> {
        if !self.write_tags {
            return Ok(false);
        }
        let known: Vec<&Track> = tracks.iter().filter(|track| names_a_genre(track)).collect();
        let journal = match (self.dry_run, &self.undo_file) {
            (true, _) => None,
            (false, Some(path)) => Some(Journal::create(path)?),
            (false, None) => Some(journal_of_free_name(Path::new(""))?),
        };
        let undo_file = journal.as_ref().map(|journal| journal.path().to_owned()).unwrap_or_default();
        let results = change_all(&known, journal.as_ref(), global);
        let mut changes = Vec::new();
        for (track, result) in results {
            match result {
                Ok(change) => changes.extend(change),
                Err(error) => failed.push(Failed::new(Path::new(&track.path), &error)),
            }
        }
        if changes.is_empty() {
            // An error is ignored: a journal without changes is left.
            let _ = journal.map(Journal::remove_if_unused).transpose();
        }
        if self.dry_run {
            output::note(&format!("{} genre tags would be changed; nothing was written", changes.len()));
            changes.iter().for_each(|change| output::note(&in_words(change)));
        } else if changes.is_empty() {
            output::note("no genre tag was changed");
        } else {
            let undo = format!("`cantus undo-tags {}` restores the previous ones", undo_file.display());
            output::note(&format!("{} written; {undo}", output::count(changes.len(), "genre tag")));
        }
        Ok(interrupt::requested())
    }
}

/// Whether the label is a genre, and not `unknown` or that of the background.
fn names_a_genre(track: &Track) -> bool {
    track.is_known && track.prediction.label != BACKGROUND_LABEL
}

/// Changes the tags of all tracks, or without a journal only determines the changes; `None` for a tag that is equal to the
/// label already.
fn change_all<'a>(
    tracks: &[&'a Track],
    journal: Option<&Journal>,
    global: &Global,
) -> Vec<(&'a Track, Result<Option<Change>, Error>)> {
    let bar = progress::bar("tags", tracks.len(), global.quiet);
    let change = |track: &Track| {
        let (path, genre) = (Path::new(&track.path), &track.prediction.label);
        match journal {
            Some(journal) => journal.change(path, genre),
            None => Ok(Prepared::new(path, genre)?.map(|prepared| prepared.change)),
        }
    };
    let results = tracks
        .par_iter()
        .with_max_len(1)
        .filter(|_| !interrupt::requested())
        .map(|track| (*track, change(track)))
        .inspect(|_| bar.inc(1))
        .collect();
    bar.finish_and_clear();
    results
}

fn in_words(change: &Change) -> String {
    let before = change.genre_before.as_deref().map_or("none".to_owned(), |genre| format!("`{genre}`"));
    format!("{}: {before} → `{}`", change.path.display(), change.genre_after)
}

/// A journal with the first default name that is free; another process may take a name at the same time.
fn journal_of_free_name(folder: &Path) -> Result<Journal, Error> {
    let mut n_taken = 0;
    loop {
        let number = if n_taken == 0 { String::new() } else { format!("-{}", n_taken + 1) };
        match Journal::create(&folder.join(format!("{UNDO_FILE}{number}.{EXTENSION}"))) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => n_taken += 1,
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_file_takes_the_first_name_that_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let make = || journal_of_free_name(dir.path()).unwrap().path().to_owned();
        let made: Vec<PathBuf> = (0..3).map(|_| make()).collect();
        let made: Vec<_> = made.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(made, ["cantus-undo.jsonl", "cantus-undo-2.jsonl", "cantus-undo-3.jsonl"]);
    }
}
