//! A part on its way to the disk: an Arrow IPC file of one record batch, one row for each segment.
//!
//! The features are the last column, uncompressed and without nulls, so that they end the batch as one run of
//! little-endian f32 that can be read at a position. Nothing in the file depends on the time or on the threads.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::pending_file::PendingFile;

use super::record::PartRecord;
use crate::Error;

/// Key of the [`PartRecord`] in the schema's metadata.
pub(super) const RECORD_KEY: &str = "cantus.part";

/// Writes a part whole, or not at all.
///
/// `features` are those of all segments, one after the other: `[n_rows, n_frames, n_bins]`. A part without segments
/// has no record batch. `starts_known` is false where nobody knows at which second of its track a segment starts.
pub(crate) fn write_part(
    path: &Path,
    record: &PartRecord,
    features: Vec<f32>,
    starts_known: bool,
) -> Result<(), Error> {
    let failed = |error: ArrowError| {
        let source = match error {
            ArrowError::IoError(_, source) => source,
            other => std::io::Error::other(other),
        };
        Error::Io { path: path.to_owned(), source }
    };
    let batch = record_batch(record, features, starts_known).map_err(failed)?;
    let mut file = PendingFile::create(path).map_err(Error::io(path))?;
    {
        let mut writer = FileWriter::try_new(&mut file, &batch.schema()).map_err(failed)?;
        if batch.num_rows() > 0 {
            writer.write(&batch).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
    }
    file.flush().map_err(Error::io(path))?;
    file.commit().map_err(Error::io(path))
}

fn record_batch(
    record: &PartRecord,
    features: Vec<f32>,
    starts_known: bool,
) -> Result<RecordBatch, ArrowError> {
    let rows =
        || record.tracks.iter().flat_map(|track| (0..track.n_segments).map(move |segment| (track, segment)));
    let segment_s = record.spec.segment_samples() as f64 / f64::from(record.spec.sample_rate);
    let starts = rows().map(|(_, segment)| starts_known.then_some(segment as f64 * segment_s));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows().map(|(track, _)| &track.input.path))),
        Arc::new(StringArray::from_iter_values(rows().map(|(track, _)| &track.input.label))),
        Arc::new(StringArray::from_iter(rows().map(|(track, _)| track.artist.as_deref()))),
        Arc::new(StringArray::from_iter(rows().map(|(track, _)| track.input.group.as_deref()))),
        Arc::new(StringArray::from_iter(rows().map(|(track, _)| track.input.split.map(|part| part.name())))),
        Arc::new(StringArray::from_iter(rows().map(|(track, _)| track.input.fold.as_deref()))),
        Arc::new(UInt32Array::from_iter_values(rows().map(|(_, segment)| segment as u32))),
        Arc::new(Float64Array::from_iter(starts)),
        Arc::new(feature_column(&record.spec, features)?),
    ];
    RecordBatch::try_new(Arc::new(schema(record)?), columns)
}

fn feature_column(spec: &FeatureSpec, features: Vec<f32>) -> Result<FixedSizeListArray, ArrowError> {
    FixedSizeListArray::try_new(
        value_field(),
        segment_len(spec)?,
        Arc::new(Float32Array::from(features)),
        None,
    )
}

fn schema(record: &PartRecord) -> Result<Schema, ArrowError> {
    let spec = &record.spec;
    let shape = format!("[{}, {}]", spec.frames_per_segment(), spec.n_bins());
    let list = DataType::FixedSizeList(value_field(), segment_len(spec)?);
    let fields = vec![
        Field::new("path", DataType::Utf8, false),
        Field::new("label", DataType::Utf8, false),
        Field::new("artist", DataType::Utf8, true),
        Field::new("group", DataType::Utf8, true),
        Field::new("split", DataType::Utf8, true),
        Field::new("fold", DataType::Utf8, true),
        Field::new("segment", DataType::UInt32, false),
        Field::new("start_s", DataType::Float64, true),
        Field::new("features", list, false).with_metadata(HashMap::from([("shape".to_owned(), shape)])),
    ];
    let json = serde_json::to_string(record).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(Schema::new_with_metadata(fields, HashMap::from([(RECORD_KEY.to_owned(), json)])))
}

fn value_field() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, false))
}

fn segment_len(spec: &FeatureSpec) -> Result<i32, ArrowError> {
    let n_values = spec.frames_per_segment().saturating_mul(spec.n_bins());
    i32::try_from(n_values)
        .map_err(|_| ArrowError::InvalidArgumentError(format!("a segment of {n_values} values is too large")))
}
