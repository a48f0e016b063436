//! The first frames of an MP3 that was cut out of a longer one.
//!
//! A layer III frame may keep some of its data in the frames before it, up to 511 bytes back: the bit reservoir. Where
//! an MP3 was cut without being encoded anew, the first frame asks for bytes that are not there. mpg123, through which
//! librosa reads MP3, mutes such a frame; Symphonia decodes the half of it that it can find. The difference is 35 ms
//! of sound at the beginning, which features show. So such a frame is made silent here before it is decoded: its side
//! information says that it has no data, while its bytes still go into the reservoir.
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.1.7 (side information) and 2.4.3.4 (reservoir); compared with mpg123 by
//! `tests/reference/mp3_alignment.py`.

/// How many bytes of earlier frames there are for the next frame to ask for.
#[derive(Debug, Default)]
pub(super) struct Reservoir {
    n_bytes: usize,
}

/// What a decoder has to be made anew for when it changes from one frame to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameShape {
    version_and_layer: u8,
    sample_rate: u8,
    is_mono: bool,
}

impl FrameShape {
    /// The shape of an MPEG audio frame of any layer.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let &[_, version_and_layer, rates, mode, ..] = frame else { return None };
        Some(Self {
            version_and_layer: version_and_layer & 0b1_1110,
            sample_rate: rates & 0b1100,
            is_mono: mode >> 6 == 3,
        })
    }
}

/// Where a layer III frame has what, in bytes.
struct Layout {
    is_version_1: bool,
    side_info: std::ops::Range<usize>,
}

impl Reservoir {
    /// Notes a frame, and mutes it if it asks for more than there is. True if it had to be muted.
    pub(super) fn admit(&mut self, frame: &mut [u8]) -> bool {
        let Some(Layout { is_version_1, side_info }) = layout(frame) else { return false };
        let main_data = frame.len() - side_info.end;
        let side_info = &mut frame[side_info];
        let begin = if is_version_1 {
            usize::from(side_info[0]) << 1 | usize::from(side_info[1]) >> 7
        } else {
            usize::from(side_info[0])
        };
        let n_bytes = self.n_bytes;
        let most = if is_version_1 { 511 } else { 255 };
        self.n_bytes = (n_bytes + main_data).min(most);
        if begin <= n_bytes {
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

    /// The decoder lost what it had.
    pub(super) fn clear(&mut self) {
        self.n_bytes = 0;
    }
}

/// The layout of a frame, if it is one of layer III.
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

    /// MPEG 1, layer III, stereo, without CRC, 100 bytes of main data, asking for `begin` earlier bytes.
    fn frame(begin: u16) -> Vec<u8> {
        let mut frame = vec![0xAA; 4 + 32 + 100];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        (frame[4], frame[5]) = ((begin >> 1) as u8, (begin << 7) as u8 | 0x2A);
        frame
    }

    #[test]
    fn a_frame_that_asks_for_what_was_cut_off_is_muted() {
        let mut reservoir = Reservoir::default();
        let mut first = frame(0);
        assert!(!reservoir.admit(&mut first));
        assert_eq!(first, frame(0), "untouched");
        let mut second = frame(101);
        assert!(reservoir.admit(&mut second));
        assert_eq!(&second[4..6], &[50, 0], "asks for the 100 bytes that there are");
        assert!(second[6..36].iter().all(|&byte| byte == 0));
        assert!(second[36..].iter().all(|&byte| byte == 0xAA));
        assert!(!reservoir.admit(&mut frame(200)), "its bytes went into the reservoir");
        reservoir.clear();
        assert!(reservoir.admit(&mut frame(1)));
    }

    #[test]
    fn what_is_no_layer_iii_frame_passes() {
        let mut reservoir = Reservoir::default();
        assert!(!reservoir.admit(&mut []));
        assert!(!reservoir.admit(&mut [0xFF, 0xFB, 0x90, 0x00, 0xFF]));
        assert!(!reservoir.admit(&mut [0xFF; 100]));
    }
}
