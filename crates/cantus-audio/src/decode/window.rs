//! The part of a file that is sound: without the tags before and behind it.
//!
//! An ID3v2 tag in front of a stream, and an APEv2 or ID3v1 tag behind it, are no sound, but contain what looks like the
//! beginning of an MPEG frame often enough (cover pictures do). The decoder is shown what lies between them.
//!
//! # Reference
//! <https://id3.org/id3v2.4.0-structure>; <https://wiki.hydrogenaudio.org/index.php?title=APE_Tags_Header>.

use std::io::{Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Most ID3v2 tags that are skipped in a row.
const MAX_TAGS: usize = 8;

/// A file from `start` to `end`, in bytes.
pub(super) struct Window {
    file: Box<dyn MediaSource>,
    start: u64,
    end: u64,
}

impl Window {
    /// The file without its tags. The file has to be seekable.
    pub(super) fn without_tags(mut file: Box<dyn MediaSource>) -> Result<Self> {
        let end = file.seek(SeekFrom::End(0))?;
        let start = skip_id3v2(&mut file, end)?;
        let end = skip_id3v1(&mut file, start, end)?;
        let end = skip_apev2(&mut file, start, end)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, end })
    }

    /// Moves the beginning `n_bytes` further and goes there.
    pub(super) fn skip(&mut self, n_bytes: u64) -> Result<()> {
        self.start = (self.start + n_bytes).min(self.end);
        self.rewind()
    }

    /// Whether there was a tag in front.
    pub(super) fn has_tags(&self) -> bool {
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

impl Read for Window {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let left = self.end.saturating_sub(self.file.stream_position()?);
        let n = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read(&mut bytes[..n])
    }
}

impl Seek for Window {
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

impl MediaSource for Window {
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

    fn sound_of(file: Vec<u8>) -> Vec<u8> {
        let mut window = Window::without_tags(Box::new(Cursor::new(file))).unwrap();
        let mut sound = Vec::new();
        window.read_to_end(&mut sound).unwrap();
        sound
    }

    #[test]
    fn tags_on_both_sides_are_no_sound() {
        let id3v2 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0xFF; 130]].concat();
        let mut ape = [b"APETAGEX".as_slice(), &2000u32.to_le_bytes(), &(32u32 + 7).to_le_bytes()].concat();
        ape.extend([1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
        let id3v1 = [b"TAG".as_slice(), &[0; 125]].concat();
        let file = [&id3v2, b"sound".as_slice(), &ape, b"7 bytes", &ape, &id3v1].concat();
        assert_eq!(sound_of(file), b"sound");
    }

    #[test]
    fn a_tag_that_claims_more_than_the_file_leaves_nothing() {
        assert_eq!(sound_of(b"ID3\x04\0\0\x7F\x7F\x7F\x7Fsound".to_vec()), b"");
        assert_eq!(sound_of(b"sound".to_vec()), b"sound");
        assert_eq!(sound_of(Vec::new()), b"");
    }

    #[test]
    fn seeking_stays_inside() {
        let mut window = Window::without_tags(Box::new(Cursor::new(b"0123456789".to_vec()))).unwrap();
        window.skip(4).unwrap();
        assert_eq!(window.size(), 6);
        assert_eq!(window.seek(SeekFrom::Start(2)).unwrap(), 2);
        let mut byte = [0];
        window.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"6");
        assert_eq!(window.seek(SeekFrom::End(-1)).unwrap(), 5);
        assert_eq!(window.seek(SeekFrom::Current(-100)).unwrap(), 0);
    }
}
