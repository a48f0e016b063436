//! Writes a part: an Arrow IPC file of one record batch with one row per segment.
//!
//! The features are the last column, uncompressed and without nulls, and therefore one contiguous run of little-endian f32
//! at the end of the batch. The bytes depend neither on the time nor on the number of threads.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use cantus_audio::atomic_file::AtomicFile;
use cantus_audio::feature::FeatureSpec;

use super::part_hash::{HashingWriter, PartHash};
use super::record::{LabelSet, PartRecord, TrackRecord, start_s};
use crate::Error;

/// Key of the [`PartRecord`] in the schema's metadata.
pub(super) const RECORD_KEY: &str = "cantus.part";

/// Key of the checksum in the schema's metadata: CRC-32 over the record's JSON and the features, in hexadecimal.
///
/// CRC-32 detects accidental corruption (every flip of a few bits, every burst of up to 32), not deliberate changes; those the
/// SHA-256 in `store.toml` detects.
pub(super) const CHECKSUM_KEY: &str = "cantus.crc32";

/// Writes a part atomically.
///
/// Returns its hashes. A part without segments has no record batch. `starts_known` is whether the start times of segments are known.
///
/// # Shapes
/// - `features`: `[n_rows, n_frames, n_bins]`
pub(super) fn write_part(
    path: &Path,
    record: &PartRecord,
    features: Vec<f32>,
    starts_known: bool,
) -> Result<PartHash, Error> {
    let failed = |error| arrow_error(path, error);
    let json =
        serde_json::to_string(record).map_err(|error| failed(ArrowError::JsonError(error.to_string())))?;
    let crc32 = checksum(&json, &features);
    let metadata = [(RECORD_KEY.to_owned(), json), (CHECKSUM_KEY.to_owned(), format!("{crc32:08x}"))];
    let batch = record_batch(record, features, HashMap::from(metadata), starts_known).map_err(failed)?;
    let mut file = AtomicFile::create(path).map_err(Error::io(path))?;
    let mut hash = HashingWriter::new(&mut file);
    {
        let mut writer = FileWriter::try_new(&mut hash, &batch.schema()).map_err(failed)?;
        if batch.num_rows() > 0 {
            writer.write(&batch).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
    }
    hash.flush().map_err(Error::io(path))?;
    let sha256 = hash.finish();
    file.commit().map_err(Error::io(path))?;
    Ok(PartHash::new(crc32, sha256))
}

/// The error of a failed Arrow operation on a file.
pub(super) fn arrow_error(path: &Path, error: ArrowError) -> Error {
    let source = match error {
        ArrowError::IoError(_, source) => source,
        other => std::io::Error::other(other),
    };
    Error::Io { path: path.to_owned(), source }
}

/// The rows of a part, with that metadata in the schema.
pub(super) fn record_batch(
    record: &PartRecord,
    features: Vec<f32>,
    metadata: HashMap<String, String>,
    starts_known: bool,
) -> Result<RecordBatch, ArrowError> {
    let rows = || {
        let of_track = |track| TrackRecord::rows(track).map(move |(copy, segment)| (track, copy, segment));
        record.tracks.iter().flat_map(of_track)
    };
    // The start of an augmented copy's segment in the recording is unknown.
    let starts = rows().map(|(track, copy, segment)| {
        start_s(segment, &track.starts, &record.spec).filter(|_| starts_known && copy == 0)
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows().map(|(track, ..)| &track.input.path))),
        label_column(record, rows().map(|(track, ..)| &track.input.label_set)),
        Arc::new(StringArray::from_iter(rows().map(|(track, ..)| track.artist.as_deref()))),
        Arc::new(StringArray::from_iter(rows().map(|(track, ..)| track.input.group.as_deref()))),
        Arc::new(StringArray::from_iter(rows().map(|(track, ..)| track.input.split.map(|part| part.name())))),
        Arc::new(StringArray::from_iter(rows().map(|(track, ..)| track.input.fold.as_deref()))),
        Arc::new(UInt32Array::from_iter_values(rows().map(|(_, _, segment)| segment as u32))),
        Arc::new(UInt32Array::from_iter_values(rows().map(|(_, copy, _)| copy as u32))),
        Arc::new(Float64Array::from_iter(starts)),
        Arc::new(feature_column(&record.spec, features)?),
    ];
    RecordBatch::try_new(Arc::new(schema(&record.spec, record.is_tagged(), metadata)?), columns)
}

/// The class of each row, or a list of its tags.
fn label_column<'a>(record: &PartRecord, rows: impl Iterator<Item = &'a LabelSet>) -> ArrayRef {
    if !record.is_tagged() {
        return Arc::new(StringArray::from_iter_values(
            rows.map(|label_set| label_set.class().unwrap_or_default()),
        ));
    }
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(tag_field());
    for label_set in rows {
        label_set.names().iter().for_each(|name| lists.values().append_value(name));
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn feature_column(spec: &FeatureSpec, features: Vec<f32>) -> Result<FixedSizeListArray, ArrowError> {
    FixedSizeListArray::try_new(
        value_field(),
        segment_len(spec)?,
        Arc::new(Float32Array::from(features)),
        None,
    )
}

/// CRC-32 over the record and the features, as they are in the file.
fn checksum(json: &str, features: &[f32]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(json.as_bytes());
    let mut bytes = Vec::with_capacity(1 << 16);
    for values in features.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        hasher.update(&bytes);
    }
    hasher.finalize()
}

/// The columns of a part, and metadata.
pub(super) fn schema(
    spec: &FeatureSpec,
    is_tagged: bool,
    metadata: HashMap<String, String>,
) -> Result<Schema, ArrowError> {
    let shape = format!("[{}, {}]", spec.frames_per_segment(), spec.n_bins());
    let list = DataType::FixedSizeList(value_field(), segment_len(spec)?);
    let fields = vec![
        Field::new("path", DataType::Utf8, false),
        if is_tagged {
            Field::new("labels", DataType::List(tag_field()), false)
        } else {
            Field::new("label", DataType::Utf8, false)
        },
        Field::new("artist", DataType::Utf8, true),
        Field::new("group", DataType::Utf8, true),
        Field::new("split", DataType::Utf8, true),
        Field::new("fold", DataType::Utf8, true),
        Field::new("segment", DataType::UInt32, false),
        Field::new("copy", DataType::UInt32, false),
        Field::new("start_s", DataType::Float64, true),
        Field::new("features", list, false).with_metadata(HashMap::from([("shape".to_owned(), shape)])),
    ];
    Ok(Schema::new_with_metadata(fields, metadata))
}

fn tag_field() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Utf8, false))
}

fn value_field() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, false))
}

fn segment_len(spec: &FeatureSpec) -> Result<i32, ArrowError> {
    let n_values = spec.frames_per_segment().saturating_mul(spec.n_bins());
    i32::try_from(n_values)
        .map_err(|_| ArrowError::InvalidArgumentError(format!("a segment of {n_values} values is too large")))
}
