//! `failures.csv` and `warnings.csv`: what a person reads when something is missing.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::track::{Failure, Warning};
use cantus_audio::pending_file;

use crate::Error;

pub(crate) const FAILURES_NAME: &str = "failures.csv";
pub(crate) const WARNINGS_NAME: &str = "warnings.csv";

pub(crate) fn write_failures(dir: &Path, failures: &[Failure]) -> Result<(), Error> {
    write(&dir.join(FAILURES_NAME), failures)
}

pub(crate) fn write_warnings(dir: &Path, warnings: &[Warning]) -> Result<(), Error> {
    write(&dir.join(WARNINGS_NAME), warnings)
}

/// Whether a file name is that of a table.
pub(super) fn is_table(name: &str) -> bool {
    name == FAILURES_NAME || name == WARNINGS_NAME
}

fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Error> {
    let failed =
        |error: csv::Error| Error::Io { path: path.to_owned(), source: std::io::Error::other(error) };
    let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    table.write_record(["path", "reason"]).map_err(failed)?;
    rows.iter().try_for_each(|row| table.serialize(row)).map_err(failed)?;
    let bytes = table.into_inner().map_err(|error| failed(error.into_error().into()))?;
    pending_file::write(path, &bytes).map_err(Error::io(path))
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(file).into_deserialize().collect();
    rows.map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })
}
