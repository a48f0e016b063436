//! Finds the frames of an MPEG audio stream.
//!
//! A frame follows its predecessor without a gap. Where it does not, the stream goes on at the first position from which
//! several headers follow one another: a sync word alone also occurs accidentally, in cover pictures in particular. Tags
//! between frames are skipped by the sizes they declare.

use std::io::{ErrorKind, Read, Result};

use super::FrameHeader;
use crate::decode::tag_stripper::tag_length;

/// Consecutive frames after which a stream is found again.
const N_FRAMES: usize = 3;
/// Number of bytes that are read at once; longer than `N_FRAMES` frames.
const READ_LENGTH: usize = 64 * 1024;
/// Bytes that are needed to recognise frames or the length of a tag.
const LOOK_AHEAD: usize = 16 * 1024;

/// The next part of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A frame, complete.
    Frame(FrameHeader, Vec<u8>),
    /// A number of bytes between frames that are no tag.
    Gap(u64),
}

/// Reads a stream part by part.
pub(super) struct FrameScanner<R> {
    source: R,
    buffer: Vec<u8>,
    /// Position in the buffer.
    start: usize,
    is_at_end: bool,
    /// Header of the last frame.
    last: Option<FrameHeader>,
}

impl<R: Read> FrameScanner<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, is_at_end: false, last: None }
    }

    /// The source, whose position is anywhere.
    pub(super) fn into_source(self) -> R {
        self.source
    }

    /// The next part; `None` at the end. An incomplete last frame and what follows the last frame are left out.
    pub(super) fn next(&mut self) -> Result<Option<Part>> {
        let mut n_skipped = 0;
        loop {
            self.fill()?;
            let rest = &self.buffer[self.start..];
            if rest.is_empty() {
                return Ok(None);
            }
            if let Some(header) = self.frame_at(rest, n_skipped > 0) {
                if n_skipped > 0 {
                    return Ok(Some(Part::Gap(n_skipped)));
                }
                if header.length > rest.len() {
                    return Ok(None);
                }
                let frame = rest[..header.length].to_vec();
                self.start += header.length;
                self.last = Some(header);
                return Ok(Some(Part::Frame(header, frame)));
            }
            if let Some(length) = tag_length(rest) {
                self.skip(length)?;
            } else {
                // To the next byte with which a frame or a tag may begin.
                let next = rest[1..].iter().position(|byte| matches!(byte, 0xFF | b'I' | b'A' | b'T' | b'L'));
                let n = next.map_or(rest.len(), |n| n + 1);
                self.start += n;
                n_skipped += n as u64;
            }
        }
    }

    /// The header of a frame at the start of `rest`.
    fn frame_at(&self, rest: &[u8], is_lost: bool) -> Option<FrameHeader> {
        let header = FrameHeader::parse(rest)?;
        let is_same = |other: FrameHeader| other.constant_bits() == header.constant_bits();
        if !is_lost && self.last.is_none_or(is_same) {
            return Some(header);
        }
        let n_needed = if is_lost { N_FRAMES } else { 2 };
        let (mut offset, mut n_found) = (header.length, 1);
        while n_found < n_needed {
            match FrameHeader::parse(rest.get(offset..).unwrap_or_default()) {
                Some(next) if is_same(next) => offset += next.length,
                // The stream ends with this frame.
                _ => {
                    return (self.is_at_end && offset >= rest.len() && self.last.is_some_and(is_same))
                        .then_some(header);
                }
            }
            n_found += 1;
        }
        Some(header)
    }

    /// Reads on until enough bytes are in the buffer.
    fn fill(&mut self) -> Result<()> {
        if self.is_at_end || self.buffer.len() - self.start >= LOOK_AHEAD {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut filled = self.buffer.len();
        self.buffer.resize(READ_LENGTH.max(filled), 0);
        while filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        self.is_at_end = filled < self.buffer.len();
        self.buffer.truncate(filled);
        Ok(())
    }

    /// Skips `n` bytes, or to the end.
    fn skip(&mut self, mut n: u64) -> Result<()> {
        loop {
            let n_here = n.min((self.buffer.len() - self.start) as u64);
            self.start += n_here as usize;
            n -= n_here;
            if n == 0 || self.is_at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MPEG 1, layer III, 128 kbit/s, stereo, at 44.1 kHz or, with `rate = 4`, 48 kHz.
    fn frame(rate: u8) -> Vec<u8> {
        let header = [0xFF, 0xFB, 0x90 | rate, 0x00];
        let mut frame = FrameHeader::parse(&header).unwrap().silent_frame();
        frame[4..].fill(0x55);
        frame
    }

    /// Lengths of the frames, and of the gaps as negative numbers.
    fn parts(stream: &[u8]) -> Vec<i64> {
        let mut scanner = FrameScanner::new(stream);
        std::iter::from_fn(|| scanner.next().unwrap())
            .map(|part| match part {
                Part::Frame(header, frame) => {
                    assert_eq!(frame.len(), header.length);
                    header.length as i64
                }
                Part::Gap(n) => -(n as i64),
            })
            .collect()
    }

    #[test]
    fn frames_follow_one_another_and_an_incomplete_last_one_is_left_out() {
        let stream = frame(0).repeat(200);
        assert_eq!(parts(&stream), [417; 200]);
        assert_eq!(parts(&stream[..stream.len() - 1]), [417; 199]);
        assert_eq!(
            parts(&[stream, vec![0; 5000]].concat()),
            [417; 200],
            "what follows the last frame is no gap"
        );
    }

    #[test]
    fn a_hole_is_a_gap_and_a_sync_word_in_it_is_no_frame() {
        let mut hole = vec![0; 3000];
        hole[100..104].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        let stream = [frame(0).repeat(4), hole, frame(0).repeat(4)].concat();
        assert_eq!(parts(&stream), [417, 417, 417, 417, -3000, 417, 417, 417, 417]);
    }

    #[test]
    fn tags_between_frames_are_skipped_with_the_pictures_in_them() {
        let mut id3 = [b"ID3\x04\0\0\0\x01\x48\0".as_slice(), &frame(0).repeat(62)[..25_600]].concat();
        id3.resize(10 + (1 << 14) + (0x48 << 7), 0);
        let stream = [frame(0).repeat(4), id3, frame(0).repeat(4)].concat();
        assert_eq!(parts(&stream), [417; 8]);
    }

    #[test]
    fn another_sample_rate_is_accepted_if_two_frames_have_it() {
        let stream = [frame(0).repeat(2), frame(4).repeat(2)].concat();
        assert_eq!(parts(&stream), [417, 417, 384, 384]);
        let damaged = [frame(0).repeat(2), frame(4)[..4].to_vec(), vec![1; 413], frame(0).repeat(3)].concat();
        assert_eq!(parts(&damaged), [417, 417, -417, 417, 417, 417]);
    }
}
