//! Detection of MPEG audio (`mp1`, `mp2`, `mp3`) and ADTS (`aac`) streams, which have no magic number.
//!
//! A frame header gives the length of its frame, and so the position of the next header. A stream begins at the first
//! position from which [`N_FRAMES`] consistent headers follow one another (or as many as are left before the end of the
//! file).
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-7, 6.2.

use super::format::Format;

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
    if word >> 20 == 0xFFF && word & 0x0006_0000 == 0 { adts(word, bytes) } else { mpeg(word) }
}

/// `1111 1111 111v vllp bbbb ssgx …`: version, layer, protection, bit rate, sample rate, padding.
fn mpeg(word: u32) -> Option<Header> {
    const SAMPLE_RATES: [u32; 3] = [44_100, 48_000, 32_000];
    const KILOBITS: [[u32; 14]; 5] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448], // version 1, layer I
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],    // version 1, layer II
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],     // version 1, layer III
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],    // version 2 and 2.5, layer I
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160], // version 2 and 2.5, layers II and III
    ];
    if word >> 21 != 0x7FF {
        return None;
    }
    let (version, layer) = (word >> 19 & 3, 4 - (word >> 17 & 3));
    let (bit_rate, rate, padding) = (word >> 12 & 15, word >> 10 & 3, word >> 9 & 1);
    // Reserved values; bit rate 0 is the free format, whose headers do not give the frame length.
    if version == 1 || layer == 4 || bit_rate == 0 || bit_rate == 15 || rate == 3 {
        return None;
    }
    let is_version_1 = version == 3;
    let table = if is_version_1 { layer - 1 } else { 3 + u32::from(layer > 1) };
    let bits = KILOBITS[table as usize][bit_rate as usize - 1] * 1000;
    let sample_rate = SAMPLE_RATES[rate as usize] >> [2, 0, 1, 0][version as usize];
    let length = match layer {
        1 => (12 * bits / sample_rate + padding) * 4,
        3 if !is_version_1 => 72 * bits / sample_rate + padding,
        _ => 144 * bits / sample_rate + padding,
    };
    Some(Header { format: Format::Mpeg, constant_bits: word & 0xFFFE_0C00, length: length as usize })
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
