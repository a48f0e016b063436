//! The supported container formats and their readers.

use symphonia::core::errors::Result;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::formats as symphonia_formats;

use super::mpeg::MpegReader;
use super::sun_au::SunAuReader;
use super::wave::WaveReader;

/// A supported container format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Wav,
    Aiff,
    Caf,
    SunAu,
    Flac,
    Ogg,
    Mp4,
    Matroska,
    Mpeg,
    Adts,
}

impl Format {
    /// Its common name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Caf => "caf",
            Self::SunAu => "au",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp4 => "mp4",
            Self::Matroska => "matroska",
            Self::Mpeg => "mp3",
            Self::Adts => "aac",
        }
    }

    /// Reads the header and returns a reader of its packets.
    pub(super) fn reader(self, stream: MediaSourceStream<'static>) -> Result<Box<dyn FormatReader>> {
        let options = FormatOptions::default();
        Ok(match self {
            Self::Wav => Box::new(WaveReader::open(stream)?),
            Self::Aiff => Box::new(symphonia_formats::AiffReader::try_new(stream, options)?),
            Self::Caf => Box::new(symphonia_formats::CafReader::try_new(stream, options)?),
            Self::SunAu => Box::new(SunAuReader::try_new(stream)?),
            Self::Flac => Box::new(symphonia_formats::FlacReader::try_new(stream, options)?),
            Self::Ogg => Box::new(symphonia_formats::OggReader::try_new(stream, options)?),
            Self::Mp4 => Box::new(symphonia_formats::IsoMp4Reader::try_new(stream, options)?),
            Self::Matroska => Box::new(symphonia_formats::MkvReader::try_new(stream, options)?),
            Self::Mpeg => Box::new(MpegReader::open(stream)?),
            Self::Adts => Box::new(symphonia_formats::AdtsReader::try_new(stream, options)?),
        })
    }
}
