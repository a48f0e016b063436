//! Where the sound of a track begins and ends, by the container.

use std::io::{Read, Result, Seek};

use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::formats::Track;

use super::format::Format;
use super::matroska_timing::MatroskaTiming;
use super::mp4_timing::Mp4Timing;
use super::play_range::PlayRange;
use super::track::audio_params;

/// The timing that Symphonia does not apply, of the containers that have one.
#[derive(Debug)]
pub(super) enum ContainerTiming {
    Mp4(Mp4Timing),
    Matroska(MatroskaTiming),
    /// The packet table of CAF, which Symphonia reads.
    PacketTable,
    None,
}

impl ContainerTiming {
    /// Reads the timing of a file of `size` bytes.
    pub(super) fn read(format: Format, file: &mut (impl Read + Seek), size: u64) -> Result<Self> {
        Ok(match format {
            Format::Mp4 => Self::Mp4(Mp4Timing::read(file, size)?),
            Format::Matroska => Self::Matroska(MatroskaTiming::read(file, size)?),
            Format::Caf => Self::PacketTable,
            _ => Self::None,
        })
    }

    /// Name of the codec of the first track of sound, where Symphonia does not recognise it.
    pub(super) fn sound_codec(&self) -> Option<String> {
        match self {
            Self::Mp4(timing) => timing.sound_format().map(mp4_codec_name),
            Self::Matroska(timing) => timing.sound_codec.clone(),
            Self::PacketTable | Self::None => None,
        }
    }

    /// The range of a track to play, and the number of samples to remove at its end. `delay` is what the codec says of its
    /// own delay.
    pub(super) fn of_track(&self, track: &Track, sample_rate: u32, delay: u64) -> (PlayRange, u64) {
        let after = |n_skipped| PlayRange { n_skipped, n_samples: None };
        match self {
            Self::Mp4(timing) => {
                let range = timing.play_range(track.id, sample_rate, track.num_frames);
                (range.unwrap_or(after(delay)), 0)
            }
            Self::Matroska(timing) => {
                let (container_delay, padding) = timing.delay_and_padding(track.id, sample_rate);
                // Vorbis has its delay in that its first packet gives no samples.
                let is_vorbis = audio_params(track).is_some_and(|params| params.codec == CODEC_ID_VORBIS);
                (after(if is_vorbis || delay > 0 { delay } else { container_delay }), padding)
            }
            Self::PacketTable => {
                let n_samples = track.padding.and(track.num_frames);
                (PlayRange { n_skipped: track.delay.unwrap_or(0).into(), n_samples }, 0)
            }
            Self::None => (after(delay), 0),
        }
    }
}

/// Name of a codec in MP4 that is not decoded.
fn mp4_codec_name(code: [u8; 4]) -> String {
    match &code {
        b"samr" => "AMR-NB".into(),
        b"sawb" | b"sawp" => "AMR-WB".into(),
        b"sqcp" | b"Qclp" => "QCELP".into(),
        b"sevc" => "EVRC".into(),
        b"agsm" => "GSM 6.10".into(),
        b"enca" => "encrypted audio".into(),
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => "DTS".into(),
        b"mhm1" | b"mha1" => "MPEG-H 3D Audio".into(),
        b"QDM2" | b"QDMC" => "QDesign".into(),
        b"MAC3" | b"MAC6" => "MACE".into(),
        _ => format!("the codec {}", code.escape_ascii()),
    }
}
