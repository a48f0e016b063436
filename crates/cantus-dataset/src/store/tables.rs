//! CSV tables of a store: failures, warnings and duplicates.

use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file_names::{FAILURES, RECORDINGS, WARNINGS, is_table, table_name};
use crate::failure::{Failure, Warning};
use crate::{Damage, Error};

/// One row of `recordings.csv`.
#[derive(Serialize, Deserialize)]
struct DuplicateRow {
    path: String,
    recording: String,
}

/// The tables of a store: those without a number, or those that were written when recordings were added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) dir: &'a Path,
    /// See [`Header::tables`](super::header::Header::tables).
    pub(super) number: Option<u32>,
}

impl Tables<'_> {
    fn path(&self, table: &str) -> PathBuf {
        self.dir.join(table_name(table, self.number))
    }

    /// Writes `failures.csv`.
    pub(super) fn write_failures(&self, failures: &[Failure]) -> Result<(), Error> {
        write_table(&self.path(FAILURES), ["path", "reason"], failures)
    }

    /// Writes `warnings.csv`.
    pub(super) fn write_warnings(&self, warnings: &[Warning]) -> Result<(), Error> {
        write_table(&self.path(WARNINGS), ["path", "reason"], warnings)
    }

    /// Writes the (path, recording) pairs of duplicates; removes the table if there are none.
    pub(super) fn write_recordings(&self, duplicates: &[(String, String)]) -> Result<(), Error> {
        let path = self.path(RECORDINGS);
        if duplicates.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
                _ => Ok(()),
            };
        }
        let row = |(path, recording): &(String, String)| DuplicateRow {
            path: path.clone(),
            recording: recording.clone(),
        };
        write_table(&path, ["path", "recording"], &duplicates.iter().map(row).collect::<Vec<_>>())
    }

    /// The rows of `failures.csv`.
    pub(super) fn read_failures(&self) -> Result<Vec<Failure>, Error> {
        read(&self.path(FAILURES))
    }

    /// The rows of `warnings.csv`.
    pub(super) fn read_warnings(&self) -> Result<Vec<Warning>, Error> {
        read(&self.path(WARNINGS))
    }

    /// The (path, recording) pairs of duplicates, sorted by path; none without the table.
    pub(super) fn read_recordings(&self) -> Result<Vec<(String, String)>, Error> {
        let path = self.path(RECORDINGS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let rows: Vec<DuplicateRow> = read(&path)?;
        Ok(rows.into_iter().map(|DuplicateRow { path, recording }| (path, recording)).collect())
    }

    /// Removes the tables of other numbers.
    pub(super) fn remove_others(&self) -> Result<(), Error> {
        let current = [FAILURES, WARNINGS, RECORDINGS].map(|table| table_name(table, self.number));
        for entry in std::fs::read_dir(self.dir).map_err(Error::io(self.dir))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_table(&name) && !current.contains(&name) {
                std::fs::remove_file(entry.path()).map_err(Error::io(&entry.path()))?;
            }
        }
        atomic_file::sync_folder_of(&self.path(FAILURES)).map_err(Error::io(self.dir))
    }
}

fn write_table<T: Serialize>(path: &Path, header: [&str; 2], rows: &[T]) -> Result<(), Error> {
    let failed =
        |error: csv::Error| Error::Io { path: path.to_owned(), source: std::io::Error::other(error) };
    let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    table.write_record(header).map_err(failed)?;
    rows.iter().try_for_each(|row| table.serialize(row)).map_err(failed)?;
    let bytes = table.into_inner().map_err(|error| failed(error.into_error().into()))?;
    atomic_file::write(path, &bytes).map_err(Error::io(path))
}

/// Reads the rows of a table.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let file = regular_file::open(path).map_err(Error::io(path))?;
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(file).into_deserialize().collect();
    rows.map_err(|error| Error::Damaged {
        path: path.to_owned(),
        damage: Damage::Malformed(error.to_string()),
    })
}
