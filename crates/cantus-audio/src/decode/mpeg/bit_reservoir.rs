//! Mutes MPEG layer III frames whose bit reservoir is incomplete, as mpg123 does.
//!
//! A layer III frame may store part of its main data in preceding frames, up to 511 bytes back: the bit reservoir. Where
//! an MP3 was cut without re-encoding, the first frames refer to bytes that are missing. mpg123, by which librosa reads
//! MP3, mutes such a frame; Symphonia decodes the part that is present, which changes the first 35 ms and so the features.
//! Here the side information of such a frame is overwritten to declare no data before it is decoded; its bytes still
//! count for the reservoir of the next frames.
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.1.7 (side information) and 2.4.3.4 (reservoir); compared with mpg123 by
//! `tests/reference/mp3_alignment.py`.

/// Number of main-data bytes of preceding frames that the next frame may refer to.
#[derive(Debug, Default)]
pub(in crate::decode) struct BitReservoir {
    n_bytes: usize,
}

/// The header fields of a frame whose change requires a new decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct StreamParams {
    version_and_layer: u8,
    sample_rate: u8,
    is_mono: bool,
}

impl StreamParams {
    /// Of an MPEG audio frame of any layer.
    pub(in crate::decode) fn of_frame(frame: &[u8]) -> Option<Self> {
        let &[_, version_and_layer, rates, mode, ..] = frame else { return None };
        Some(Self {
            version_and_layer: version_and_layer & 0b1_1110,
            sample_rate: rates & 0b1100,
            is_mono: mode >> 6 == 3,
        })
    }
}

/// Byte layout of a layer III frame.
struct Layout {
    is_version_1: bool,
    side_info: std::ops::Range<usize>,
}

impl BitReservoir {
    /// Adds a frame to the reservoir, and mutes it if data it refers to is missing. Returns whether it was muted.
    pub(in crate::decode) fn mute_if_incomplete(&mut self, frame: &mut [u8]) -> bool {
        let Some(Layout { is_version_1, side_info }) = layout(frame) else { return false };
        let main_data = frame.len() - side_info.end;
        let side_info = &mut frame[side_info];
        let main_data_begin = if is_version_1 {
            usize::from(side_info[0]) << 1 | usize::from(side_info[1]) >> 7
        } else {
            usize::from(side_info[0])
        };
        let n_bytes = self.n_bytes;
        let max_bytes = if is_version_1 { 511 } else { 255 };
        self.n_bytes = (n_bytes + main_data).min(max_bytes);
        if main_data_begin <= n_bytes {
            return false;
        }
        side_info.fill(0);
        if is_version_1 {
            (side_info[0], side_info[1]) = ((n_bytes >> 1) as u8, (n_bytes << 7) as u8);
        } else {
            side_info[0] = n_bytes as u8;
        }
        true
    }

    /// Empties the reservoir, as that of a decoder that was reset.
    pub(in crate::decode) fn clear(&mut self) {
        self.n_bytes = 0;
    }
}

/// The layout of a frame; `None` if it is not of layer III.
fn layout(frame: &[u8]) -> Option<Layout> {
    let &[_, version_and_layer, _, mode, ..] = frame else { return None };
    if version_and_layer & 0b0110 != 0b0010 {
        return None;
    }
    let is_version_1 = version_and_layer & 0b1000 != 0;
    let has_crc = version_and_layer & 1 == 0;
    let is_mono = mode >> 6 == 3;
    let start = if has_crc { 6 } else { 4 };
    let length = match (is_version_1, is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    (frame.len() >= start + length).then(|| Layout { is_version_1, side_info: start..start + length })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MPEG 1, layer III, stereo, without CRC, 100 bytes of main data, with this `main_data_begin`.
    fn frame(main_data_begin: u16) -> Vec<u8> {
        let mut frame = vec![0xAA; 4 + 32 + 100];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        (frame[4], frame[5]) = ((main_data_begin >> 1) as u8, (main_data_begin << 7) as u8 | 0x2A);
        frame
    }

    #[test]
    fn a_frame_that_refers_to_missing_data_is_muted() {
        let mut reservoir = BitReservoir::default();
        let mut first = frame(0);
        assert!(!reservoir.mute_if_incomplete(&mut first));
        assert_eq!(first, frame(0), "untouched");
        let mut second = frame(101);
        assert!(reservoir.mute_if_incomplete(&mut second));
        assert_eq!(&second[4..6], &[50, 0], "refers to the 100 bytes that are present");
        assert!(second[6..36].iter().all(|&byte| byte == 0));
        assert!(second[36..].iter().all(|&byte| byte == 0xAA));
        assert!(!reservoir.mute_if_incomplete(&mut frame(200)), "its bytes count for the reservoir");
        reservoir.clear();
        assert!(reservoir.mute_if_incomplete(&mut frame(1)));
    }

    #[test]
    fn frames_of_other_layers_are_unchanged() {
        let mut reservoir = BitReservoir::default();
        assert!(!reservoir.mute_if_incomplete(&mut []));
        assert!(!reservoir.mute_if_incomplete(&mut [0xFF, 0xFB, 0x90, 0x00, 0xFF]));
        assert!(!reservoir.mute_if_incomplete(&mut [0xFF; 100]));
    }
}
