//! Codec and bytes per sample of a WAV file, from its chunk `fmt `.
//!
//! A PCM sample is left-justified in its container: 12 bits in 2 bytes, 20 in 3, 24 in 4 all have their sign in the
//! highest bit of the container. The container's length is `block_align / n_channels`; some writers set `block_align` to
//! something else, in which case the byte rate decides.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known as codec;

use super::format_tags;

const TAG_PCM: u16 = 0x0001;
const TAG_ADPCM_MS: u16 = 0x0002;
const TAG_FLOAT: u16 = 0x0003;
const TAG_ALAW: u16 = 0x0006;
const TAG_MULAW: u16 = 0x0007;
const TAG_ADPCM_IMA: u16 = 0x0011;
const TAG_MPEG: u16 = 0x0050;
const TAG_MP3: u16 = 0x0055;
const TAG_EXTENSIBLE: u16 = 0xFFFE;

/// The fields of a chunk `fmt `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct FormatChunk {
    /// The format tag; of WAVE_FORMAT_EXTENSIBLE the one of its sub-format.
    tag: u16,
    pub(in crate::decode) n_channels: u16,
    pub(in crate::decode) sample_rate: u32,
    bytes_per_second: u32,
    /// Bytes per frame, or per block of a codec with blocks.
    pub(super) block_align: u16,
    bits: u16,
    is_big_endian: bool,
}

/// How the samples are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Encoding {
    /// Blocks of some number of frames; PCM has one frame per block.
    Blocks { codec: AudioCodecId, bytes_per_block: u32, frames_per_block: u32 },
    /// An MPEG audio stream.
    Mpeg,
}

impl FormatChunk {
    /// Parses the content of a chunk; `None` if it is too short.
    pub(super) fn parse(chunk: &[u8], is_big_endian: bool) -> Option<Self> {
        let u16_at = |at: usize| {
            let bytes = *chunk.get(at..)?.first_chunk()?;
            Some(if is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let u32_at = |at: usize| {
            let bytes = *chunk.get(at..)?.first_chunk()?;
            Some(if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        // The first word of the sub-format's GUID is a format tag.
        const SUB_FORMAT: usize = 24;
        let tag = match u16_at(0)? {
            TAG_EXTENSIBLE => u16::try_from(u32_at(SUB_FORMAT)?).ok()?,
            tag => tag,
        };
        Some(Self {
            tag,
            n_channels: u16_at(2)?,
            sample_rate: u32_at(4)?,
            bytes_per_second: u32_at(8)?,
            block_align: u16_at(12)?,
            // Of compressed formats it may be missing.
            bits: u16_at(14).unwrap_or(0),
            is_big_endian,
        })
    }

    /// The encoding.
    ///
    /// # Errors
    /// The name of an encoding that is not decoded.
    pub(in crate::decode) fn encoding(&self) -> Result<Encoding, String> {
        let be = self.is_big_endian;
        match (self.tag, self.container_bytes()) {
            (TAG_PCM, 1) => self.pcm(codec::CODEC_ID_PCM_U8, 1),
            (TAG_PCM, 2) => {
                self.pcm(if be { codec::CODEC_ID_PCM_S16BE } else { codec::CODEC_ID_PCM_S16LE }, 2)
            }
            (TAG_PCM, 3) => {
                self.pcm(if be { codec::CODEC_ID_PCM_S24BE } else { codec::CODEC_ID_PCM_S24LE }, 3)
            }
            (TAG_PCM, 4) => {
                self.pcm(if be { codec::CODEC_ID_PCM_S32BE } else { codec::CODEC_ID_PCM_S32LE }, 4)
            }
            (TAG_FLOAT, 4) => {
                self.pcm(if be { codec::CODEC_ID_PCM_F32BE } else { codec::CODEC_ID_PCM_F32LE }, 4)
            }
            (TAG_FLOAT, 8) => {
                self.pcm(if be { codec::CODEC_ID_PCM_F64BE } else { codec::CODEC_ID_PCM_F64LE }, 8)
            }
            (TAG_ALAW, _) => self.pcm(codec::CODEC_ID_PCM_ALAW, 1),
            (TAG_MULAW, _) => self.pcm(codec::CODEC_ID_PCM_MULAW, 1),
            (TAG_ADPCM_MS, _) if self.bits == 4 => self.adpcm(codec::CODEC_ID_ADPCM_MS, 7, 2),
            (TAG_ADPCM_IMA, _) if self.bits == 4 => self.adpcm(codec::CODEC_ID_ADPCM_IMA_WAV, 4, 1),
            (TAG_MPEG | TAG_MP3, _) => Ok(Encoding::Mpeg),
            (TAG_PCM, _) => Err(format!("PCM with {} bits per sample", self.bits)),
            (TAG_FLOAT, _) => Err(format!("floating-point samples of {} bits", self.bits)),
            (TAG_ADPCM_MS | TAG_ADPCM_IMA, _) => Err(format!("ADPCM with {} bits per sample", self.bits)),
            (tag, _) => Err(format_tags::name(tag)),
        }
    }

    fn pcm(&self, codec: AudioCodecId, bytes: u32) -> Result<Encoding, String> {
        let bytes_per_block = bytes * u32::from(self.n_channels);
        Ok(Encoding::Blocks { codec, bytes_per_block, frames_per_block: 1 })
    }

    /// ADPCM of 4 bits whose blocks begin with a header of `header` bytes per channel that has `n` samples itself.
    fn adpcm(&self, codec: AudioCodecId, header: u32, n: u32) -> Result<Encoding, String> {
        let (n_channels, bytes_per_block) = (u32::from(self.n_channels), u32::from(self.block_align));
        match bytes_per_block.checked_sub(header * n_channels) {
            Some(data) if n_channels > 0 => {
                Ok(Encoding::Blocks { codec, bytes_per_block, frames_per_block: 2 * data / n_channels + n })
            }
            _ => Err("ADPCM with blocks shorter than their headers".into()),
        }
    }

    /// Bytes per sample of a codec without blocks.
    fn container_bytes(&self) -> u32 {
        let n_channels = u32::from(self.n_channels.max(1));
        let (block_align, by_bits) = (u32::from(self.block_align), u32::from(self.bits).div_ceil(8));
        let by_block = block_align / n_channels;
        let is_plausible = block_align.is_multiple_of(n_channels) && by_block >= by_bits && by_block <= 8;
        let has_rate = |bytes: u32| {
            u64::from(self.bytes_per_second) == u64::from(self.sample_rate) * u64::from(n_channels * bytes)
        };
        if !is_plausible || by_bits > 0 && has_rate(by_bits) && !has_rate(by_block) {
            by_bits
        } else {
            by_block
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(tag: u16, n_channels: u16, block_align: u16, bits: u16) -> FormatChunk {
        let mut bytes = [tag.to_le_bytes(), n_channels.to_le_bytes()].concat();
        bytes.extend([8000_u32, 8000 * u32::from(block_align)].map(u32::to_le_bytes).as_flattened());
        bytes.extend([block_align, bits].map(u16::to_le_bytes).as_flattened());
        FormatChunk::parse(&bytes, false).unwrap()
    }

    fn pcm(codec: AudioCodecId, bytes_per_block: u32) -> Result<Encoding, String> {
        Ok(Encoding::Blocks { codec, bytes_per_block, frames_per_block: 1 })
    }

    #[test]
    fn the_container_of_a_sample_is_as_long_as_the_block_says() {
        let codecs = [
            codec::CODEC_ID_PCM_U8,
            codec::CODEC_ID_PCM_S16LE,
            codec::CODEC_ID_PCM_S24LE,
            codec::CODEC_ID_PCM_S32LE,
        ];
        for (codec, bytes) in codecs.into_iter().zip(1..) {
            for bits in 1..=8 * bytes {
                for n_channels in [1, 2, 6] {
                    let found = chunk(TAG_PCM, n_channels, n_channels * bytes, bits).encoding();
                    assert_eq!(
                        found,
                        pcm(codec, u32::from(n_channels * bytes)),
                        "{bits} bits in {bytes} bytes"
                    );
                }
            }
        }
        assert!(chunk(TAG_PCM, 1, 8, 64).encoding().is_err());
        assert!(chunk(TAG_FLOAT, 1, 2, 16).encoding().is_err());
    }

    #[test]
    fn the_byte_rate_decides_where_the_block_contradicts_the_bits() {
        let mut format = chunk(TAG_PCM, 1, 4, 16);
        format.bytes_per_second = 16_000;
        assert_eq!(format.encoding(), pcm(codec::CODEC_ID_PCM_S16LE, 2));
        assert_eq!(chunk(TAG_PCM, 2, 0, 16).encoding(), pcm(codec::CODEC_ID_PCM_S16LE, 4));
        assert_eq!(chunk(TAG_PCM, 2, 3, 16).encoding(), pcm(codec::CODEC_ID_PCM_S16LE, 4));
    }

    #[test]
    fn encodings_that_are_not_decoded_are_named() {
        assert_eq!(chunk(0x0031, 1, 65, 0).encoding(), Err("GSM 6.10".into()));
        assert_eq!(chunk(0x7777, 1, 65, 0).encoding(), Err("an encoding with the format tag 0x7777".into()));
        assert!(chunk(TAG_ADPCM_IMA, 2, 7, 4).encoding().is_err());
    }
}
