//! numpy's own formats: `.npy`, one array, and `.npz`, a zip of them.
//!
//! The header of an array is that of [`npy_header`].

use std::io::{Cursor, Seek, SeekFrom, Write};

use anyhow::ensure;
use cantus_dataset::npy_header;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::content::Content;

/// One array: of all kinds with frames, `[n_frames, n_bins]`, or of one without, `[n]`.
pub fn npy(content: &Content<'_>) -> Vec<u8> {
    match (&content.framed, content.whole.first()) {
        (Some(features), _) => array(&[features.n_frames, features.n_bins], features.values.iter().copied()),
        (None, Some((_, whole))) => array(&[whole.values.len()], whole.values.iter().copied()),
        (None, None) => array(&[0], std::iter::empty()),
    }
}

/// An array for each kind under its name, stored as it is, as `numpy.savez` does.
pub fn npz(content: &Content<'_>) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: Vec<u8>| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(u32::try_from(bytes.len()).is_err());
        zip.start_file(format!("{name}.npy"), options)?;
        zip.write_all(&bytes).map_err(zip::result::ZipError::from)
    };
    if let Some(features) = &content.framed {
        for (kind, columns) in content.spec.columns() {
            let rows = features.values.chunks_exact(features.n_bins.max(1));
            let values = rows.flat_map(|row| row[columns.clone()].iter().copied());
            add(kind.name(), array(&[features.n_frames, columns.len()], values))?;
        }
    }
    for (kind, whole) in &content.whole {
        add(kind.name(), array(&[whole.values.len()], whole.values.iter().copied()))?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Little-endian f32 in C order.
fn array(shape: &[usize], values: impl Iterator<Item = f32>) -> Vec<u8> {
    let mut bytes = npy_header("<f4", shape);
    bytes.extend(values.flat_map(f32::to_le_bytes));
    bytes
}

/// Writes an array `[n_frames, n_bins]` whose number of frames is known at the end.
pub struct NpyWriter<W> {
    file: W,
    n_bins: usize,
    n_values: usize,
    header_len: usize,
}

impl<W: Write + Seek> NpyWriter<W> {
    pub fn new(mut file: W, n_bins: usize) -> anyhow::Result<Self> {
        // Padded to a multiple of 64 bytes: as long as the header of any number of frames.
        let header_len = npy_header("<f4", &[0, n_bins]).len();
        file.write_all(&vec![0; header_len])?;
        Ok(Self { file, n_bins, n_values: 0, header_len })
    }

    /// Appends frames, `[n, n_bins]`.
    pub fn write(&mut self, frames: &[f32]) -> anyhow::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.n_values += frames.len();
        Ok(())
    }

    /// Writes the header and returns the file.
    pub fn finish(mut self) -> anyhow::Result<W> {
        let header = npy_header("<f4", &[self.n_values / self.n_bins.max(1), self.n_bins]);
        ensure!(header.len() == self.header_len, "the array has too many frames for its header");
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_written_by_frames_equals_one_written_as_a_whole() {
        let values: Vec<f32> = (0..12_000_u16).map(f32::from).collect();
        for n_bins in [1, 12, 1000] {
            let mut writer = NpyWriter::new(Cursor::new(Vec::new()), n_bins).unwrap();
            values.chunks(3 * n_bins).for_each(|frames| writer.write(frames).unwrap());
            let found = writer.finish().unwrap().into_inner();
            assert_eq!(found, array(&[values.len() / n_bins, n_bins], values.iter().copied()));
        }
    }

    #[test]
    fn the_header_of_an_array_of_frames_has_one_length() {
        for n_bins in [1, 1025, 100_000] {
            let of = |n_frames: usize| npy_header("<f4", &[n_frames, n_bins]).len();
            assert!([0, 9, 10_000_000, u32::MAX as usize, 1 << 50].iter().all(|&n| of(n) == of(0)));
        }
    }
}
