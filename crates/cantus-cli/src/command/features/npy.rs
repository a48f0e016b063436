//! numpy's own formats: `.npy`, one array, and `.npz`, a zip of them.
//!
//! The header of an array is that of [`npy_header`].

use std::io::{Cursor, Write};

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
