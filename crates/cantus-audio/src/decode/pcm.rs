//! Samples of 16 bits, as most wav files hold them: read straight from the packet. Symphonia's decoder goes sample by
//! sample, which took a fifth of the time of a WAV and its MFCCs (`just bench-audio --part load`). The numbers are the same.

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_PCM_S16LE;

/// Bits and bytes of a sample.
const BITS: u32 = 16;
const BYTES: usize = 2;
/// What full scale is as a whole number.
const FULL_SCALE: f32 = 32_768.0;

/// Sound whose packets are nothing but interleaved little-endian samples of 16 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pcm16 {
    pub(super) sample_rate: u32,
    pub(super) n_channels: usize,
}

impl Pcm16 {
    /// Whether a track is such sound; not if its samples have fewer bits than their 16 places.
    pub(super) fn of(params: &AudioCodecParameters) -> Option<Self> {
        let has_all_bits = |bits: Option<u32>| bits.is_none_or(|bits| bits == BITS);
        let is_16_bit = params.codec == CODEC_ID_PCM_S16LE
            && has_all_bits(params.bits_per_sample)
            && has_all_bits(params.bits_per_coded_sample);
        let n_channels = params.channels.as_ref()?.count();
        (is_16_bit && n_channels > 0).then_some(Self { sample_rate: params.sample_rate?, n_channels })
    }

    /// The whole frames of a packet, from -1 to 1.
    ///
    /// # Shapes
    /// - `interleaved`: `[n_frames, n_channels]`, overwritten
    pub(super) fn read(&self, packet: &[u8], interleaved: &mut Vec<f32>) {
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
    fn every_sample_is_the_one_that_symphonia_reads() {
        let packet: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        let mut found = vec![9.0];
        Pcm16::of(&stereo()).unwrap().read(&packet, &mut found);
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
    fn half_a_frame_at_the_end_is_no_frame() {
        let mut found = Vec::new();
        Pcm16::of(&stereo()).unwrap().read(&[0, 0x40, 0, 0xC0, 0, 0x40, 0], &mut found);
        assert_eq!(found, [0.5, -0.5]);
    }

    #[test]
    fn fewer_bits_than_places_are_left_to_symphonia() {
        assert!(Pcm16::of(stereo().with_bits_per_sample(16).with_bits_per_coded_sample(12)).is_none());
        assert!(Pcm16::of(stereo().with_bits_per_coded_sample(16)).is_some());
    }
}
