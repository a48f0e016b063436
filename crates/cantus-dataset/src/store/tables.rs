//! `failures.csv` and `warnings.csv`: what a person reads when something is missing.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::track::{Failure, Warning};
use cantus_audio::atomic_file;

use crate::Error;

pub(crate) const FAILURES_NAME: &str = "failures.csv";
pub(crate) const WARNINGS_NAME: &str = "warnings.csv";
/// Which tracks are copies of one recording; absent where there are none.
const RECORDINGS_NAME: &str = "recordings.csv";

/// One row of `recordings.csv`.
#[derive(Serialize, serde::Deserialize)]
struct Copy {
    path: String,
    recording: String,
}

pub(crate) fn write_failures(dir: &Path, failures: &[Failure]) -> Result<(), Error> {
    write(&dir.join(FAILURES_NAME), failures)
}

pub(crate) fn write_warnings(dir: &Path, warnings: &[Warning]) -> Result<(), Error> {
    write(&dir.join(WARNINGS_NAME), warnings)
}

/// Whether a file name is that of a table.
pub(super) fn is_table(name: &str) -> bool {
    [FAILURES_NAME, WARNINGS_NAME, RECORDINGS_NAME].contains(&name)
}

/// Writes which tracks are copies of which recording, or removes what was written of them.
pub(crate) fn write_recordings(dir: &Path, copies: &[(String, String)]) -> Result<(), Error> {
    let path = dir.join(RECORDINGS_NAME);
    if copies.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
            _ => Ok(()),
        };
    }
    let rows: Vec<Copy> = copies
        .iter()
        .map(|(path, recording)| Copy { path: path.clone(), recording: recording.clone() })
        .collect();
    write_under(&path, ["path", "recording"], &rows)
}

/// The recording of each track that has copies.
pub(super) fn read_recordings(dir: &Path) -> Result<HashMap<String, String>, Error> {
    let path = dir.join(RECORDINGS_NAME);
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Copy> = read(&path)?;
    Ok(rows.into_iter().map(|Copy { path, recording }| (path, recording)).collect())
}

fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Error> {
    write_under(path, ["path", "reason"], rows)
}

fn write_under<T: Serialize>(path: &Path, header: [&str; 2], rows: &[T]) -> Result<(), Error> {
    let failed =
        |error: csv::Error| Error::Io { path: path.to_owned(), source: std::io::Error::other(error) };
    let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    table.write_record(header).map_err(failed)?;
    rows.iter().try_for_each(|row| table.serialize(row)).map_err(failed)?;
    let bytes = table.into_inner().map_err(|error| failed(error.into_error().into()))?;
    atomic_file::write(path, &bytes).map_err(Error::io(path))
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(file).into_deserialize().collect();
    rows.map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })
}
