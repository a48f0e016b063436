//! Returns the frames of an MPEG audio stream in packets.
//!
//! Where frames are missing, packets without data take their place; the decoder makes silence of them. Each part of a
//! stream that begins with an info tag is trimmed by that tag.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::common::FourCc;
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{
    FormatId, FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::FrameHeader;
use super::info_tag::InfoTag;
use super::scanner::{FrameScanner, Part};

const FORMAT_INFO: FormatInfo =
    FormatInfo { format: FormatId::new(FourCc::new(*b"mpa ")), short_name: "mp3", long_name: "MPEG audio" };

/// Weight of a frame in the mean length of the frames before it.
const MEAN_WEIGHT: f64 = 1.0 / 32.0;

/// Reads a stream frame by frame.
pub(in crate::decode) struct MpegReader<'s> {
    scanner: FrameScanner<MediaSourceStream<'s>>,
    media_info: MediaInfo,
    track: Track,
    metadata: MetadataLog,
    /// A frame that was read, but not returned.
    pending: Option<(FrameHeader, Vec<u8>)>,
    /// Number of frames missing before the pending one.
    n_missing: u64,
    /// Position in the part of the stream since the last info tag, in samples, negative during the encoder delay.
    position: i64,
    /// Samples in that part that are no padding: first and number.
    end: Option<(i64, i64)>,
    mean_length: f64,
}

impl<'s> MpegReader<'s> {
    /// Reads the first frame.
    pub(in crate::decode) fn open(stream: MediaSourceStream<'s>) -> Result<Self> {
        let mut scanner = FrameScanner::new(stream);
        let Some(Part::Frame(header, frame)) = scanner.next()? else {
            return Err(Error::DecodeError("mp3: no complete frame"));
        };
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec_of(header))
            .with_sample_rate(header.sample_rate)
            .with_channels(Channels::Discrete(header.n_channels()));
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        let mut reader = Self {
            scanner,
            media_info: MediaInfo::from_track(&track),
            track,
            metadata: MetadataLog::default(),
            pending: None,
            n_missing: 0,
            position: 0,
            end: None,
            mean_length: header.length as f64,
        };
        match InfoTag::parse(header, &frame) {
            Some(tag) => {
                reader.begin(header, tag);
                if let Some((first, end)) = reader.end {
                    reader.track.with_padding((end - first).max(0) as u32);
                    reader.track.with_num_frames(first.max(0) as u64);
                }
            }
            None => reader.pending = Some((header, frame)),
        }
        Ok(reader)
    }

    /// Begins a part of the stream with its own encoder delay and padding.
    fn begin(&mut self, header: FrameHeader, tag: InfoTag) {
        let (delay, padding) = tag.delay_and_padding.unwrap_or((0, 0));
        let delay = delay as i64;
        self.position = -delay;
        self.end = tag.delay_and_padding.zip(tag.n_frames).map(|(_, n_frames)| {
            let end = i64::from(n_frames) * header.n_samples() as i64 - delay;
            (end - padding as i64, end)
        });
    }

    /// Reads up to the next frame with sound, and counts the frames missing before it.
    fn read_frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>> {
        if let Some(pending) = self.pending.take() {
            return Ok(Some(pending));
        }
        let mut gap = 0;
        while let Some(part) = self.scanner.next()? {
            match part {
                Part::Gap(n_bytes) => gap += n_bytes,
                Part::Frame(header, frame) => match InfoTag::parse(header, &frame) {
                    // What precedes the start of another file is not missing.
                    Some(tag) => {
                        gap = 0;
                        self.begin(header, tag);
                    }
                    None => {
                        self.n_missing = (gap as f64 / self.mean_length).round() as u64;
                        if gap > 0 && self.n_missing == 0 {
                            self.pending = Some((header, frame));
                            return Err(Error::DecodeError("bytes between frames that are no MPEG audio"));
                        }
                        return Ok(Some((header, frame)));
                    }
                },
            }
        }
        Ok(None)
    }

    fn packet(&mut self, header: FrameHeader, frame: Vec<u8>) -> Packet {
        let n = header.n_samples() as i64;
        let trim_start = (-self.position).clamp(0, n);
        // What follows the end that the tag declares is no padding: another file without a tag.
        let trim_end = match self.end {
            Some((first, end)) => {
                ((self.position + n).min(end) - self.position.max(first)).clamp(0, n - trim_start)
            }
            None => 0,
        };
        let mut packet = Packet::new(
            0,
            Timestamp::new(self.position),
            Duration::from((n - trim_start - trim_end) as u64),
            frame,
        );
        packet.trim_start = Duration::from(trim_start as u64);
        packet.trim_end = Duration::from(trim_end as u64);
        self.position = self.position.saturating_add(n);
        packet
    }
}

/// The codec of a frame.
fn codec_of(header: FrameHeader) -> AudioCodecId {
    match header.layer() {
        1 => codec::CODEC_ID_MP1,
        2 => codec::CODEC_ID_MP2,
        _ => codec::CODEC_ID_MP3,
    }
}

impl FormatReader for MpegReader<'_> {
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

    /// The next frame; a packet without data stands for a missing one.
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let Some((header, frame)) = self.read_frame()? else { return Ok(None) };
        if self.n_missing > 0 {
            self.n_missing -= 1;
            self.pending = Some((header, frame));
            return Ok(Some(self.packet(header, Vec::new())));
        }
        self.mean_length += (header.length as f64 - self.mean_length) * MEAN_WEIGHT;
        Ok(Some(self.packet(header, frame)))
    }

    fn into_inner<'t>(self: Box<Self>) -> MediaSourceStream<'t>
    where
        Self: 't,
    {
        self.scanner.into_source()
    }
}
