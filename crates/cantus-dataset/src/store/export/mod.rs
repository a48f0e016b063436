//! Exports a store to formats that other programs read, a part at a time.

mod arrow;
mod npz;
mod webdataset;

use std::path::Path;

use super::observer::StoreObserver;
use super::record::{PartRecord, TrackRecord, start_s};
use super::track_reader::TrackReader;
use crate::Error;

/// A format that a store is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// One Arrow IPC file with the columns of the parts, a record batch for each part.
    Arrow,
    /// One `.npz` file of numpy arrays: `X`, `y`, `paths`, `groups`, `labels`, `segments`, `copies`.
    Npz,
    /// A folder of tar files, one for each part, with a sample for each segment.
    Webdataset,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Number of rows: segments of the tracks and of their augmented copies.
    pub n_rows: usize,
}

/// Exports a complete store to a file, or to a folder for [`ExportFormat::Webdataset`]. A file is replaced, a folder must not
/// exist.
///
/// # Errors
/// If the store is incomplete or damaged, `out` cannot be written, or it was cancelled.
pub fn export_store(
    store: &Path,
    out: &Path,
    format: ExportFormat,
    observer: StoreObserver<'_>,
) -> Result<Exported, Error> {
    let mut reader = TrackReader::open_without_analyses(store)?;
    match format {
        ExportFormat::Arrow => arrow::write(&mut reader, out, observer)?,
        ExportFormat::Npz => npz::write(&mut reader, out, observer)?,
        ExportFormat::Webdataset => webdataset::write(&mut reader, out, observer)?,
    }
    Ok(Exported { n_rows: n_rows(&reader) })
}

fn n_rows(reader: &TrackReader) -> usize {
    reader.header.n_segments + reader.header.n_copied_segments
}

/// A row of a part.
struct Row<'a> {
    track: &'a TrackRecord,
    /// 0 for the recording itself.
    copy: usize,
    segment: usize,
    /// `None` if it is not known.
    start_s: Option<f64>,
}

/// The rows of a part, in order; `starts_known` is whether the starts of segments are known.
fn rows(record: &PartRecord, starts_known: bool) -> impl Iterator<Item = Row<'_>> {
    let of_track = move |track| {
        TrackRecord::rows(track).map(move |(copy, segment)| {
            let start_s = start_s(segment, &track.starts, &record.spec);
            Row { track, copy, segment, start_s: start_s.filter(|_| starts_known && copy == 0) }
        })
    };
    record.tracks.iter().flat_map(of_track)
}
