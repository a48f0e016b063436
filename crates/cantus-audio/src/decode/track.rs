//! Codec parameters and declared length of an audio track.

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::formats::Track;

use super::format::Format;

/// Number of samples that the header declares, where that is exact: neither estimated from a bit rate nor counted in
/// another unit of time.
pub(super) fn n_samples_declared(format: Format, track: &Track) -> Option<u64> {
    match format {
        Format::Mpeg => track.padding.and(track.num_frames),
        Format::Wav | Format::Aiff | Format::SunAu | Format::Flac => track.num_frames,
        Format::Caf | Format::Ogg | Format::Mp4 | Format::Matroska | Format::Adts => None,
    }
}

pub(super) fn audio_params(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref().and_then(CodecParameters::audio)
}
