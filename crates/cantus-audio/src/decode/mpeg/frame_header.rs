//! The header of an MPEG audio frame.

/// The fields of a frame header: `1111 1111 111v vllp bbbb ssgx mm…`: version, layer, protection, bit rate, sample rate,
/// padding, mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct FrameHeader {
    word: u32,
    pub(in crate::decode) sample_rate: u32,
    /// Length of the frame with its header, in bytes.
    pub(in crate::decode) length: usize,
}

/// The mode of a frame with one channel.
const MONO: u32 = 3;

impl FrameHeader {
    /// Parses the first four bytes; `None` if they are no header, or of a frame of free format, which does not tell its
    /// length.
    pub(in crate::decode) fn parse(bytes: &[u8]) -> Option<Self> {
        const SAMPLE_RATES: [u32; 3] = [44_100, 48_000, 32_000];
        const KILOBITS: [[u32; 14]; 5] = [
            [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448], // version 1, layer I
            [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],    // version 1, layer II
            [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],     // version 1, layer III
            [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],    // version 2 and 2.5, layer I
            [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160], // version 2 and 2.5, layers II and III
        ];
        let word = u32::from_be_bytes(*bytes.first_chunk()?);
        if word >> 21 != 0x7FF {
            return None;
        }
        let (version, layer) = (word >> 19 & 3, 4 - (word >> 17 & 3));
        let (bit_rate, rate, padding) = (word >> 12 & 15, word >> 10 & 3, word >> 9 & 1);
        // Reserved values; bit rate 0 is the free format.
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
        Some(Self { word, sample_rate, length: length as usize })
    }

    /// Version, layer and sample rate, which are constant within a stream.
    pub(in crate::decode) fn constant_bits(self) -> u32 {
        self.word & 0xFFFE_0C00
    }

    pub(super) fn layer(self) -> u32 {
        4 - (self.word >> 17 & 3)
    }

    pub(super) fn n_channels(self) -> u16 {
        if self.word >> 6 & 3 == MONO { 1 } else { 2 }
    }

    fn is_version_1(self) -> bool {
        self.word >> 19 & 3 == 3
    }

    pub(super) fn has_crc(self) -> bool {
        self.word >> 16 & 1 == 0
    }

    /// Length of the side information of layer III, in bytes.
    pub(super) fn side_info_length(self) -> usize {
        match (self.is_version_1(), self.n_channels()) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            (false, _) => 9,
        }
    }

    /// Number of samples per channel.
    pub(super) fn n_samples(self) -> u64 {
        match self.layer() {
            1 => 384,
            3 if !self.is_version_1() => 576,
            _ => 1152,
        }
    }

    /// A frame of the same stream that decodes to silence: without CRC, with nothing but zeros after the header.
    pub(in crate::decode) fn silent_frame(self) -> Vec<u8> {
        const NO_CRC: u32 = 1 << 16;
        let mut frame = vec![0; self.length];
        if let Some(header) = frame.first_chunk_mut() {
            *header = (self.word | NO_CRC).to_be_bytes();
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_rate_and_samples_follow_the_tables() {
        let parse =
            |bytes: [u8; 4]| FrameHeader::parse(&bytes).map(|h| (h.length, h.sample_rate, h.n_samples()));
        assert_eq!(parse([0xFF, 0xFB, 0x90, 0x00]), Some((417, 44_100, 1152)));
        assert_eq!(parse([0xFF, 0xF3, 0x80, 0xC4]), Some((208, 22_050, 576)));
        assert_eq!(parse([0xFF, 0xFB, 0x00, 0x00]), None, "free format");
        assert_eq!(parse([0xFF, 0xFB, 0xF0, 0x00]), None, "reserved bit rate");
        assert_eq!(parse([0xFF, 0xE0, 0x00, 0x00]), None, "reserved layer");
    }
}
