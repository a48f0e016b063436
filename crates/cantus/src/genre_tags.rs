//! Writes predicted labels into the genre tags of recordings, with a journal from which every file can be restored.
//!
//! The bytes that a change removes are on the disk, in the journal, before the file is modified. The audio is decoded before
//! and after, and a file is modified only if the samples are bit-identical; the file is replaced atomically.
//!
//! The journal is the one file that is not written under a temporary name and renamed: it has to be complete for every
//! modified file, whenever the process is killed. Each change appends one line and syncs it to the disk, so that a truncated
//! last line belongs to a file that was not modified.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cantus_audio::atomic_file;
use cantus_audio::decode::Decoder;
use cantus_audio::regular_file;
use cantus_dataset::tags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::error::GenreTagProblem;
use crate::file_lock::FileLock;
use crate::model_file::hex;

/// The first line of a journal.
const HEADER: &str = r#"{"cantus":"genre tags","version":1}"#;

/// A change of one file's genre tag, with all that is needed to restore the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// The genre tag before the change.
    pub genre_before: Option<String>,
    /// The genre tag after the change.
    pub genre_after: String,
    sha256_before: String,
    sha256_after: String,
    /// Number of bytes at either end that are the same before and after.
    n_same_at_start: usize,
    n_same_at_end: usize,
    /// The original bytes between them, in base64.
    taken_away: String,
}

/// A genre change that is prepared in memory and not written yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The change that writing it makes.
    pub change: Change,
    after: Vec<u8>,
}

/// An append-only journal of changes that can be undone; threads may share it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<JournalFile>,
}

/// The file of a journal.
#[derive(Debug)]
struct JournalFile {
    file: File,
    /// Bytes of its complete lines.
    len: u64,
}

impl Prepared {
    /// Prepares a new genre tag for a file, without modifying it; `None` if the file has this genre, ignoring case.
    ///
    /// # Errors
    /// If the file cannot be read, has no writable tags, or its decoded audio would change.
    pub fn new(path: &Path, genre: &str) -> Result<Option<Self>, Error> {
        let genre_before = tags::read(path)?.genre;
        if genre_before.as_ref().is_some_and(|before| before.to_lowercase() == genre.to_lowercase()) {
            return Ok(None);
        }
        let path = path.canonicalize().map_err(Error::io(path))?;
        let before = regular_file::read(&path).map_err(Error::io(&path))?;
        let after = tags::with_genre(&path, before.clone(), genre)?;
        if audio_checksum(&path, &before)? != audio_checksum(&path, &after)? {
            return Err(refused(&path, GenreTagProblem::ChangesAudio));
        }
        let n_same_at_start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let rest = before.len().min(after.len()) - n_same_at_start;
        let from_end = before.iter().rev().zip(after.iter().rev()).take(rest);
        let n_same_at_end = from_end.take_while(|(a, b)| a == b).count();
        let change = Change {
            genre_before,
            genre_after: genre.to_owned(),
            sha256_before: sha256(&before),
            sha256_after: sha256(&after),
            n_same_at_start,
            n_same_at_end,
            taken_away: BASE64.encode(&before[n_same_at_start..before.len() - n_same_at_end]),
            path,
        };
        Ok(Some(Self { change, after }))
    }

    /// Records the change in the journal, then writes the file.
    ///
    /// # Errors
    /// If the file was modified since it was read, or the journal or the file cannot be written.
    fn write(&self, journal: &Journal) -> Result<(), Error> {
        check_writable(&self.change.path)?;
        if !self.change.is_undone()? {
            return Err(refused(&self.change.path, GenreTagProblem::Modified));
        }
        journal.record(&self.change)?;
        replace(&self.change.path, &self.after)
    }
}

impl Change {
    /// Whether the file is as before the change.
    fn is_undone(&self) -> Result<bool, Error> {
        let bytes = regular_file::read(&self.path).map_err(Error::io(&self.path))?;
        Ok(sha256(&bytes) == self.sha256_before)
    }

    /// Undoes the change: the file is byte-identical to the original. `false` if it is so already.
    ///
    /// # Errors
    /// If the file was modified since by another program, or cannot be written.
    pub fn undo(&self) -> Result<bool, Error> {
        let _lock = lock(&self.path)?;
        let bytes = regular_file::read(&self.path).map_err(Error::io(&self.path))?;
        let found = sha256(&bytes);
        if found == self.sha256_before {
            return Ok(false);
        }
        if found != self.sha256_after {
            return Err(refused(&self.path, GenreTagProblem::Modified));
        }
        let damaged = || refused(&self.path, GenreTagProblem::DamagedEntry);
        let middle = BASE64.decode(&self.taken_away).map_err(|_| damaged())?;
        let end = bytes.len().checked_sub(self.n_same_at_end).ok_or_else(damaged)?;
        let start = bytes.get(..self.n_same_at_start).ok_or_else(damaged)?;
        let before = [start, &middle, &bytes[end..]].concat();
        if sha256(&before) != self.sha256_before {
            return Err(damaged());
        }
        check_writable(&self.path)?;
        replace(&self.path, &before)?;
        Ok(true)
    }
}

impl Journal {
    /// Creates a journal; an existing file is never overwritten.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(Error::io(path))?;
        let journal = Self { path: path.to_owned(), file: Mutex::new(JournalFile { file, len: 0 }) };
        let begun = journal.append(HEADER);
        match begun.and_then(|()| atomic_file::sync_folder_of(path).map_err(Error::io(path))) {
            Ok(()) => Ok(journal),
            Err(error) => {
                // An error is ignored: an empty journal is left.
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// Removes the journal, if every file that it records is as before, so that there is nothing to undo; whether it is removed.
    ///
    /// # Errors
    /// If it cannot be read or removed.
    pub fn remove_if_unused(self) -> Result<bool, Error> {
        let changes = Self::read(&self.path)?;
        if !changes.iter().all(|change| change.is_undone().unwrap_or(false)) {
            return Ok(false);
        }
        // Closed before: some systems do not remove an open file.
        let Self { path, file } = self;
        drop(file);
        std::fs::remove_file(&path).map_err(Error::io(&path))?;
        Ok(true)
    }

    /// Changes the genre tag of a file and records how to undo it; `None` if the file has this genre, ignoring case. Another
    /// process that changes the same file does so before or after.
    ///
    /// # Errors
    /// Those of [`Prepared::new`]; if the journal or the file cannot be written.
    pub fn change(&self, path: &Path, genre: &str) -> Result<Option<Change>, Error> {
        let _lock = lock(path)?;
        let Some(prepared) = Prepared::new(path, genre)? else { return Ok(None) };
        prepared.write(self)?;
        Ok(Some(prepared.change))
    }

    /// The path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The changes that a journal records, in order; none if it ends within its first line, since it is whole on the disk before a
    /// recording is changed.
    ///
    /// # Errors
    /// If it cannot be read, or is not a journal of this format.
    pub fn read(path: &Path) -> Result<Vec<Change>, Error> {
        let text = regular_file::read(path).map_err(Error::io(path))?;
        if HEADER.as_bytes().starts_with(&text) {
            return Ok(Vec::new());
        }
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        if lines.next().map(|line| line.trim_ascii()) != Some(HEADER.as_bytes()) {
            return Err(refused(path, GenreTagProblem::NotAJournal));
        }
        let change = |(number, line)| {
            let malformed = |error| GenreTagProblem::Malformed(format!("line {}: {error}", number + 2));
            serde_json::from_slice(line).map_err(|error: serde_json::Error| refused(path, malformed(error)))
        };
        lines.enumerate().map(change).collect()
    }

    fn record(&self, change: &Change) -> Result<(), Error> {
        let line = serde_json::to_string(change)
            .map_err(|error| refused(&self.path, GenreTagProblem::Malformed(error.to_string())))?;
        self.append(&line)
    }

    /// Appends a line and syncs it to the disk. Of a line that cannot be written nothing is left: another one may follow, and would
    /// be malformed behind the beginning of this one.
    fn append(&self, line: &str) -> Result<(), Error> {
        let mut journal = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        journal.append(format!("{line}\n").as_bytes()).map_err(Error::io(&self.path))
    }
}

impl JournalFile {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        // What an earlier line left that could neither be written nor removed.
        if self.file.metadata()?.len() != self.len {
            self.file.set_len(self.len)?;
        }
        if let Err(error) = self.file.write_all(line).and_then(|()| self.file.sync_data()) {
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.len += line.len() as u64;
        Ok(())
    }
}

fn refused(path: &Path, problem: GenreTagProblem) -> Error {
    Error::GenreTags { path: path.to_owned(), problem }
}

fn check_writable(path: &Path) -> Result<(), Error> {
    let permissions = std::fs::metadata(path).map_err(Error::io(path))?.permissions();
    if permissions.readonly() { Err(refused(path, GenreTagProblem::WriteProtected)) } else { Ok(()) }
}

/// Replaces a file atomically and keeps its permissions.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    atomic_file::replace(path, bytes).map_err(Error::io(path))
}

/// Waits until no other process changes the file.
fn lock(path: &Path) -> Result<FileLock, Error> {
    FileLock::acquire(path).map_err(Error::io(path))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of the decoded samples, and their number.
fn audio_checksum(path: &Path, bytes: &[u8]) -> Result<(String, usize), Error> {
    let mut decoder = Decoder::from_bytes(path, bytes.to_vec())?;
    let (mut hash, mut n_samples) = (Sha256::new(), 0);
    while let Some(block) = decoder.next_block()? {
        n_samples += block.len();
        for sample in block {
            hash.update(sample.to_le_bytes());
        }
    }
    Ok((hex(&hash.finalize()), n_samples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_audio::write_wav;

    fn recording(dir: &Path) -> PathBuf {
        let path = dir.join("tone.wav");
        let samples = (0..22_050).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        write_wav(&path, &cantus_audio::Audio { samples, sample_rate: 22_050 }).unwrap();
        path
    }

    fn write_genre(path: &Path, genre: &str, journal: &Journal) {
        Prepared::new(path, genre).unwrap().unwrap().write(journal).unwrap();
    }

    #[test]
    fn undo_restores_the_file_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let before = std::fs::read(&path).unwrap();
        let prepared = Prepared::new(&path, "jazz").unwrap().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "preparing does not modify the file");
        assert!(!prepared.change.undo().unwrap());

        prepared.write(&Journal::create(&undo_file).unwrap()).unwrap();
        assert_eq!(tags::read(&path).unwrap().genre.as_deref(), Some("jazz"));
        assert_eq!(Prepared::new(&path, "Jazz").unwrap(), None);

        let changes = Journal::read(&undo_file).unwrap();
        assert!(changes[0].undo().unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_was_modified_since_is_not_restored() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        write_genre(&path, "jazz", &Journal::create(&undo_file).unwrap());
        let other = tags::with_genre(&path, std::fs::read(&path).unwrap(), "rock").unwrap();
        std::fs::write(&path, &other).unwrap();
        let error = Journal::read(&undo_file).unwrap()[0].undo().unwrap_err().to_string();
        assert!(error.ends_with("modified since by another program; the file is not modified"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), other);
    }

    #[test]
    fn a_file_that_another_program_modifies_before_the_tag_is_written_keeps_the_modification() {
        let dir = tempfile::tempdir().unwrap();
        let (path, journal) =
            (recording(dir.path()), Journal::create(&dir.path().join("undo.jsonl")).unwrap());
        let prepared = Prepared::new(&path, "jazz").unwrap().unwrap();
        let other = tags::with_genre(&path, std::fs::read(&path).unwrap(), "rock").unwrap();
        std::fs::write(&path, &other).unwrap();
        let error = prepared.write(&journal).unwrap_err().to_string();
        assert!(error.ends_with("modified since by another program; the file is not modified"), "{error}");
        assert!(std::fs::read(&path).unwrap() == other);
        assert!(journal.remove_if_unused().unwrap(), "it records nothing");
    }

    #[test]
    fn a_journal_is_removed_only_if_there_is_nothing_to_undo() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let journal = Journal::create(&undo_file).unwrap();
        journal.change(&path, "jazz").unwrap().unwrap();
        assert!(!journal.remove_if_unused().unwrap() && undo_file.exists());
        let changes = Journal::read(&undo_file).unwrap();
        std::fs::remove_file(&undo_file).unwrap();
        let journal = Journal::create(&undo_file).unwrap();
        journal.record(&changes[0]).unwrap();
        assert!(changes[0].undo().unwrap());
        assert!(journal.remove_if_unused().unwrap() && !undo_file.exists());
    }

    #[test]
    fn the_beginning_of_a_line_that_could_not_be_written_is_removed_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let journal = Journal::create(&undo_file).unwrap();
        let half = [&std::fs::read(&undo_file).unwrap()[..], br#"{"path":"/mus"#].concat();
        std::fs::write(&undo_file, half).unwrap();
        journal.change(&path, "jazz").unwrap().unwrap();
        assert_eq!(Journal::read(&undo_file).unwrap().len(), 1);
    }

    #[test]
    fn a_journal_is_never_overwritten_and_a_truncated_last_line_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let journal = Journal::create(&undo_file).unwrap();
        assert!(Journal::create(&undo_file).is_err());
        write_genre(&path, "jazz", &journal);
        let whole = std::fs::read(&undo_file).unwrap();
        std::fs::write(&undo_file, [&whole[..], br#"{"path":"/mus"#].concat()).unwrap();
        assert_eq!(Journal::read(&undo_file).unwrap().len(), 1);

        std::fs::write(&undo_file, &whole[..9]).unwrap();
        assert!(
            Journal::read(&undo_file).unwrap().is_empty(),
            "the power failed before a recording was changed"
        );
        std::fs::write(&undo_file, "{}\n").unwrap();
        assert!(Journal::read(&undo_file).unwrap_err().to_string().contains("not a journal of genre tags"));
    }
}
