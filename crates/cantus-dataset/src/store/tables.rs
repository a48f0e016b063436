//! CSV tables of a store: failures, warnings and duplicates.

use std::collections::HashMap;
use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file_names;
use crate::failure::{Failure, Warning};
use crate::{Damage, Error};

/// One row of `recordings.csv`.
#[derive(Serialize, Deserialize)]
struct DuplicateRow {
    path: String,
    recording: String,
}

/// Writes `failures.csv`.
pub(super) fn write_failures(dir: &Path, failures: &[Failure]) -> Result<(), Error> {
    write(&dir.join(file_names::FAILURES), failures)
}

/// Writes `warnings.csv`.
pub(super) fn write_warnings(dir: &Path, warnings: &[Warning]) -> Result<(), Error> {
    write(&dir.join(file_names::WARNINGS), warnings)
}

/// Writes the (path, recording) pairs of duplicates; removes the table if there are none.
pub(crate) fn write_recordings(dir: &Path, duplicates: &[(String, String)]) -> Result<(), Error> {
    let path = dir.join(file_names::RECORDINGS);
    if duplicates.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
            _ => Ok(()),
        };
    }
    let rows: Vec<DuplicateRow> = duplicates
        .iter()
        .map(|(path, recording)| DuplicateRow { path: path.clone(), recording: recording.clone() })
        .collect();
    write_table(&path, ["path", "recording"], &rows)
}

/// The recording of each track that has duplicates.
pub(super) fn read_recordings(dir: &Path) -> Result<HashMap<String, String>, Error> {
    let path = dir.join(file_names::RECORDINGS);
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let rows: Vec<DuplicateRow> = read(&path)?;
    Ok(rows.into_iter().map(|DuplicateRow { path, recording }| (path, recording)).collect())
}

fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Error> {
    write_table(path, ["path", "reason"], rows)
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
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let file = regular_file::open(path).map_err(Error::io(path))?;
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(file).into_deserialize().collect();
    rows.map_err(|error| Error::Damaged {
        path: path.to_owned(),
        damage: Damage::Malformed(error.to_string()),
    })
}
