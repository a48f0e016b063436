//! Finding MPEG audio (`mp1`, `mp2`, `mp3`) and ADTS (`aac`) streams, which have no magic number.
//!
//! A frame's header tells the frame's length, and so where the next header has to be. A place in the file from which
//! [`N_FRAMES`] headers of one kind follow one another so (or all that are left, at the end of the file) is the
//! beginning of a stream.
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-7, 6.2.

use super::format::Format;

/// Headers in a row that make a stream. The chance that noise has that many is about 1e-12 per byte.
const N_FRAMES: usize = 4;

/// One frame's header, as far as it has to be the same in the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    format: Format,
    /// The bits that do not change within a stream: version, layer, sample rate.
    kind: u32,
    /// Length of the whole frame, in bytes.
    length: usize,
}

/// The first place from which frames follow one another, and the format that they have.
pub(super) fn find(bytes: &[u8], is_whole: bool) -> Option<(Format, usize)> {
    (0..bytes.len().saturating_sub(3)).find_map(|offset| {
        let first = header(&bytes[offset..])?;
        is_stream(&bytes[offset..], first, is_whole).then_some((first.format, offset))
    })
}

fn is_stream(bytes: &[u8], first: Header, is_whole: bool) -> bool {
    let mut offset = first.length;
    for n_frames in 1..N_FRAMES {
        match bytes.get(offset..).and_then(header) {
            Some(next) if next.kind == first.kind && next.format == first.format => offset += next.length,
            // The file ended, at the end of a frame or within one, before there was anything to the contrary.
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
    // Reserved values; bit rate 0 is the free format, whose frames do not tell their length.
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
    Some(Header { format: Format::Mpeg, kind: word & 0xFFFE_0C00, length: length as usize })
}

/// `1111 1111 1111 v00p ppss ssxc cc.. ..ll llll llll lll…`: profile, sample rate, channels, length.
fn adts(word: u32, bytes: &[u8]) -> Option<Header> {
    let (sample_rate, tail) = (word >> 10 & 15, bytes.get(3..6)?);
    let length = usize::from(tail[0] & 3) << 11 | usize::from(tail[1]) << 3 | usize::from(tail[2]) >> 5;
    (sample_rate < 13 && length >= 7).then_some(Header {
        format: Format::Adts,
        kind: word & 0xFFFE_FDC0,
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
    fn a_stream_begins_where_frames_follow_one_another() {
        let stream = [&[0xFF; 100][..], &MP3_FRAME.repeat(5)].concat();
        assert_eq!(find(&stream, false), Some((Format::Mpeg, 100)));
        assert_eq!(find(&stream[..1000], false), None);
        assert_eq!(find(&stream[..1000], true), Some((Format::Mpeg, 100)), "cut, but all there is");
        assert_eq!(find(&MP3_FRAME, true), Some((Format::Mpeg, 0)), "a single frame");
    }

    #[test]
    fn noise_is_no_stream() {
        let mut noise = vec![0; 1 << 20];
        let mut rng = cantus_random::KeyedRng::new([0]);
        noise.fill_with(|| rng.next_u64() as u8);
        assert_eq!(find(&noise, true), None);
    }
}
