//! Hides the ID3v2, ID3v1 and APEv2 tags at the ends of a file from the decoder.
//!
//! Tags, cover pictures in particular, often contain bytes that look like the header of an MPEG frame.
//!
//! # Reference
//! <https://id3.org/id3v2.4.0-structure>; <https://wiki.hydrogenaudio.org/index.php?title=APE_Tags_Header>.

use std::io::{Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Limit on consecutive ID3v2 tags that are skipped.
const MAX_TAGS: usize = 8;

/// The bytes `start..end` of a file.
pub(super) struct TagStripper {
    file: Box<dyn MediaSource>,
    start: u64,
    end: u64,
}

impl TagStripper {
    /// Finds the tags of a seekable file.
    pub(super) fn new(mut file: Box<dyn MediaSource>) -> Result<Self> {
        let end = file.seek(SeekFrom::End(0))?;
        let start = skip_id3v2(&mut file, end)?;
        let end = skip_id3v1(&mut file, start, end)?;
        let end = skip_apev2(&mut file, start, end)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, end })
    }

    /// Moves the start forward by `n_bytes` and seeks to it.
    pub(super) fn skip(&mut self, n_bytes: u64) -> Result<()> {
        self.start = (self.start + n_bytes).min(self.end);
        self.rewind()
    }

    /// Whether a tag precedes the audio.
    pub(super) fn has_leading_tag(&self) -> bool {
        self.start > 0
    }

    /// Size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.end - self.start
    }
}

fn skip_id3v2(file: &mut (impl Read + Seek), end: u64) -> Result<u64> {
    const HEADER: u64 = 10;
    let mut start = 0;
    for _ in 0..MAX_TAGS {
        match read_at::<{ HEADER as usize }>(file, start, end)? {
            Some([b'I', b'D', b'3', version, _, flags, size @ ..]) if version < 0xFF => {
                let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7F));
                let footer = if flags & 0x10 != 0 { HEADER } else { 0 };
                start = (start + HEADER + size + footer).min(end);
            }
            _ => break,
        }
    }
    Ok(start)
}

fn skip_id3v1(file: &mut (impl Read + Seek), start: u64, end: u64) -> Result<u64> {
    const SIZE: u64 = 128;
    let tag = end.saturating_sub(SIZE).max(start);
    Ok(if read_at(file, tag, end)? == Some(*b"TAG") && end - tag == SIZE { tag } else { end })
}

fn skip_apev2(file: &mut (impl Read + Seek), start: u64, end: u64) -> Result<u64> {
    const FOOTER: u64 = 32;
    const HAS_HEADER: u8 = 0x80;
    let footer = end.saturating_sub(FOOTER).max(start);
    let Some(bytes) = read_at::<{ FOOTER as usize }>(file, footer, end)? else { return Ok(end) };
    if !bytes.starts_with(b"APETAGEX") {
        return Ok(end);
    }
    // The size counts the items and the footer, but not the header.
    let size = u64::from(u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]));
    let header = if bytes[23] & HAS_HEADER != 0 { FOOTER } else { 0 };
    Ok(end.saturating_sub(size + header).max(start))
}

/// `N` bytes at `offset`, if there are so many before `end`.
fn read_at<const N: usize>(file: &mut (impl Read + Seek), offset: u64, end: u64) -> Result<Option<[u8; N]>> {
    if offset + N as u64 > end {
        return Ok(None);
    }
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

impl Read for TagStripper {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let left = self.end.saturating_sub(self.file.stream_position()?);
        let n = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read(&mut bytes[..n])
    }
}

impl Seek for TagStripper {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => i128::from(self.start) + i128::from(offset),
            SeekFrom::End(offset) => i128::from(self.end) + i128::from(offset),
            SeekFrom::Current(offset) => i128::from(self.file.stream_position()?) + i128::from(offset),
        };
        let position = u64::try_from(position.max(i128::from(self.start))).unwrap_or(u64::MAX);
        Ok(self.file.seek(SeekFrom::Start(position))? - self.start)
    }
}

impl MediaSource for TagStripper {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn without_tags(file: Vec<u8>) -> Vec<u8> {
        let mut stripped = TagStripper::new(Box::new(Cursor::new(file))).unwrap();
        let mut audio = Vec::new();
        stripped.read_to_end(&mut audio).unwrap();
        audio
    }

    #[test]
    fn tags_at_both_ends_are_hidden() {
        let id3v2 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0xFF; 130]].concat();
        let mut ape = [b"APETAGEX".as_slice(), &2000u32.to_le_bytes(), &(32u32 + 7).to_le_bytes()].concat();
        ape.extend([1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
        let id3v1 = [b"TAG".as_slice(), &[0; 125]].concat();
        let file = [&id3v2, b"sound".as_slice(), &ape, b"7 bytes", &ape, &id3v1].concat();
        assert_eq!(without_tags(file), b"sound");
    }

    #[test]
    fn a_tag_longer_than_the_file_leaves_no_bytes() {
        assert_eq!(without_tags(b"ID3\x04\0\0\x7F\x7F\x7F\x7Fsound".to_vec()), b"");
        assert_eq!(without_tags(b"sound".to_vec()), b"sound");
        assert_eq!(without_tags(Vec::new()), b"");
    }

    #[test]
    fn seeking_stays_between_the_tags() {
        let mut stripped = TagStripper::new(Box::new(Cursor::new(b"0123456789".to_vec()))).unwrap();
        stripped.skip(4).unwrap();
        assert_eq!(stripped.size(), 6);
        assert_eq!(stripped.seek(SeekFrom::Start(2)).unwrap(), 2);
        let mut byte = [0];
        stripped.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"6");
        assert_eq!(stripped.seek(SeekFrom::End(-1)).unwrap(), 5);
        assert_eq!(stripped.seek(SeekFrom::Current(-100)).unwrap(), 0);
    }
}
