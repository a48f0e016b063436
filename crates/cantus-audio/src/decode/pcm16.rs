//! A fast decoder of little-endian 16-bit PCM, the encoding of most wav files; bit-identical to Symphonia's.
//!
//! Symphonia decodes sample by sample, which took a fifth of the time of loading a WAV file and computing its MFCCs
//! (`just bench-audio --part load`).

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_PCM_S16LE;

/// Bits and bytes of a sample.
const BITS: u32 = 16;
const BYTES: usize = 2;
/// Full scale as an integer.
const FULL_SCALE: f32 = 32_768.0;

/// Decoder of packets of interleaved little-endian 16-bit samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pcm16 {
    pub(super) sample_rate: u32,
    pub(super) n_channels: usize,
}

impl Pcm16 {
    /// The decoder of a track with this encoding; `None` for others, also if fewer than 16 bits of a sample are used.
    pub(super) fn for_track(params: &AudioCodecParameters) -> Option<Self> {
        let has_all_bits = |bits: Option<u32>| bits.is_none_or(|bits| bits == BITS);
        let is_16_bit = params.codec == CODEC_ID_PCM_S16LE
            && has_all_bits(params.bits_per_sample)
            && has_all_bits(params.bits_per_coded_sample);
        let n_channels = params.channels.as_ref()?.count();
        (is_16_bit && n_channels > 0).then_some(Self { sample_rate: params.sample_rate?, n_channels })
    }

    /// Decodes the complete frames of a packet to [-1, 1).
    ///
    /// # Shapes
    /// - `interleaved`: `[n_frames, n_channels]`, overwritten
    pub(super) fn decode(&self, packet: &[u8], interleaved: &mut Vec<f32>) {
        let bytes_of_frame = BYTES * self.n_channels;
        let whole = packet.len() - packet.len() % bytes_of_frame;
        let (samples, _) = packet[..whole].as_chunks::<BYTES>();
        interleaved.clear();
        interleaved.extend(samples.iter().map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / FULL_SCALE));
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::audio::{Channels, Position};
    use symphonia::core::codecs::audio::AudioDecoderOptions;
    use symphonia::core::packet::Packet;
    use symphonia::core::units::{Duration, Timestamp};

    use super::*;

    fn stereo() -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(CODEC_ID_PCM_S16LE)
            .with_sample_rate(44_100)
            .with_channels(Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT));
        params
    }

    #[test]
    fn every_sample_value_equals_symphonias() {
        let packet: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        let mut found = vec![9.0];
        Pcm16::for_track(&stereo()).unwrap().decode(&packet, &mut found);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&stereo(), &AudioDecoderOptions::default())
            .unwrap();
        let n_frames = packet.len() as u64 / 4;
        let mut expected: Vec<f32> = Vec::new();
        let packet = Packet::new(0, Timestamp::new(0), Duration::new(n_frames), packet);
        decoder.decode(&packet).unwrap().copy_to_vec_interleaved(&mut expected);
        assert_eq!(found, expected);
    }

    #[test]
    fn an_incomplete_last_frame_is_dropped() {
        let mut found = Vec::new();
        Pcm16::for_track(&stereo()).unwrap().decode(&[0, 0x40, 0, 0xC0, 0, 0x40, 0], &mut found);
        assert_eq!(found, [0.5, -0.5]);
    }

    #[test]
    fn samples_with_fewer_than_16_used_bits_are_left_to_symphonia() {
        assert!(Pcm16::for_track(stereo().with_bits_per_sample(16).with_bits_per_coded_sample(12)).is_none());
        assert!(Pcm16::for_track(stereo().with_bits_per_coded_sample(16)).is_some());
    }
}
