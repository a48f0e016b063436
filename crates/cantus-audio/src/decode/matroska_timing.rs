//! Encoder delay and padding of a Matroska or WebM file, which Symphonia reads and does not apply.
//!
//! `CodecDelay` of a track is removed at the start; of Opus it repeats what `OpusHead` says. `DiscardPadding` of the last
//! block is removed at the end.
//!
//! # Reference
//! RFC 9559 (Matroska), RFC 8794 (EBML).

use std::io::{Read, Result, Seek, SeekFrom};
use std::ops::Range;

const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_NUMBER: u32 = 0xD7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const CODEC_DELAY: u32 = 0x56AA;
const CLUSTER: u32 = 0x1F43_B675;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;
const DISCARD_PADDING: u32 = 0x75A2;

/// Limit on the number of elements in an element.
const MAX_ELEMENTS: usize = 1 << 16;
const NANOSECONDS: u64 = 1_000_000_000;

/// Timing of all tracks of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MatroskaTiming {
    /// Number of each track, and its delay in nanoseconds.
    delays: Vec<(u64, u64)>,
    /// Number of a track, and its padding in nanoseconds.
    padding: Option<(u64, u64)>,
    /// Identifier of the codec of the first track of sound.
    pub(super) sound_codec: Option<String>,
}

impl MatroskaTiming {
    /// Reads the timing of a file of `size` bytes.
    pub(super) fn read(file: &mut (impl Read + Seek), size: u64) -> Result<Self> {
        let mut ebml = Ebml { file };
        let (mut timing, mut last_cluster) = (Self::default(), None);
        for (id, segment) in ebml.children(0..size)? {
            if id != SEGMENT {
                continue;
            }
            for (id, content) in ebml.children(segment)? {
                match id {
                    TRACKS => ebml.tracks(content, &mut timing)?,
                    CLUSTER => last_cluster = Some(content),
                    _ => {}
                }
            }
        }
        if let Some(cluster) = last_cluster {
            timing.padding = ebml.padding(cluster)?;
        }
        Ok(timing)
    }

    /// Samples of a track to remove at the start and at the end.
    pub(super) fn delay_and_padding(&self, track: u32, sample_rate: u32) -> (u64, u64) {
        let samples = |time: u64| {
            let time = u128::from(time) * u128::from(sample_rate) + u128::from(NANOSECONDS / 2);
            u64::try_from(time / u128::from(NANOSECONDS)).unwrap_or(0)
        };
        let of_track = |&&(number, _): &&(u64, u64)| number == u64::from(track);
        let delay = self.delays.iter().find(of_track).map_or(0, |(_, delay)| *delay);
        let padding = self.padding.iter().find(of_track).map_or(0, |(_, padding)| *padding);
        // More is an error.
        const MAX: u64 = NANOSECONDS / 2;
        (samples(delay.min(MAX)), samples(padding.min(MAX)))
    }
}

struct Ebml<'f, F> {
    file: &'f mut F,
}

impl<F: Read + Seek> Ebml<'_, F> {
    /// Identifiers and contents of the elements in a range of the file. An element of unknown size reaches to its end.
    fn children(&mut self, range: Range<u64>) -> Result<Vec<(u32, Range<u64>)>> {
        let (mut position, mut found) = (range.start, Vec::new());
        while found.len() < MAX_ELEMENTS && position < range.end {
            let header = self.read(&(position..(position + 12).min(range.end)))?;
            let Some((id, size, length)) = element(&header) else { break };
            let content = position + length;
            let end = size.map_or(range.end, |size| content.saturating_add(size).min(range.end));
            if content > end {
                break;
            }
            found.push((id, content..end));
            position = end;
        }
        Ok(found)
    }

    /// Up to 16 bytes.
    fn read(&mut self, range: &Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(range.start))?;
        self.file.by_ref().take((range.end - range.start).min(16)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self, range: &Range<u64>) -> Result<u64> {
        Ok(self.read(range)?.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn tracks(&mut self, tracks: Range<u64>, timing: &mut MatroskaTiming) -> Result<()> {
        const SOUND: u64 = 2;
        for (_, entry) in self.children(tracks)?.into_iter().filter(|(id, _)| *id == TRACK_ENTRY) {
            let (mut number, mut delay, mut track_type, mut codec) = (0, 0, 0, None);
            for (id, content) in self.children(entry)? {
                match id {
                    TRACK_NUMBER => number = self.number(&content)?,
                    CODEC_DELAY => delay = self.number(&content)?,
                    TRACK_TYPE => track_type = self.number(&content)?,
                    CODEC_ID => codec = String::from_utf8(self.read(&content)?).ok(),
                    _ => {}
                }
            }
            timing.delays.push((number, delay));
            if track_type == SOUND && timing.sound_codec.is_none() {
                timing.sound_codec = codec;
            }
        }
        Ok(())
    }

    /// Track and padding of the last block of a cluster.
    fn padding(&mut self, cluster: Range<u64>) -> Result<Option<(u64, u64)>> {
        let last = self.children(cluster)?.pop();
        let Some((BLOCK_GROUP, group)) = last else { return Ok(None) };
        let (mut track, mut padding) = (None, 0);
        for (id, content) in self.children(group)? {
            match id {
                BLOCK => track = vint(&self.read(&content)?).and_then(|(number, _)| number),
                DISCARD_PADDING => padding = self.number(&content)?,
                _ => {}
            }
        }
        Ok(track.map(|track| (track, padding)))
    }
}

/// Identifier, size and length of the header of an element.
fn element(header: &[u8]) -> Option<(u32, Option<u64>, u64)> {
    let id_length = header.first()?.leading_zeros() as usize + 1;
    let id = header.get(..id_length).filter(|_| id_length <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let (size, size_length) = vint(header.get(id_length..)?)?;
    Some((id, size, (id_length + size_length) as u64))
}

/// A number of variable length, `None` if all its bits are set, and its length.
fn vint(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let number = bytes.get(..length).filter(|_| length <= 8)?;
    let number = number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let mask = (1 << (7 * length)) - 1;
    Some(((number & mask != mask).then_some(number & mask), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: u32, content: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let start = id.iter().position(|byte| *byte != 0).unwrap();
        [&id[start..], &[0x40 | (content.len() >> 8) as u8, content.len() as u8], content].concat()
    }

    fn file(last: &[u8]) -> Vec<u8> {
        let track = [
            element(TRACK_NUMBER, &[2]),
            element(TRACK_TYPE, &[2]),
            element(CODEC_ID, b"A_MS/ACM"),
            element(CODEC_DELAY, &23_219_955_u32.to_be_bytes()),
        ]
        .concat();
        let simple_block = element(0xA3, &[0x82, 0, 0, 0x80, 1, 2, 3]);
        let cluster = element(CLUSTER, &[&simple_block.repeat(5), last].concat());
        let segment =
            [element(TRACKS, &element(TRACK_ENTRY, &track)), cluster, element(0x1C53_BB6B, b"cues")].concat();
        [element(0x1A45_DFA3, b"webm"), element(SEGMENT, &segment)].concat()
    }

    fn timing(file: &[u8]) -> MatroskaTiming {
        MatroskaTiming::read(&mut std::io::Cursor::new(file), file.len() as u64).unwrap()
    }

    #[test]
    fn delay_and_padding_are_read() {
        let block =
            [element(BLOCK, &[0x82, 0, 0, 0, 9]), element(DISCARD_PADDING, &[0x98, 0x96, 0x80])].concat();
        let found = timing(&file(&element(BLOCK_GROUP, &block)));
        assert_eq!(found.delay_and_padding(2, 44_100), (1024, 441));
        assert_eq!(found.delay_and_padding(1, 44_100), (0, 0), "another track");
        assert_eq!(found.sound_codec.as_deref(), Some("A_MS/ACM"));
        assert_eq!(timing(&file(&[])).delay_and_padding(2, 44_100), (1024, 0));
    }

    #[test]
    fn a_truncated_file_has_a_timing_as_far_as_it_goes() {
        let whole = file(&[]);
        for n in 0..whole.len() {
            assert!(timing(&whole[..n]).padding.is_none());
        }
    }
}
