//! Hides the ID3, APE and Lyrics3 tags at the ends of a file from the decoder.
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
    /// Bytes that replace others, by their position after `start`.
    patches: Vec<(u64, [u8; 4])>,
}

impl TagStripper {
    /// Finds the tags of a seekable file.
    pub(super) fn new(mut file: Box<dyn MediaSource>) -> Result<Self> {
        let end = file.seek(SeekFrom::End(0))?;
        let start = skip_leading(&mut file, end)?;
        let end = skip_trailing(&mut file, start, end)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, end, patches: Vec::new() })
    }

    /// Moves the start forward by `n_bytes` and seeks to it.
    pub(super) fn skip(&mut self, n_bytes: u64) -> Result<()> {
        self.start = (self.start + n_bytes).min(self.end);
        self.rewind()
    }

    /// Narrows the file to `n_bytes` bytes from `start` on, and seeks to them.
    pub(super) fn narrow(&mut self, start: u64, n_bytes: u64) -> Result<()> {
        self.start = self.start.saturating_add(start).min(self.end);
        self.end = self.start.saturating_add(n_bytes).min(self.end);
        self.rewind()
    }

    /// Replaces bytes, by their position.
    pub(super) fn patch(&mut self, patches: Vec<(u64, [u8; 4])>) {
        self.patches = patches;
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

/// Length of the header of an ID3v2 tag, and of its footer.
const ID3_HEADER: u64 = 10;
/// Length of the header of an APEv2 tag, and of its footer.
const APE_HEADER: u64 = 32;
/// Length of an ID3v1 tag.
const ID3V1: u64 = 128;

/// Length in bytes of the ID3v2, APEv2 or ID3v1 tag at the start of `bytes`, of which it may be only the first part.
pub(super) fn tag_length(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [b'I', b'D', b'3', version, revision, flags, size @ ..] if *version < 0xFF && *revision < 0xFF => {
            let footer = if flags & 0x10 != 0 { ID3_HEADER } else { 0 };
            Some(ID3_HEADER + synchsafe(*size.first_chunk()?)? + footer)
        }
        [b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', _, _, _, _, size @ ..] => {
            Some(APE_HEADER + u64::from(u32::from_le_bytes(*size.first_chunk()?)))
        }
        [b'T', b'A', b'G', ..] => Some(ID3V1),
        _ => None,
    }
}

/// A number of four times seven bits.
fn synchsafe(bytes: [u8; 4]) -> Option<u64> {
    let is_valid = bytes.iter().all(|byte| *byte < 0x80);
    is_valid.then(|| bytes.iter().fold(0, |size, byte| size << 7 | u64::from(*byte)))
}

fn skip_leading(file: &mut (impl Read + Seek), end: u64) -> Result<u64> {
    /// Bytes with which a tag tells its length.
    const HEAD: u64 = 16;
    let mut start = 0;
    for _ in 0..MAX_TAGS {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take((end - start).min(HEAD)).read_to_end(&mut head)?;
        match tag_length(&head) {
            Some(length) if !head.starts_with(b"TAG") => start = (start + length).min(end),
            _ => break,
        }
    }
    Ok(start)
}

fn skip_trailing(file: &mut (impl Read + Seek), start: u64, mut end: u64) -> Result<u64> {
    for _ in 0..MAX_TAGS {
        let length = trailing_tag_length(file, start, end)?;
        if length == 0 {
            break;
        }
        end = end.saturating_sub(length).max(start);
    }
    Ok(end)
}

/// Length of the tag that ends at `end`, or 0.
fn trailing_tag_length(file: &mut (impl Read + Seek), start: u64, end: u64) -> Result<u64> {
    if read_before(file, start, end, ID3V1)? == Some(*b"TAG") {
        return Ok(ID3V1);
    }
    if let Some(footer) = read_before::<10>(file, start, end, ID3_HEADER)?
        && let [b'3', b'D', b'I', _, _, _, size @ ..] = footer
    {
        return Ok(synchsafe(size).map_or(0, |size| 2 * ID3_HEADER + size));
    }
    if let Some(footer) = read_before::<32>(file, start, end, APE_HEADER)?
        && let [b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', _, _, _, _, a, b, c, d, ..] = footer
    {
        const HAS_HEADER: u8 = 0x80;
        // The size counts the items and the footer, but not the header, which version 1 lacks.
        let header = if footer[23] & HAS_HEADER != 0 { APE_HEADER } else { 0 };
        return Ok(u64::from(u32::from_le_bytes([a, b, c, d])) + header);
    }
    lyrics_length(file, start, end)
}

/// Length of the Lyrics3 v2 tag that ends at `end`, or 0: its size in six digits, then `LYRICS200`.
fn lyrics_length(file: &mut (impl Read + Seek), start: u64, end: u64) -> Result<u64> {
    const FOOTER: u64 = 15;
    let Some(footer) = read_before::<15>(file, start, end, FOOTER)? else { return Ok(0) };
    let size = footer.strip_suffix(b"LYRICS200").and_then(|digits| std::str::from_utf8(digits).ok());
    Ok(size.and_then(|digits| digits.parse::<u64>().ok()).map_or(0, |size| size + FOOTER))
}

/// `N` bytes that begin `distance` before `end`, if they begin after `start`.
fn read_before<const N: usize>(
    file: &mut (impl Read + Seek),
    start: u64,
    end: u64,
    distance: u64,
) -> Result<Option<[u8; N]>> {
    match end.checked_sub(distance) {
        Some(position) if position >= start => read_at(file, position, end),
        _ => Ok(None),
    }
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
        let position = self.file.stream_position()?;
        let left = self.end.saturating_sub(position);
        let n = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let n = self.file.read(&mut bytes[..n])?;
        for (patch_position, patch) in &self.patches {
            for (at, byte) in (self.start + patch_position..).zip(patch) {
                if let Some(i) = at.checked_sub(position).filter(|i| *i < n as u64) {
                    bytes[i as usize] = *byte;
                }
            }
        }
        Ok(n)
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

    /// The header or footer of an APE tag.
    fn ape(version: u32, size: u32, flags: u8) -> Vec<u8> {
        let words = [version, size, 0].map(u32::to_le_bytes);
        [b"APETAGEX".as_slice(), words.as_flattened(), &[0, 0, 0, flags], &[0; 8]].concat()
    }

    #[test]
    fn tags_at_both_ends_are_hidden() {
        let id3v2 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0xFF; 130]].concat();
        let id3v2_at_end =
            [b"ID3\x04\0\x10\0\0\0\x05".as_slice(), b"items", b"3DI\x04\0\x10\0\0\0\x05"].concat();
        let apev2 = [ape(2000, 32 + 7, 0xA0), b"7 bytes".to_vec(), ape(2000, 32 + 7, 0x80)].concat();
        let apev1 = [b"7 bytes".to_vec(), ape(1000, 32 + 7, 0)].concat();
        let lyrics = b"LYRICSBEGINwords000016LYRICS200".to_vec();
        let id3v1 = [b"TAG".as_slice(), &[0; 125]].concat();
        let empty = Vec::new();
        for before in [&empty, &id3v2, &apev2, &[&id3v2[..], &apev2].concat()] {
            for after in [&empty, &id3v1, &id3v2_at_end, &apev1, &apev2, &lyrics] {
                for last in [&empty, &id3v1, &apev2] {
                    let file = [before, b"sound".as_slice(), after, last].concat();
                    assert_eq!(without_tags(file), b"sound", "{before:x?} {after:x?} {last:x?}");
                }
            }
        }
    }

    #[test]
    fn the_length_of_a_tag_is_in_its_header() {
        assert_eq!(tag_length(b"ID3\x03\0\0\0\0\x02\x01..."), Some(10 + 257));
        assert_eq!(tag_length(&ape(2000, 100, 0xA0)), Some(132));
        assert_eq!(tag_length(b"ID3\xFF\0\0\0\0\x02\x01"), None);
        assert_eq!(tag_length(b"ID3\x03"), None);
    }

    #[test]
    fn a_tag_longer_than_the_file_leaves_no_bytes() {
        assert_eq!(without_tags(b"ID3\x04\0\0\x7F\x7F\x7F\x7Fsound".to_vec()), b"");
        assert_eq!(without_tags(b"sound".to_vec()), b"sound");
        assert_eq!(without_tags(Vec::new()), b"");
    }

    #[test]
    fn patches_replace_bytes_wherever_they_are_read() {
        let mut stripped = TagStripper::new(Box::new(Cursor::new(b"0123456789".to_vec()))).unwrap();
        stripped.patch(vec![(2, *b"abcd")]);
        for length in 1..10 {
            stripped.rewind().unwrap();
            let mut found = Vec::new();
            let mut part = vec![0; length];
            while let Ok(n @ 1..) = stripped.read(&mut part) {
                found.extend_from_slice(&part[..n]);
            }
            assert_eq!(found, b"01abcd6789");
        }
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
