//! The boxes of an MP4 file: four-character names and sizes, nested.
//!
//! # Reference
//! ISO/IEC 14496-12, 4.2.

use std::io::{Read, Result, Seek, SeekFrom};
use std::ops::Range;

/// Limit on the number of boxes in a box.
const MAX_BOXES: usize = 4096;
/// Limit on the bytes read of a box.
const MAX_CONTENT: u64 = 1 << 16;

/// A file of boxes.
pub(super) struct Boxes<'f, F> {
    pub(super) file: &'f mut F,
}

impl<F: Read + Seek> Boxes<'_, F> {
    /// Names and contents of the boxes in a range of the file.
    pub(super) fn children(&mut self, range: Range<u64>) -> Result<Vec<([u8; 4], Range<u64>)>> {
        let (mut position, mut found) = (range.start, Vec::new());
        while found.len() < MAX_BOXES && position.saturating_add(8) <= range.end {
            let header = self.read(&(position..(position + 16).min(range.end)))?;
            let (Some(size), Some(name)) =
                (u32_at(&header, 0), header.get(4..).and_then(<[u8]>::first_chunk))
            else {
                break;
            };
            let (length, size) = match size {
                0 => (8, range.end - position),
                1 => (16, u64_at(&header, 8).unwrap_or(0)),
                size => (8, u64::from(size)),
            };
            let end = position.saturating_add(size).min(range.end);
            if size < length || end < position + length {
                break;
            }
            found.push((*name, position + length..end));
            position = end;
        }
        Ok(found)
    }

    /// Contents of the boxes of this name in a range of the file.
    pub(super) fn named(
        &mut self,
        range: Range<u64>,
        wanted: &[u8; 4],
    ) -> Result<Vec<([u8; 4], Range<u64>)>> {
        let mut boxes = self.children(range)?;
        boxes.retain(|(name, _)| name == wanted);
        Ok(boxes)
    }

    /// The first bytes of a range of the file.
    pub(super) fn read(&mut self, range: &Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(range.start))?;
        self.file.by_ref().take((range.end - range.start).min(MAX_CONTENT)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A big-endian number at a position.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A big-endian number at a position.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
