//! Repairs the sizes in the header of an AIFF file, as `wave` does for WAV: Symphonia refuses those past the end.

use std::io::{Read, Result, Seek, SeekFrom};

use super::wave::SizeWarning;

/// Length of the header of a chunk.
const HEADER: u64 = 8;
/// First chunk, after the magic number, the file's size and its type.
const FIRST_CHUNK: u64 = 12;
const MAX_CHUNKS: usize = 10_000;

/// A size that was wrong, and bytes of the header that replace others, by their position.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AiffRepair {
    pub(super) warning: Option<SizeWarning>,
    pub(super) patches: Vec<(u64, [u8; 4])>,
}

impl AiffRepair {
    /// Compares the sizes of the chunk of samples (`SSND`) and of the whole (`FORM`) with the file.
    pub(super) fn find(file: &mut (impl Read + Seek), size: u64) -> Result<Self> {
        let mut repair = Self::default();
        let Some((_, form_size)) = header(file, 0)? else { return Ok(repair) };
        let Some((position, declared)) = sound_chunk(file, size)? else { return Ok(repair) };
        let n_left = size.saturating_sub(position + HEADER);
        let is_open = declared == 0 || declared == u64::from(u32::MAX) || declared == 0x7FFF_FFFF;
        let mut end = position + HEADER + declared;
        if n_left > HEADER && (declared == 0 || declared > n_left) {
            end = size;
            repair.warning = Some(if is_open {
                SizeWarning::Open(declared)
            } else {
                SizeWarning::DataEndsEarly(declared, n_left)
            });
            repair.patch(position + 4, n_left);
        }
        let form_end = form_size + HEADER;
        if form_end < end || form_end > size + 1 {
            repair.warning = repair.warning.or(Some(SizeWarning::File(form_end, size)));
            repair.patch(4, size - HEADER);
        }
        Ok(repair)
    }

    fn patch(&mut self, position: u64, size: u64) {
        self.patches.push((position, u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes()));
    }
}

/// Position and size of the chunk of samples.
fn sound_chunk(file: &mut (impl Read + Seek), size: u64) -> Result<Option<(u64, u64)>> {
    let mut position = FIRST_CHUNK;
    for _ in 0..MAX_CHUNKS {
        match header(file, position)? {
            Some((name, chunk_size)) if &name == b"SSND" => return Ok(Some((position, chunk_size))),
            Some((_, chunk_size)) => position = (position + HEADER + chunk_size).next_multiple_of(2),
            None => break,
        }
        if position >= size {
            break;
        }
    }
    Ok(None)
}

/// Name and size of a chunk.
fn header(file: &mut (impl Read + Seek), position: u64) -> Result<Option<([u8; 4], u64)>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(position))?;
    file.by_ref().take(HEADER).read_to_end(&mut bytes)?;
    Ok(match bytes.as_slice() {
        &[a, b, c, d, ref size @ ..] => {
            size.first_chunk().map(|size| ([a, b, c, d], u32::from_be_bytes(*size).into()))
        }
        _ => None,
    })
}
