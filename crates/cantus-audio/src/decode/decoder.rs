//! Block-wise decoding of one file to mono at its own sample rate, in memory that does not depend on its length.

mod packets;
mod rate;

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};

use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use self::rate::RateConverter;
use super::AudioSource;
use super::catch_panic::catch_panic;
use super::codec::Codec;
use super::container_timing::ContainerTiming;
use super::error_text::{malformed, open_error};
use super::format::Format;
use super::limits::check_limits;
use super::mpeg::{BitReservoir, FrameHeader, StreamParams};
use super::play_range::PlayRange;
use super::probe::{ProbedFile, probe};
use super::track::{audio_params, n_samples_declared};
use super::warning::{DecodeWarning, WarningList};
use super::wave::SizeWarning;
use crate::Error;
use crate::regular_file;

/// Decodes one file, block by block.
///
/// Memory use does not depend on the length of the file.
///
/// ```no_run
/// # fn main() -> Result<(), cantus_audio::Error> {
/// use cantus_audio::decode::Decoder;
///
/// let mut decoder = Decoder::open("concert.flac".as_ref())?;
/// let (mut energy, mut n_samples) = (0.0, 0);
/// while let Some(block) = decoder.next_block()? {
///     energy += block.iter().map(|sample| f64::from(sample * sample)).sum::<f64>();
///     n_samples += block.len();
/// }
/// let rms = (energy / n_samples as f64).sqrt();
/// # Ok(())
/// # }
/// ```
pub struct Decoder {
    path: PathBuf,
    source: AudioSource,
    format: Format,
    reader: Box<dyn FormatReader>,
    codec: Codec,
    track_id: u32,
    /// Unit of the durations of packets, in seconds; `None` if it is a sample.
    time_base: Option<TimeBase>,
    reservoir: BitReservoir,
    stream_params: Option<StreamParams>,
    /// Header of the last MPEG frame.
    mpeg_header: Option<FrameHeader>,
    /// The part of the stream that is sound.
    play_range: PlayRange,
    /// Samples to remove at the end.
    end_padding: u64,
    /// The next packet, if it is needed to know which packet is the last.
    queued: Option<Packet>,
    /// Converts streams of other sample rates than that of `source`.
    converter: RateConverter,
    /// A size in the header that contradicts the file.
    size_warning: Option<SizeWarning>,
    n_samples_declared: Option<u64>,
    /// Number of mono samples decoded so far.
    position: u64,
    n_failures: usize,
    warnings: WarningList,
    interleaved: Vec<f32>,
    block: Vec<f32>,
    /// Range of the block's frames in `interleaved`, and their number of channels.
    frames: (Range<usize>, usize),
    /// Whether any sample of the mono mix, and of the channels, was not zero.
    has_signal: bool,
    channels_have_signal: bool,
    /// The block was decoded, but not yet returned.
    is_pending: bool,
    is_finished: bool,
}

impl Decoder {
    /// Opens a file and decodes its first block.
    ///
    /// The format is identified by the content, not by the name.
    ///
    /// # Errors
    /// If the file cannot be read or decoded, or is not a regular file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.into(), source };
        Self::from_file(path, regular_file::open(path).map_err(io)?)
    }

    /// [`open`](Self::open) for an opened file; `path` is used in errors only.
    ///
    /// # Errors
    /// If the file cannot be read or decoded.
    pub fn from_file(path: &Path, file: File) -> Result<Self, Error> {
        Self::new(path, Box::new(file))
    }

    /// [`open`](Self::open) for the content of a file; `path` is used in errors only.
    ///
    /// # Errors
    /// If the bytes cannot be decoded.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::new(path, Box::new(Cursor::new(bytes)))
    }

    fn new(path: &Path, file: Box<dyn MediaSource>) -> Result<Self, Error> {
        let ProbedFile { format, mut media, size_warning, n_skipped } = probe(path, file)?;
        let failed = |error| open_error(path, format, error);
        let io = |source| Error::Io { path: path.into(), source };
        let size = media.size();
        let timing = ContainerTiming::read(format, &mut media, size).map_err(io)?;
        media.skip(0).map_err(io)?;
        let stream = MediaSourceStream::new(Box::new(media), Default::default());
        let reader = catch_panic(|| format.reader(stream)).map_err(failed)?;
        let track = reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio));
        let (track, params) = track
            .and_then(|track| Some((track, audio_params(track)?)))
            .ok_or_else(|| no_track(path, format, timing.sound_codec()))?;
        check_limits(
            path,
            format,
            params.sample_rate,
            params.channels.as_ref().map(|channels| channels.count()),
        )?;
        let codec = Codec::new(format, params).map_err(failed)?;
        let sample_rate = params.sample_rate.unwrap_or(0);
        let source = AudioSource { codec: codec.name().into(), sample_rate, n_channels: 0 };
        let (play_range, end_padding) = timing.of_track(track, sample_rate, codec.delay());
        let mut decoder = Self {
            path: path.into(),
            source,
            format,
            track_id: track.id,
            time_base: track.time_base,
            reservoir: BitReservoir::default(),
            stream_params: None,
            mpeg_header: None,
            play_range,
            end_padding,
            queued: None,
            converter: RateConverter::new(sample_rate),
            size_warning,
            n_samples_declared: n_samples_declared(format, track),
            reader,
            codec,
            position: 0,
            n_failures: 0,
            warnings: WarningList::default(),
            interleaved: Vec::new(),
            block: Vec::new(),
            frames: (0..0, 0),
            has_signal: false,
            channels_have_signal: false,
            is_pending: false,
            is_finished: false,
        };
        decoder.warn_of_header(n_skipped);
        decoder.decode_first_block()?;
        Ok(decoder)
    }

    /// Codec, sample rate and channels of the file.
    #[must_use]
    pub fn source(&self) -> &AudioSource {
        &self.source
    }

    /// Number of samples that the header declares, if it declares an exact number.
    pub(crate) fn n_samples_declared(&self) -> Option<u64> {
        self.n_samples_declared
    }

    /// Warnings about damage so far.
    #[must_use]
    pub fn warnings(&self) -> &[DecodeWarning] {
        self.warnings.list()
    }

    /// All warnings about damage, at the end of decoding.
    #[must_use]
    pub fn into_warnings(self) -> Vec<DecodeWarning> {
        self.warnings.into_list()
    }

    /// The next samples, or `None` at the end.
    ///
    /// # Shapes
    /// - returns: `[n_samples]`, mono, nominally in [-1, 1]; never empty
    ///
    /// # Errors
    /// If the operating system cannot read the file. Damage is not an error, but a [`DecodeWarning`].
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, Error> {
        if !self.is_pending && !self.decode_block()? {
            return Ok(None);
        }
        self.is_pending = false;
        Ok(Some(&self.block))
    }

    /// The frames of the last returned block before the downmix, and their number of channels; empty where the block is
    /// silence in place of damage. Where the file changes its sample rate they are at the rate of that part of it.
    ///
    /// # Shapes
    /// - returns: `[n_samples, n_channels]`, nominally in [-1, 1]; may be non-finite
    #[must_use]
    pub fn frames(&self) -> (&[f32], usize) {
        let (range, n_channels) = &self.frames;
        (&self.interleaved[range.clone()], *n_channels)
    }

    /// Decodes the first block on opening: it confirms the format and gives the number of channels.
    fn decode_first_block(&mut self) -> Result<(), Error> {
        self.is_pending = self.decode_block()?;
        if self.is_pending && self.source.n_channels > 0 {
            return Ok(());
        }
        let reason = match self.warnings.list().first() {
            Some(warning) => format!("no audio in it can be decoded: {}", warning.reason),
            None => "no audio follows the header".into(),
        };
        Err(malformed(&self.path, self.format, reason))
    }
}

/// The error for a file without a track that can be decoded; `codec` is that of its sound, if it has any.
fn no_track(path: &Path, format: Format, codec: Option<String>) -> Error {
    match codec {
        Some(codec) => {
            Error::Unsupported { path: path.into(), name: format!("{} with {codec}", format.name()) }
        }
        None => Error::NotAudio { path: path.into(), found: format!("no audio track in {}", format.name()) },
    }
}
