//! Detection of MPEG audio (`mp1`, `mp2`, `mp3`) and ADTS (`aac`) streams, which have no magic number.
//!
//! A frame header gives the length of its frame, and so the position of the next header. A stream begins at the first
//! position from which [`N_FRAMES`] consistent headers follow one another (or as many as are left before the end of the
//! file).
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-7, 6.2.

use super::format::Format;
use super::mpeg::FrameHeader;

/// Consecutive headers that identify a stream. In noise their probability is about 1e-12 per byte.
const N_FRAMES: usize = 4;

/// The fields of a frame header that are used to find the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    format: Format,
    /// The bits that are constant within a stream: version, layer, sample rate.
    constant_bits: u32,
    /// Length of the frame with its header, in bytes.
    length: usize,
}

/// Format and byte offset of the first stream; `is_whole` if `bytes` reach to the end of the file.
pub(super) fn find_stream(bytes: &[u8], is_whole: bool) -> Option<(Format, usize)> {
    (0..bytes.len().saturating_sub(3)).find_map(|offset| {
        let first = header(&bytes[offset..])?;
        is_stream(&bytes[offset..], first, is_whole).then_some((first.format, offset))
    })
}

fn is_stream(bytes: &[u8], first: Header, is_whole: bool) -> bool {
    let mut offset = first.length;
    for n_frames in 1..N_FRAMES {
        match bytes.get(offset..).and_then(header) {
            Some(next) if next.constant_bits == first.constant_bits && next.format == first.format => {
                offset += next.length
            }
            // The file ends at the end of a frame or within one, and no header contradicted.
            _ => return is_whole && (offset == bytes.len() || offset > bytes.len() && n_frames > 1),
        }
    }
    true
}

fn header(bytes: &[u8]) -> Option<Header> {
    let word = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
    if word >> 20 == 0xFFF && word & 0x0006_0000 == 0 { adts(word, bytes) } else { mpeg(bytes) }
}

fn mpeg(bytes: &[u8]) -> Option<Header> {
    let header = FrameHeader::parse(bytes)?;
    Some(Header { format: Format::Mpeg, constant_bits: header.constant_bits(), length: header.length })
}

/// `1111 1111 1111 v00p ppss ssxc cc.. ..ll llll llll lll…`: profile, sample rate, channels, length.
fn adts(word: u32, bytes: &[u8]) -> Option<Header> {
    let (sample_rate, tail) = (word >> 10 & 15, bytes.get(3..6)?);
    let length = usize::from(tail[0] & 3) << 11 | usize::from(tail[1]) << 3 | usize::from(tail[2]) >> 5;
    (sample_rate < 13 && length >= 7).then_some(Header {
        format: Format::Adts,
        constant_bits: word & 0xFFFE_FDC0,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes.
    const MP3_FRAME: [u8; 417] = {
        let mut frame = [0; 417];
        (frame[0], frame[1], frame[2]) = (0xFF, 0xFB, 0x90);
        frame
    };

    #[test]
    fn a_stream_begins_at_the_first_of_consecutive_frames() {
        let stream = [&[0xFF; 100][..], &MP3_FRAME.repeat(5)].concat();
        assert_eq!(find_stream(&stream, false), Some((Format::Mpeg, 100)));
        assert_eq!(find_stream(&stream[..1000], false), None);
        assert_eq!(
            find_stream(&stream[..1000], true),
            Some((Format::Mpeg, 100)),
            "truncated, at the end of the file"
        );
        assert_eq!(find_stream(&MP3_FRAME, true), Some((Format::Mpeg, 0)), "a single frame");
    }

    #[test]
    fn noise_is_not_a_stream() {
        let mut noise = vec![0; 1 << 20];
        let mut rng = cantus_random::KeyedRng::new([0]);
        noise.fill_with(|| rng.next_u64() as u8);
        assert_eq!(find_stream(&noise, true), None);
    }
}
