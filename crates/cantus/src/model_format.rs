//! The number of a model file's format, which grows with what older versions cannot read.

use std::path::Path;

use cantus_audio::feature::Segments;

use crate::{Error, Model, Task};

/// The newest format that this version reads: that of ensembles.
const NEWEST_FORMAT: u64 = 6;
/// The format of models of one row per segment, a summary or an embedding.
const FORMAT_OF_ROWS: u64 = 5;
/// The format of models whose segments are windows.
const FORMAT_OF_WINDOWS: u64 = 4;
/// The format of taggers, whose probabilities are independent per tag, so that versions without tags must not read them as
/// class probabilities.
const FORMAT_OF_TAGGERS: u64 = 3;
/// The format of classifiers.
const FORMAT: u64 = 2;

/// The oldest format that has what the model needs.
pub(crate) fn of(model: &Model) -> u64 {
    match (&model.features.segments, model.task()) {
        _ if model.n_networks().is_some() => NEWEST_FORMAT,
        _ if model.features.has_one_row() => FORMAT_OF_ROWS,
        (Segments::Windows(_), _) => FORMAT_OF_WINDOWS,
        (_, Task::Tagging) => FORMAT_OF_TAGGERS,
        (_, Task::Classification) => FORMAT,
    }
}

/// Refuses a model of a later format.
pub(crate) fn refuse_newer(header: &serde_json::Value, path: &Path) -> Result<(), Error> {
    let found = header["format"].as_u64().unwrap_or(0);
    if found <= NEWEST_FORMAT {
        return Ok(());
    }
    let version = header["version"].as_str().unwrap_or("a later version").to_owned();
    Err(Error::ModelTooNew { path: path.to_owned(), found, supported: NEWEST_FORMAT, version })
}
