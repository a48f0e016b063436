//! Sun/NeXT audio (`.au`, `.snd`): the format in which GTZAN is distributed.
//!
//! A header of big-endian 32-bit words, then the samples, interleaved and big-endian:
//!
//! ```text
//! ".snd"  offset of the samples  their size in bytes  encoding  sample rate  n_channels  text …
//! ```
//!
//! The size may be unknown (0xFFFFFFFF): the samples then end with the file. Symphonia decodes the samples, which are PCM.
//!
//! # Reference
//! NeXT/Sun `audio.h`; <https://en.wikipedia.org/wiki/Au_file_format>.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::common::FourCc;
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{
    FormatId, FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia::core::io::{MediaSourceStream, ReadBytes};
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

pub(super) const MAGIC: &[u8; 4] = b".snd";

const FORMAT_INFO: FormatInfo = FormatInfo {
    format: FormatId::new(FourCc::new(*b"snd ")),
    short_name: "au",
    long_name: "Sun/NeXT audio",
};

/// Length of the header without the text, in bytes.
const MIN_OFFSET: u32 = 24;
/// The size of data that ends with the file.
const UNKNOWN_SIZE: u32 = u32::MAX;
/// Length of a packet in frames; PCM itself has no packets.
const FRAMES_PER_PACKET: usize = 4096;

/// Reads the header of an `.au` file and returns its samples in packets.
pub(super) struct SunAuReader<'s> {
    stream: MediaSourceStream<'s>,
    media_info: MediaInfo,
    track: Track,
    metadata: MetadataLog,
    bytes_per_frame: usize,
    /// Number of frames left; `None` if they end with the file.
    n_frames_left: Option<u64>,
    position: i64,
}

impl<'s> SunAuReader<'s> {
    /// Reads the header, up to the first sample.
    pub(super) fn try_new(mut stream: MediaSourceStream<'s>) -> Result<Self> {
        if stream.read_quad_bytes()? != *MAGIC {
            return Err(Error::Unsupported("au: no .snd at the start"));
        }
        let offset = stream.read_be_u32()?;
        let size = stream.read_be_u32()?;
        let (codec, bytes_per_sample) = encoding(stream.read_be_u32()?)?;
        let sample_rate = stream.read_be_u32()?;
        let n_channels = u16::try_from(stream.read_be_u32()?).unwrap_or(u16::MAX);
        if offset < MIN_OFFSET {
            return Err(Error::DecodeError("au: the samples begin inside the header"));
        }
        if n_channels == 0 {
            return Err(Error::DecodeError("au: no channels"));
        }
        stream.ignore_bytes(u64::from(offset - MIN_OFFSET))?;

        let bytes_per_frame = bytes_per_sample * usize::from(n_channels);
        let n_frames = (size != UNKNOWN_SIZE).then(|| u64::from(size) / bytes_per_frame as u64);
        let mut params = AudioCodecParameters::new();
        params.for_codec(codec).with_sample_rate(sample_rate).with_channels(Channels::Discrete(n_channels));
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        if let Some(n_frames) = n_frames {
            track.with_num_frames(n_frames).with_duration(Duration::from(n_frames));
        }
        Ok(Self {
            stream,
            media_info: MediaInfo::from_track(&track),
            track,
            metadata: MetadataLog::default(),
            bytes_per_frame,
            n_frames_left: n_frames,
            position: 0,
        })
    }
}

/// Codec of an encoding number, and bytes per sample.
fn encoding(number: u32) -> Result<(AudioCodecId, usize)> {
    Ok(match number {
        1 => (codec::CODEC_ID_PCM_MULAW, 1),
        2 => (codec::CODEC_ID_PCM_S8, 1),
        3 => (codec::CODEC_ID_PCM_S16BE, 2),
        4 => (codec::CODEC_ID_PCM_S24BE, 3),
        5 => (codec::CODEC_ID_PCM_S32BE, 4),
        6 => (codec::CODEC_ID_PCM_F32BE, 4),
        7 => (codec::CODEC_ID_PCM_F64BE, 8),
        27 => (codec::CODEC_ID_PCM_ALAW, 1),
        _ => {
            return Err(Error::Unsupported(
                "au: an encoding other than µ-law, A-law, 8/16/24/32-bit integer and 32/64-bit float",
            ));
        }
    })
}

impl FormatReader for SunAuReader<'_> {
    fn format_info(&self) -> &FormatInfo {
        &FORMAT_INFO
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _: SeekMode, _: SeekTo) -> Result<SeekedTo> {
        Err(Error::SeekError(SeekErrorKind::Unseekable))
    }

    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let n_wanted =
            self.n_frames_left.map_or(FRAMES_PER_PACKET, |n| n.min(FRAMES_PER_PACKET as u64) as usize);
        let mut bytes = vec![0; n_wanted * self.bytes_per_frame];
        let n_frames = read_up_to(&mut self.stream, &mut bytes)? / self.bytes_per_frame;
        if n_frames == 0 {
            return Ok(None);
        }
        bytes.truncate(n_frames * self.bytes_per_frame);
        let packet = Packet::new(0, Timestamp::new(self.position), Duration::from(n_frames as u64), bytes);
        self.position += n_frames as i64;
        self.n_frames_left = self.n_frames_left.map(|n| n - n_frames as u64);
        Ok(Some(packet))
    }

    fn into_inner<'t>(self: Box<Self>) -> MediaSourceStream<'t>
    where
        Self: 't,
    {
        self.stream
    }
}

/// Fills `bytes` until the end of the stream; returns the number of bytes read.
fn read_up_to(stream: &mut MediaSourceStream<'_>, bytes: &mut [u8]) -> Result<usize> {
    let mut n_read = 0;
    while n_read < bytes.len() {
        match stream.read_buf(&mut bytes[n_read..]) {
            Ok(0) => break,
            Ok(n) => n_read += n,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(n_read)
}
