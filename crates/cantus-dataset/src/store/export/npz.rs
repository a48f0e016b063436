//! A store as one `.npz` file, for `numpy.load`: features, labels, paths and groups as arrays with a row for each segment.
//!
//! | array | type and shape | |
//! |---|---|---|
//! | `X` | f32 `[n, n_frames, n_bins]` | the features |
//! | `y` | i64 `[n]`, or u8 `[n, n_labels]` | index of the class, or 1 for each tag |
//! | `paths`, `groups` | text `[n]` | of the track; no group is the empty text |
//! | `segments`, `copies` | i64 `[n]` | number of the segment; 0, or the number of the augmented copy |
//! | `labels` | text `[n_labels]` | names of the classes or tags, sorted |
//!
//! Arrays are stored without compression, as `numpy.savez` does.

use std::io::Write;
use std::path::Path;

use cantus_audio::atomic_file::AtomicFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Row, n_rows, rows};
use crate::store::observer::StoreObserver;
use crate::store::track_reader::TrackReader;
use crate::{Error, npy_header};

pub(super) fn write(reader: &mut TrackReader, out: &Path, observer: StoreObserver<'_>) -> Result<(), Error> {
    let file = AtomicFile::create(out).map_err(Error::io(out))?;
    let mut archive = Archive { zip: ZipWriter::new(file), out, n_rows: n_rows(reader) };
    archive.features(reader, observer)?;
    archive.targets(reader)?;
    archive.text(reader, "paths", |row| &row.track.input.path)?;
    archive.text(reader, "groups", |row| row.track.input.group.as_deref().unwrap_or_default())?;
    archive.integers(reader, "segments", |row| row.segment)?;
    archive.integers(reader, "copies", |row| row.copy)?;
    let labels = reader.header.labels.clone();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(1);
    archive.begin("labels", &format!("<U{width}"), &[labels.len()], 4 * width)?;
    labels.iter().try_for_each(|label| archive.put_text(label, width))?;
    let file = archive.zip.finish().map_err(|error| Error::io(out)(error.into()))?;
    file.commit().map_err(Error::io(out))
}

/// The archive that is being written.
struct Archive<'a> {
    zip: ZipWriter<AtomicFile>,
    out: &'a Path,
    n_rows: usize,
}

impl Archive<'_> {
    /// Begins an array; `item_bytes` is the size of a row in bytes.
    fn begin(&mut self, name: &str, descr: &str, shape: &[usize], item_bytes: usize) -> Result<(), Error> {
        let n_bytes = shape.first().map_or(0, |&n| n as u64) * item_bytes as u64;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            // With a margin for the header of the array.
            .large_file(n_bytes > u64::from(u32::MAX) - (1 << 16));
        let begun = self.zip.start_file(format!("{name}.npy"), options);
        begun.map_err(|error| Error::io(self.out)(error.into()))?;
        self.put(&npy_header(descr, shape))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.zip.write_all(bytes).map_err(Error::io(self.out))
    }

    /// A text of `width` characters in UTF-32, filled with zeros.
    fn put_text(&mut self, text: &str, width: usize) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(4 * width);
        bytes.extend(text.chars().flat_map(|character| u32::from(character).to_le_bytes()));
        bytes.resize(4 * width, 0);
        self.put(&bytes)
    }

    fn features(&mut self, reader: &mut TrackReader, observer: StoreObserver<'_>) -> Result<(), Error> {
        let (n_parts, n_frames, n_bins) =
            (reader.header.n_parts, reader.header.n_frames, reader.header.n_bins);
        self.begin("X", "<f4", &[self.n_rows, n_frames, n_bins], 4 * reader.header.segment_len())?;
        for index in 0..n_parts {
            observer.step(index, n_parts, self.out)?;
            let part = &reader.part(index)?.file;
            let features = part.read_rows(0, part.record.n_rows())?;
            self.put(&features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// `y`: the index of the class, or a column for each tag.
    fn targets(&mut self, reader: &mut TrackReader) -> Result<(), Error> {
        let labels = reader.header.labels.clone();
        let indices = |row: &Row<'_>| -> Vec<usize> {
            let names = row.track.input.label_set.names().iter();
            names.filter_map(|name| labels.binary_search(name).ok()).collect()
        };
        if !reader.header.tagging {
            return self.integers(reader, "y", |row| indices(row).first().copied().unwrap_or(0));
        }
        self.begin("y", "|u1", &[self.n_rows, labels.len()], labels.len())?;
        self.each_row(reader, |archive, row| {
            let mut columns = vec![0; labels.len()];
            indices(row).into_iter().for_each(|label| columns[label] = 1);
            archive.put(&columns)
        })
    }

    fn integers(
        &mut self,
        reader: &mut TrackReader,
        name: &str,
        value: impl Fn(&Row<'_>) -> usize,
    ) -> Result<(), Error> {
        self.begin(name, "<i8", &[self.n_rows], 8)?;
        self.each_row(reader, |archive, row| archive.put(&(value(row) as i64).to_le_bytes()))
    }

    fn text(
        &mut self,
        reader: &mut TrackReader,
        name: &str,
        value: impl for<'a> Fn(&'a Row<'_>) -> &'a str,
    ) -> Result<(), Error> {
        let mut width = 1;
        self.each_row(reader, |_, row| {
            width = width.max(value(row).chars().count());
            Ok(())
        })?;
        self.begin(name, &format!("<U{width}"), &[self.n_rows], 4 * width)?;
        self.each_row(reader, |archive, row| archive.put_text(value(row), width))
    }

    /// Calls `visit` with each row of the store, in order.
    fn each_row(
        &mut self,
        reader: &mut TrackReader,
        mut visit: impl FnMut(&mut Self, &Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let starts_known = reader.header.tracks_known;
        for index in 0..reader.header.n_parts {
            let record = &reader.part(index)?.file.record;
            rows(record, starts_known).try_for_each(|row| visit(self, &row))?;
        }
        Ok(())
    }
}
