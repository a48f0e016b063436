//! A store as one Arrow IPC file: the columns of its parts, a record batch for each part.
//!
//! The schema's metadata has `cantus.features`, the FeatureSpec as JSON, and `cantus.labels`, the names of the labels.

use std::collections::HashMap;
use std::path::Path;

use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;
use cantus_audio::atomic_file::AtomicFile;

use crate::Error;
use crate::store::observer::StoreObserver;
use crate::store::part_writer::{arrow_error, record_batch, schema};
use crate::store::track_reader::TrackReader;

pub(super) fn write(reader: &mut TrackReader, out: &Path, observer: StoreObserver<'_>) -> Result<(), Error> {
    let failed = |error| arrow_error(out, error);
    let header = &reader.header;
    let (n_parts, starts_known) = (header.n_parts, header.tracks_known);
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|error| failed(ArrowError::JsonError(error.to_string())))
    };
    let metadata = HashMap::from([
        ("cantus.features".to_owned(), json(serde_json::to_string(&header.features))?),
        ("cantus.labels".to_owned(), json(serde_json::to_string(&header.labels))?),
    ]);
    let schema = schema(&header.features, header.tagging, metadata.clone()).map_err(failed)?;
    let mut file = AtomicFile::create(out).map_err(Error::io(out))?;
    let mut writer = FileWriter::try_new(&mut file, &schema).map_err(failed)?;
    for index in 0..n_parts {
        observer.step(index, n_parts, out)?;
        let part = &reader.part(index)?.file;
        let features = part.read_rows(0, part.record.n_rows())?;
        if part.record.n_rows() > 0 {
            let batch = record_batch(&part.record, features, metadata.clone(), starts_known);
            writer.write(&batch.map_err(failed)?).map_err(failed)?;
        }
    }
    writer.finish().map_err(failed)?;
    drop(writer);
    file.commit().map_err(Error::io(out))
}
