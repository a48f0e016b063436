//! A model's predictions in the genre tags of the recordings, so that they can be taken back to the last byte.
//!
//! What a change takes away is on the disk, in a journal, before the file is touched. The sound is decoded before and after,
//! and a file is changed only if that is the same to the last bit; it is replaced whole or not at all.
//!
//! The journal is the one file that is not written under another name and renamed: it has to be complete for every file
//! that was changed, whenever the process is killed. So a line is added and brought to the disk for each, and a last line
//! that was cut belongs to a file that was not touched.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cantus_audio::atomic_file;
use cantus_audio::decode::Decoder;
use cantus_dataset::tags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::model_file::hex;

/// The first line of a journal.
const HEADER: &str = r#"{"cantus":"genre tags","version":1}"#;

/// What has to be put back into one file to have it as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where the file is, from the root.
    pub path: PathBuf,
    /// The genre in its tags, as it was.
    pub genre_before: Option<String>,
    /// As it became.
    pub genre_after: String,
    sha256_before: String,
    sha256_after: String,
    /// Bytes at either end that are the same before and after.
    n_same_at_start: usize,
    n_same_at_end: usize,
    /// What was between them, in base64.
    taken_away: String,
}

/// A file with another genre that is not written yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// What writing it will change.
    pub change: Change,
    after: Vec<u8>,
}

/// Changes that can be taken back, noted as they are made; threads may share it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Prepared {
    /// Prepares another genre for a file, without touching it; none if it has this genre, capitals aside.
    ///
    /// # Errors
    /// If the file cannot be read, has no tags that can be written, or its sound would not stay the same.
    pub fn new(path: &Path, genre: &str) -> Result<Option<Self>, Error> {
        let genre_before = tags::read(path)?.genre;
        if genre_before.as_ref().is_some_and(|before| before.to_lowercase() == genre.to_lowercase()) {
            return Ok(None);
        }
        let path = path.canonicalize().map_err(Error::io(path))?;
        let before = std::fs::read(&path).map_err(Error::io(&path))?;
        let after = tags::with_genre(&path, before.clone(), genre)?;
        if sound(&path, &before)? != sound(&path, &after)? {
            return Err(left_alone(&path, "with another genre in its tags its sound would not be the same"));
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

    /// Notes the change, and then makes it.
    ///
    /// # Errors
    /// If the journal or the file cannot be written.
    pub fn write(&self, journal: &Journal) -> Result<(), Error> {
        check_writable(&self.change.path)?;
        journal.note(&self.change)?;
        replace(&self.change.path, &self.after)
    }
}

impl Change {
    /// Takes the change back: the file is as it was, to the last byte. False if it is so already.
    ///
    /// # Errors
    /// If the file was changed by somebody else since, or cannot be written.
    pub fn undo(&self) -> Result<bool, Error> {
        let bytes = std::fs::read(&self.path).map_err(Error::io(&self.path))?;
        let found = sha256(&bytes);
        if found == self.sha256_before {
            return Ok(false);
        }
        if found != self.sha256_after {
            return Err(left_alone(&self.path, "it was changed by somebody else since"));
        }
        let damaged = || left_alone(&self.path, "what the journal says of it is damaged");
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
    /// Begins a journal, if there is no file of this name.
    ///
    /// # Errors
    /// If there is one, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::io(path))?;
        let journal = Self { path: path.to_owned(), file: Mutex::new(file) };
        journal.add(HEADER)?;
        Ok(journal)
    }

    /// The changes that a journal has noted, in their order.
    ///
    /// # Errors
    /// If it cannot be read, or is no journal of this kind.
    pub fn read(path: &Path) -> Result<Vec<Change>, Error> {
        let text = std::fs::read(path).map_err(Error::io(path))?;
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        if lines.next().map(|line| line.trim_ascii()) != Some(HEADER.as_bytes()) {
            let reason = "not what `cantus predict --write-tags` writes, or a later cantus wrote it";
            return Err(Error::Retag { path: path.to_owned(), reason: reason.to_owned() });
        }
        let change = |(number, line)| {
            serde_json::from_slice(line).map_err(|error| Error::Retag {
                path: path.to_owned(),
                reason: format!("line {}: {error}", number + 2),
            })
        };
        lines.enumerate().map(change).collect()
    }

    fn note(&self, change: &Change) -> Result<(), Error> {
        let line = serde_json::to_string(change)
            .map_err(|error| Error::Retag { path: self.path.clone(), reason: error.to_string() })?;
        self.add(&line)
    }

    /// Adds a line and waits until it is on the disk.
    fn add(&self, line: &str) -> Result<(), Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data());
        written.map_err(Error::io(&self.path))
    }
}

fn left_alone(path: &Path, reason: &str) -> Error {
    Error::Retag { path: path.to_owned(), reason: format!("{reason}; it is left alone") }
}

fn check_writable(path: &Path) -> Result<(), Error> {
    let permissions = std::fs::metadata(path).map_err(Error::io(path))?.permissions();
    if permissions.readonly() { Err(left_alone(path, "it is write-protected")) } else { Ok(()) }
}

/// Puts a file in the place of the one that is there, with its permissions.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let permissions = std::fs::metadata(path).map_err(Error::io(path))?.permissions();
    atomic_file::write(path, bytes).map_err(Error::io(path))?;
    std::fs::set_permissions(path, permissions).map_err(Error::io(path))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A checksum of what is heard, and how much of it there is.
fn sound(path: &Path, bytes: &[u8]) -> Result<(String, usize), Error> {
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

    fn retagged(path: &Path, genre: &str, journal: &Journal) {
        Prepared::new(path, genre).unwrap().unwrap().write(journal).unwrap();
    }

    #[test]
    fn a_change_can_be_taken_back_to_the_last_byte() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let before = std::fs::read(&path).unwrap();
        let prepared = Prepared::new(&path, "jazz").unwrap().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "what is prepared touches nothing");
        assert!(!prepared.change.undo().unwrap());

        prepared.write(&Journal::create(&undo_file).unwrap()).unwrap();
        assert_eq!(tags::read(&path).unwrap().genre.as_deref(), Some("jazz"));
        assert_eq!(Prepared::new(&path, "Jazz").unwrap(), None);

        let changes = Journal::read(&undo_file).unwrap();
        assert!(changes[0].undo().unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_somebody_else_has_changed_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        retagged(&path, "jazz", &Journal::create(&undo_file).unwrap());
        let other = tags::with_genre(&path, std::fs::read(&path).unwrap(), "rock").unwrap();
        std::fs::write(&path, &other).unwrap();
        let error = Journal::read(&undo_file).unwrap()[0].undo().unwrap_err().to_string();
        assert!(error.ends_with("changed by somebody else since; it is left alone"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), other);
    }

    #[test]
    fn a_journal_is_never_written_over_and_one_that_was_cut_is_good_for_what_was_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, undo_file) = (recording(dir.path()), dir.path().join("undo.jsonl"));
        let journal = Journal::create(&undo_file).unwrap();
        assert!(Journal::create(&undo_file).is_err());
        retagged(&path, "jazz", &journal);
        let whole = std::fs::read(&undo_file).unwrap();
        std::fs::write(&undo_file, [&whole[..], br#"{"path":"/mus"#].concat()).unwrap();
        assert_eq!(Journal::read(&undo_file).unwrap().len(), 1);

        std::fs::write(&undo_file, "{}\n").unwrap();
        assert!(Journal::read(&undo_file).unwrap_err().to_string().contains("--write-tags"));
    }
}
