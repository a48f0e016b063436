//! The decoder of a track: Symphonia's, or ours where it has none or a slow one.

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known as id;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::Packet;

use super::catch_panic::catch_panic;
use super::downmix::interleave;
use super::format::Format;
use super::opus::{self, Opus};
use super::pcm16::Pcm16;

/// A decoder of the packets of a track.
pub(super) enum Codec {
    Pcm16(Pcm16),
    Opus(Box<Opus>),
    Symphonia(Box<dyn AudioDecoder>),
}

impl Codec {
    /// A decoder that trims encoder delay and padding, except of MPEG audio and Opus, which `Decoder` trims itself.
    pub(super) fn new(format: Format, params: &AudioCodecParameters) -> Result<Self> {
        if let Some(pcm16) = Pcm16::for_track(params) {
            return Ok(Self::Pcm16(pcm16));
        }
        if params.codec == id::CODEC_ID_OPUS {
            let header = params.extra_data.as_deref().unwrap_or_default();
            return catch_panic(|| Opus::new(header)).map(|opus| Self::Opus(Box::new(opus)));
        }
        let options = AudioDecoderOptions::default().gapless(format != Format::Mpeg);
        catch_panic(|| symphonia::default::get_codecs().make_audio_decoder(params, &options))
            .map(Self::Symphonia)
            .map_err(|error| match (error, unsupported_name(params.codec)) {
                (Error::Unsupported(_), Some(name)) => Error::Unsupported(name),
                (error, _) => error,
            })
    }

    /// Its short name, such as `flac`.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Pcm16(_) => "pcm_s16le",
            Self::Opus(_) => "opus",
            Self::Symphonia(decoder) => decoder.codec_info().short_name,
        }
    }

    /// Samples to remove at the start of the stream.
    pub(super) fn delay(&self) -> u64 {
        if let Self::Opus(opus) = self { opus.pre_skip() } else { 0 }
    }

    /// Whether the decoder leaves it to the caller to remove what a packet declares as delay and padding.
    pub(super) fn leaves_trimming(&self, format: Format) -> bool {
        format == Format::Mpeg || matches!(self, Self::Opus(_))
    }

    /// Decodes one packet into interleaved frames; returns their sample rate and number of channels.
    pub(super) fn decode(&mut self, packet: &Packet, interleaved: &mut Vec<f32>) -> Result<(u32, usize)> {
        match self {
            Self::Pcm16(pcm16) => {
                pcm16.decode(&packet.data, interleaved);
                Ok((pcm16.sample_rate, pcm16.n_channels))
            }
            Self::Opus(opus) => catch_panic(|| {
                opus.decode(&packet.data, interleaved)?;
                Ok((opus::SAMPLE_RATE, opus.n_channels()))
            }),
            Self::Symphonia(decoder) => catch_panic(|| {
                let decoded = decoder.decode(packet)?;
                match &decoded {
                    GenericAudioBufferRef::F32(samples) if samples.num_planes() == 2 => {
                        let planes = [0, 1].map(|channel| samples.plane(channel).unwrap_or_default());
                        interleave(planes[0], planes[1], interleaved);
                    }
                    _ => decoded.copy_to_vec_interleaved(interleaved),
                }
                Ok((decoded.spec().rate(), decoded.spec().channels().count()))
            }),
        }
    }
}

/// Name of a codec for which there is no decoder.
fn unsupported_name(codec: AudioCodecId) -> Option<&'static str> {
    Some(match codec {
        id::CODEC_ID_AC3 => "Dolby AC-3",
        id::CODEC_ID_EAC3 => "Dolby E-AC-3",
        id::CODEC_ID_AC4 => "Dolby AC-4",
        id::CODEC_ID_TRUEHD => "Dolby TrueHD",
        id::CODEC_ID_DCA => "DTS",
        id::CODEC_ID_MUSEPACK => "Musepack",
        id::CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio",
        id::CODEC_ID_WAVPACK => "WavPack",
        id::CODEC_ID_TTA => "TTA",
        id::CODEC_ID_WMA => "Windows Media Audio",
        id::CODEC_ID_SPEEX => "Speex",
        id::CODEC_ID_ATRAC1 | id::CODEC_ID_ATRAC3 | id::CODEC_ID_ATRAC3PLUS | id::CODEC_ID_ATRAC9 => "ATRAC",
        _ => return None,
    })
}
