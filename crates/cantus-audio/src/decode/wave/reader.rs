//! Returns the samples of a WAV file in packets.

use std::io::{Seek, SeekFrom};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::common::FourCc;
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{
    FormatId, FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadBytes};
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::{Encoding, WaveHeader};

const FORMAT_INFO: FormatInfo =
    FormatInfo { format: FormatId::new(FourCc::new(*b"wave")), short_name: "wav", long_name: "WAVE" };

/// Length of a packet in frames, or longer if a block is; Symphonia's.
const FRAMES_PER_PACKET: u32 = 1152;

/// Reads the samples of a WAV file.
pub(in crate::decode) struct WaveReader<'s> {
    stream: MediaSourceStream<'s>,
    media_info: MediaInfo,
    track: Track,
    metadata: MetadataLog,
    bytes_per_block: u32,
    frames_per_block: u32,
    n_blocks_left: u64,
    position: i64,
}

impl<'s> WaveReader<'s> {
    /// Reads the header and seeks to the first sample.
    pub(in crate::decode) fn open(mut stream: MediaSourceStream<'s>) -> Result<Self> {
        let size = stream.byte_len().ok_or(Error::Unsupported("a stream of unknown length"))?;
        let header = WaveHeader::read(&mut stream, size)?;
        let format = &header.format;
        let Ok(Encoding::Blocks { codec, bytes_per_block, frames_per_block }) = format.encoding() else {
            return Err(Error::Unsupported("an encoding that is not decoded"));
        };
        if bytes_per_block == 0 {
            return Err(Error::DecodeError("wav: no channels"));
        }
        stream.seek(SeekFrom::Start(header.layout.data_start))?;
        let frames = u64::from(frames_per_block);
        let n_frames = (header.layout.n_bytes_declared / u64::from(bytes_per_block)).saturating_mul(frames);
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(format.sample_rate)
            .with_channels(Channels::Discrete(format.n_channels))
            .with_max_frames_per_packet(u64::from(frames_per_block.max(FRAMES_PER_PACKET)))
            .with_frames_per_block(frames);
        let mut track = Track::new(0);
        track
            .with_codec_params(CodecParameters::Audio(params))
            .with_num_frames(n_frames)
            .with_duration(Duration::from(n_frames));
        Ok(Self {
            stream,
            media_info: MediaInfo::from_track(&track),
            track,
            metadata: MetadataLog::default(),
            bytes_per_block,
            frames_per_block,
            n_blocks_left: header.layout.n_bytes / u64::from(bytes_per_block),
            position: 0,
        })
    }
}

impl FormatReader for WaveReader<'_> {
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
        let per_packet = u64::from((FRAMES_PER_PACKET / self.frames_per_block).max(1));
        let n_blocks = self.n_blocks_left.min(per_packet);
        if n_blocks == 0 {
            return Ok(None);
        }
        let n_frames = n_blocks * u64::from(self.frames_per_block);
        let bytes = self.stream.read_boxed_slice((n_blocks * u64::from(self.bytes_per_block)) as usize)?;
        let packet = Packet::new(0, Timestamp::new(self.position), Duration::from(n_frames), bytes);
        self.position += n_frames as i64;
        self.n_blocks_left -= n_blocks;
        Ok(Some(packet))
    }

    fn into_inner<'t>(self: Box<Self>) -> MediaSourceStream<'t>
    where
        Self: 't,
    {
        self.stream
    }
}
