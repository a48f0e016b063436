//! MPEG layer III streams of arbitrary frames with valid headers and lengths, so that the decoder does not stop at their synchronisation.
//!
//! # Reference
//! ISO/IEC 11172-3, section 2.4.1.3; ISO/IEC 13818-3 for the lower sampling frequencies.

use arbitrary::Arbitrary;

/// Bit rates of MPEG-1 layer III in kbit/s, from index 1.
const RATES_1: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
/// Those of MPEG-2 and 2.5.
const RATES_2: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/// Sampling frequencies of MPEG-1 in Hz; those of MPEG-2 are half of them, those of MPEG-2.5 a quarter.
const FREQUENCIES: [usize; 3] = [44_100, 48_000, 32_000];

/// A stream of frames of one version and sampling frequency.
#[derive(Debug, Arbitrary)]
pub struct MpegStream {
    version: u8,
    frequency: u8,
    frames: Vec<MpegFrame>,
}

#[derive(Debug, Arbitrary)]
struct MpegFrame {
    rate: u8,
    padding: bool,
    /// Whether the frame is left out, but kept in the numbering: the bit reservoir then lacks its data.
    is_missing: bool,
    /// Channel mode, its extension, copyright, original and emphasis.
    mode: u8,
    /// Side information and main data; zeros follow.
    data: Vec<u8>,
}

impl MpegStream {
    /// The bytes of the stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let frames = self.frames.iter().take(64).filter(|frame| !frame.is_missing);
        frames.flat_map(|frame| self.frame_bytes(frame)).collect()
    }

    fn frame_bytes(&self, frame: &MpegFrame) -> Vec<u8> {
        // 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5.
        let version = [3, 2, 0][usize::from(self.version % 3)];
        let frequency = usize::from(self.frequency % 3);
        let rate = usize::from(frame.rate % 14);
        let (rates, samples, divisor) = match version {
            3 => (RATES_1, 144, 1),
            2 => (RATES_2, 72, 2),
            _ => (RATES_2, 72, 4),
        };
        let length =
            samples * rates[rate] * 1000 / (FREQUENCIES[frequency] / divisor) + usize::from(frame.padding);
        let third = ((rate + 1) << 4 | frequency << 2 | usize::from(frame.padding) << 1) as u8;
        let mut bytes = vec![0xFF, 0xE3 | version << 3, third, frame.mode];
        bytes.extend(&frame.data);
        bytes.resize(length.max(4), 0);
        bytes
    }
}
