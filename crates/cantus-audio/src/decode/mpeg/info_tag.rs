//! The tags `Xing`, `Info` and `VBRI` in the first frame of an MP3, and the encoder delay that LAME adds to them.
//!
//! # Reference
//! <http://gabriel.mp3-tech.org/mp3infotag.html>; Fraunhofer, *VBRI header*. A decoder of layer III delays the signal by
//! 528 samples and one, which the tag does not count.

use symphonia::core::checksum::Crc16AnsiLe;
use symphonia::core::io::Monitor;

use super::FrameHeader;

/// Delay of a decoder, in samples.
const DECODER_DELAY: u64 = 528 + 1;
/// Length of LAME's extension.
const LAME_LENGTH: usize = 36;
/// Position of delay and padding in LAME's extension.
const LAME_DELAY: usize = 21;

/// What a tag declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InfoTag {
    /// Number of frames after the tag's own.
    pub(super) n_frames: Option<u32>,
    /// Samples to remove at the start and at the end.
    pub(super) delay_and_padding: Option<(u64, u64)>,
}

impl InfoTag {
    /// Of a frame; `None` if it is not a tag but sound.
    pub(super) fn parse(header: FrameHeader, frame: &[u8]) -> Option<Self> {
        (header.layer() == 3).then_some(())?;
        xing(header, frame).or_else(|| vbri(header, frame))
    }
}

/// Whether the frame has no sound: zeros up to the tag.
fn is_empty_until(header: FrameHeader, frame: &[u8], end: usize) -> bool {
    let start = if header.has_crc() { 6 } else { 4 };
    frame.get(start..end).is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0))
}

fn xing(header: FrameHeader, frame: &[u8]) -> Option<InfoTag> {
    let start = 4 + header.side_info_length();
    let tag = frame.get(start..)?;
    if !(tag.starts_with(b"Xing") || tag.starts_with(b"Info")) || !is_empty_until(header, frame, start) {
        return None;
    }
    let flags = word(tag, 4)?;
    let mut position = 8;
    let mut field = |flag: u32, length: usize| {
        let at = (flags & flag != 0).then_some(position)?;
        position += length;
        Some(at)
    };
    let n_frames = field(1, 4);
    // Number of bytes, table of contents, quality.
    for (flag, length) in [(2, 4), (4, 100), (8, 4)] {
        field(flag, length);
    }
    let lame = (start + position, tag.get(position..)?);
    Some(InfoTag {
        n_frames: n_frames.and_then(|at| word(tag, at)),
        delay_and_padding: delay_and_padding(header, frame, lame),
    })
}

/// Delay and padding of LAME's extension, which begins at an offset; `None` without one, or if its CRC is wrong.
fn delay_and_padding(
    header: FrameHeader,
    frame: &[u8],
    (offset, lame): (usize, &[u8]),
) -> Option<(u64, u64)> {
    let &[a, b, c] = lame.get(LAME_DELAY..)?.first_chunk()?;
    let encoder = lame.first_chunk::<4>()?;
    let has_crc = header.has_crc() || encoder == b"LAME";
    if has_crc && let Some(&[high, low]) = lame.get(LAME_LENGTH - 2..).and_then(|crc| crc.first_chunk()) {
        let mut crc = Crc16AnsiLe::new(0);
        crc.process_buf_bytes(&frame[..offset + LAME_LENGTH - 2]);
        let declared = u16::from_be_bytes([high, low]);
        // 0 stands for none.
        (declared == 0 || declared == crc.crc()).then_some(())?;
    }
    if ![b"LAME", b"Lavf", b"Lavc"].contains(&encoder) {
        return Some((0, 0));
    }
    let (delay, padding) = (u64::from(a) << 4 | u64::from(b) >> 4, u64::from(b & 15) << 8 | u64::from(c));
    Some((delay + DECODER_DELAY, padding.saturating_sub(DECODER_DELAY)))
}

fn vbri(header: FrameHeader, frame: &[u8]) -> Option<InfoTag> {
    const START: usize = 4 + 32;
    let tag = frame.get(START..)?;
    let is_tag = tag.starts_with(b"VBRI\x00\x01") && is_empty_until(header, frame, START);
    is_tag.then_some(InfoTag { n_frames: word(tag, 14), delay_and_padding: None })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(lame: &[u8]) -> Option<InfoTag> {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        let tag = [b"Info".as_slice(), &[0, 0, 0, 3], &100u32.to_be_bytes(), &42_000u32.to_be_bytes(), lame]
            .concat();
        frame[36..36 + tag.len()].copy_from_slice(&tag);
        InfoTag::parse(FrameHeader::parse(&frame)?, &frame)
    }

    #[test]
    fn frames_delay_and_padding_are_read() {
        let found = tag(b"").unwrap();
        assert_eq!((found.n_frames, found.delay_and_padding), (Some(100), Some((0, 0))));
        let lame = [b"Lavc60.31".as_slice(), &[0; 12], &[0x24, 0x04, 0x80]].concat();
        assert_eq!(tag(&lame).unwrap().delay_and_padding, Some((0x240 + 529, 0x480 - 529)));
        let wrong_crc =
            [b"LAME3.100".as_slice(), &[0; 12], &[0x24, 0x04, 0x80], &[0; 10], &[0xAA, 0xBB]].concat();
        assert_eq!(tag(&wrong_crc).unwrap().delay_and_padding, None);
    }

    #[test]
    fn a_frame_with_sound_is_no_tag() {
        let mut frame = vec![1; 417];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        frame[36..40].copy_from_slice(b"Info");
        assert_eq!(InfoTag::parse(FrameHeader::parse(&frame).unwrap(), &frame), None);
    }
}
