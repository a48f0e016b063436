//! One file, block by block: its sound in mono at its own rate, in memory that does not grow with its length.

use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::packet::Packet;

use super::explain::{explain, malformed, reason, unsupported};
use super::fault::{Fault, Faults};
use super::format::{Format, Identity, UNDERSTOOD, identify, is_caf_sound, is_endless_wav, wav_channels};
use super::guard::{PANICKED, guarded};
use super::mono;
use super::pcm::Pcm16;
use super::reservoir::{FrameShape, Reservoir};
use super::window::Window;
use super::{MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Source};
use crate::Error;

/// How far into a file the first frame of a format without a magic number is looked for, in bytes.
const SEARCH: usize = 256 * 1024;
/// Most samples of silence that stand for one packet that cannot be decoded: no codec has longer ones.
const MAX_SILENCE: u64 = 1 << 16;
/// How often in a row the container may fail to find its next packet before the rest is given up.
const MAX_FAILURES: usize = 16;

/// Up to here an MP3 frame without the data that it needs is no fault, in samples: so begins every MP3 that was cut out
/// of a longer one.
const CUT: u64 = 4 * 1152;

/// Decodes one file, block by block.
///
/// The memory that it takes does not depend on the length of the file.
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
    source: Source,
    format: Format,
    reader: Box<dyn FormatReader>,
    codec: Box<dyn AudioDecoder>,
    /// The packets need no codec.
    pcm16: Option<Pcm16>,
    track_id: u32,
    reservoir: Reservoir,
    shape: Option<FrameShape>,
    /// The header says that the sound lasts until the file ends, wherever that is.
    is_endless: bool,
    trims_end: bool,
    n_samples_promised: Option<u64>,
    /// Samples that were decoded so far.
    position: u64,
    n_failures: usize,
    faults: Faults,
    interleaved: Vec<f32>,
    block: Vec<f32>,
    /// Where in `interleaved` the frames of the block lie, and how many channels they have.
    frames: (Range<usize>, usize),
    /// The block was decoded, but not yet handed out.
    is_pending: bool,
    is_finished: bool,
}

impl Decoder {
    /// Opens a file and decodes its first block.
    ///
    /// The content decides what the file is, whatever its name says. Something that is no regular file (a pipe) is read
    /// into memory first.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no sound that can be decoded.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.into(), source };
        let mut file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_file() {
            return Self::from_file(path, file);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        Self::from_bytes(path, bytes)
    }

    /// The same for a file that is open already; `path` is what it is called in messages.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no sound that can be decoded.
    pub fn from_file(path: &Path, file: File) -> Result<Self, Error> {
        Self::new(path, Box::new(file))
    }

    /// The same for a file in memory; `path` is what it is called in messages.
    ///
    /// # Errors
    /// If the bytes hold no sound that can be decoded.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::new(path, Box::new(Cursor::new(bytes)))
    }

    fn new(path: &Path, file: Box<dyn MediaSource>) -> Result<Self, Error> {
        let Sound { format, window, is_endless } = find_sound(path, file)?;
        let failed = |error| explain(path, format, error);
        let stream = MediaSourceStream::new(Box::new(window), Default::default());
        let reader = guarded(|| format.reader(stream)).map_err(failed)?;
        let track = reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio));
        let (track, params) =
            track.and_then(|track| Some((track, audio_params(track)?))).ok_or_else(|| {
                unsupported(path, format!("a {} file without an audio track; {UNDERSTOOD}", format.name()))
            })?;
        check_limits(
            path,
            format,
            params.sample_rate,
            params.channels.as_ref().map(|channels| channels.count()),
        )?;
        let codec = new_codec(format, params).map_err(failed)?;
        let source = Source {
            codec: codec.codec_info().short_name.into(),
            sample_rate: params.sample_rate.unwrap_or(0),
            n_channels: 0,
        };
        let mut decoder = Self {
            path: path.into(),
            source,
            format,
            track_id: track.id,
            reservoir: Reservoir::default(),
            shape: None,
            is_endless,
            trims_end: format != Format::Mpeg || track.padding.is_some(),
            n_samples_promised: n_samples_promised(format, track),
            pcm16: Pcm16::of(params),
            reader,
            codec,
            position: 0,
            n_failures: 0,
            faults: Faults::default(),
            interleaved: Vec::new(),
            block: Vec::new(),
            frames: (0..0, 0),
            is_pending: false,
            is_finished: false,
        };
        decoder.decode_first_block()?;
        Ok(decoder)
    }

    /// What the file says of itself.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// How many samples the header promises, where it promises a number of them.
    pub(super) fn n_samples_promised(&self) -> Option<u64> {
        self.n_samples_promised
    }

    /// Damage that was passed over so far.
    pub fn faults(&self) -> &[Fault] {
        self.faults.list()
    }

    /// Damage that was passed over, when there is nothing more to decode.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_list()
    }

    /// The next samples, or `None` at the end.
    ///
    /// # Shapes
    /// - returns: `[n_samples]`, mono, nominally in [-1, 1]; never empty
    ///
    /// # Errors
    /// If the operating system does not let the file be read any further. Damage is no error, but a [`Fault`].
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, Error> {
        if !self.is_pending && !self.decode_block()? {
            return Ok(None);
        }
        self.is_pending = false;
        Ok(Some(&self.block))
    }

    /// The same sound before it was mixed, of the block that was handed out last, and its number of channels; nothing
    /// where the block is silence in place of damage.
    ///
    /// # Shapes
    /// - returns: `[n_samples, n_channels]`, which may hold numbers beyond [-1, 1] and what is no number
    pub fn frames(&self) -> (&[f32], usize) {
        let (range, n_channels) = &self.frames;
        (&self.interleaved[range.clone()], *n_channels)
    }

    /// Decodes ahead: only now it is certain that the file is what it seems to be, and how many channels it has.
    fn decode_first_block(&mut self) -> Result<(), Error> {
        self.is_pending = self.decode_block()?;
        if self.is_pending && self.source.n_channels > 0 {
            return Ok(());
        }
        let reason = match self.faults.list().first() {
            Some(fault) => format!("no sound in it can be decoded: {}", fault.reason),
            None => "there is no sound behind its header".into(),
        };
        Err(malformed(&self.path, self.format, reason))
    }

    /// Decodes packets until one has samples; false at the end.
    fn decode_block(&mut self) -> Result<bool, Error> {
        while let Some(mut packet) = self.next_packet()? {
            if self.format == Format::Mpeg {
                self.prepare_mpeg_frame(&mut packet);
            }
            self.decode_packet(&packet)?;
            self.position += self.block.len() as u64;
            if !self.block.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next packet of the track, past damage; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        while !self.is_finished {
            match guarded(|| self.reader.next_packet()) {
                Ok(Some(packet)) => {
                    self.n_failures = 0;
                    if packet.track_id == self.track_id {
                        return Ok(Some(packet));
                    }
                }
                Ok(None) => self.finish(None),
                Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    self.finish((!self.is_endless).then(|| "the file ends in the middle".into()));
                }
                Err(SymphoniaError::IoError(source)) => {
                    return Err(Error::Io { path: self.path.clone(), source });
                }
                Err(SymphoniaError::ResetRequired) => self.restart(),
                Err(SymphoniaError::DecodeError(reason))
                    if self.n_failures < MAX_FAILURES && reason != PANICKED =>
                {
                    self.n_failures += 1;
                    self.faults.add(self.position, 0, reason);
                }
                Err(error) => self.finish(Some(format!("the rest was given up: {error}"))),
            }
        }
        Ok(None)
    }

    /// Notes what is missing at the end of the file.
    fn finish(&mut self, reason: Option<String>) {
        self.is_finished = true;
        let n_missing = self.n_samples_promised.map_or(0, |promised| promised.saturating_sub(self.position));
        match reason {
            Some(reason) => self.faults.end(self.position, n_missing, reason),
            None if n_missing > 0 => {
                self.faults.end(self.position, n_missing, "the file ends before its time".into())
            }
            None => {}
        }
    }

    /// Another stream follows in the same file (chained Ogg): goes on with it if it sounds alike.
    fn restart(&mut self) {
        let track = self.reader.default_track(TrackType::Audio).map(|track| (track.id, audio_params(track)));
        let Some((id, Some(params))) = track else {
            return self.finish(Some("another stream without sound follows".into()));
        };
        if params.sample_rate != Some(self.source.sample_rate) {
            return self.finish(Some("another stream with another sample rate follows".into()));
        }
        match new_codec(self.format, params) {
            Ok(codec) => {
                self.pcm16 = Pcm16::of(params);
                self.codec = codec;
                self.track_id = id;
                self.n_samples_promised = None;
            }
            Err(error) => self.finish(Some(format!("another stream follows: {error}"))),
        }
    }

    /// What Symphonia's MPEG decoder does not do by itself.
    fn prepare_mpeg_frame(&mut self, packet: &mut Packet) {
        // It accepts no change between mono and stereo, as there is where streams were joined: a new one does.
        let shape = FrameShape::of(&packet.data);
        if self.shape.is_some() && self.shape != shape && self.renew_codec() {
            self.reservoir.clear();
        }
        self.shape = shape;
        if self.reservoir.admit(&mut packet.data) && self.position > CUT {
            let reason = "the frame needs data of a frame that is missing";
            self.faults.add(self.position, packet.dur.get(), reason);
        }
    }

    fn renew_codec(&mut self) -> bool {
        let track = self.reader.tracks().iter().find(|track| track.id == self.track_id);
        let codec = track.and_then(audio_params).map(|params| new_codec(self.format, params));
        let Some(Ok(codec)) = codec else { return false };
        self.codec = codec;
        true
    }

    /// Decodes one packet into the block. A packet that cannot be decoded becomes silence of its length.
    fn decode_packet(&mut self, packet: &Packet) -> Result<(), Error> {
        self.block.clear();
        self.frames = (0..0, self.source.n_channels.into());
        let (sample_rate, n_channels) = match self.decode_frames(packet) {
            Ok(spec) => spec,
            Err(error) => {
                self.reservoir.clear();
                if matches!(error, SymphoniaError::DecodeError(PANICKED)) && !self.renew_codec() {
                    self.finish(Some(PANICKED.into()));
                }
                let n_silent = packet.dur.get().min(MAX_SILENCE);
                self.faults.add(self.position, n_silent, reason(&error));
                // Nothing was heard yet: there is nothing to keep in time with.
                if self.source.n_channels > 0 {
                    self.block.resize(n_silent as usize, 0.0);
                }
                return Ok(());
            }
        };
        self.settle(sample_rate, n_channels)?;
        if sample_rate != self.source.sample_rate {
            let n_silent = packet.dur.get().min(MAX_SILENCE);
            self.faults.add(self.position, n_silent, format!("the sample rate changes to {sample_rate} Hz"));
            self.block.resize(n_silent as usize, 0.0);
            return Ok(());
        }
        let n_channels = n_channels.max(1);
        let n_not_numbers = mono::mix(&self.interleaved, n_channels, &mut self.block);
        let start = if self.format == Format::Mpeg { self.trim(packet) } else { 0 };
        self.frames = (start * n_channels..(start + self.block.len()) * n_channels, n_channels);
        if n_not_numbers > 0 {
            self.faults.add(self.position, n_not_numbers, "samples that are no numbers");
        }
        Ok(())
    }

    /// Decodes one packet into interleaved frames; returns their sample rate and number of channels.
    fn decode_frames(&mut self, packet: &Packet) -> Result<(u32, usize), SymphoniaError> {
        if let Some(pcm16) = self.pcm16 {
            pcm16.read(&packet.data, &mut self.interleaved);
            return Ok((pcm16.sample_rate, pcm16.n_channels));
        }
        guarded(|| {
            let decoded = self.codec.decode(packet)?;
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            Ok((decoded.spec().rate(), decoded.spec().channels().count()))
        })
    }

    /// The first decoded packet tells what the header may have left open.
    fn settle(&mut self, sample_rate: u32, n_channels: usize) -> Result<(), Error> {
        if self.source.n_channels == 0 {
            check_limits(&self.path, self.format, Some(sample_rate), Some(n_channels))?;
            self.source.sample_rate = sample_rate;
            self.source.n_channels = n_channels as u16;
        }
        Ok(())
    }

    /// Cuts off what an MP3 encoder put before and behind the sound, as its LAME tag tells.
    ///
    /// Symphonia would also cut where it *estimates* the end from the bit rate; without a tag nothing is cut here.
    /// Returns how much was cut off at the beginning.
    fn trim(&mut self, packet: &Packet) -> usize {
        if self.trims_end {
            let end = self.block.len().saturating_sub(packet.trim_end.get() as usize);
            self.block.truncate(end);
        }
        let start = self.block.len().min(packet.trim_start.get() as usize);
        self.block.drain(..start);
        start
    }
}

/// What a file is, and the part of it that is sound.
pub(super) struct Sound {
    format: Format,
    window: Window,
    is_endless: bool,
}

pub(super) fn find_sound(path: &Path, file: Box<dyn MediaSource>) -> Result<Sound, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut window = Window::without_tags(file).map_err(io)?;
    let mut head = Vec::new();
    window.by_ref().take(SEARCH as u64).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() {
        let reason = if window.has_tags() { "a tag and nothing else" } else { "the file is empty" };
        return Err(unsupported(path, reason.into()));
    }
    match identify(&head, head.len() as u64 == window.size()) {
        Identity::Sound(format, offset) => {
            match format {
                Format::Wav => check_wav_channels(path, &head)?,
                Format::Caf if !is_caf_sound(&head, window.size()) => {
                    return Err(malformed(path, format, "its header claims more than the file holds".into()));
                }
                _ => {}
            }
            window.skip(offset as u64).map_err(io)?;
            Ok(Sound { format, window, is_endless: format == Format::Wav && is_endless_wav(&head) })
        }
        Identity::Other(what) => Err(unsupported(path, format!("{what}; {UNDERSTOOD}"))),
    }
}

/// How many samples the header promises, where that is exact: what is estimated from a bit rate, or counted in another
/// unit of time, is no promise.
fn n_samples_promised(format: Format, track: &Track) -> Option<u64> {
    match format {
        Format::Mpeg => track.padding.and(track.num_frames),
        Format::Wav | Format::Aiff | Format::SunAu | Format::Flac => track.num_frames,
        Format::Caf | Format::Ogg | Format::Mp4 | Format::Matroska | Format::Adts => None,
    }
}

fn audio_params(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref().and_then(CodecParameters::audio)
}

/// Codecs trim what does not belong to the sound, except of MPEG audio: see [`Decoder::trim`].
fn new_codec(format: Format, params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, SymphoniaError> {
    let options = AudioDecoderOptions::default().gapless(format != Format::Mpeg);
    guarded(|| symphonia::default::get_codecs().make_audio_decoder(params, &options))
}

fn check_limits(
    path: &Path,
    format: Format,
    rate: Option<u32>,
    n_channels: Option<usize>,
) -> Result<(), Error> {
    let too_large =
        |quantity, found, limit| Err(Error::TooLarge { path: path.into(), quantity, found, limit });
    match (rate, n_channels) {
        (Some(rate), _) if rate > MAX_SAMPLE_RATE => {
            too_large("sample rate", u64::from(rate), u64::from(MAX_SAMPLE_RATE))
        }
        (Some(rate), _) if rate < MIN_SAMPLE_RATE => {
            let reason = format!("a sample rate of {rate} Hz; at least {MIN_SAMPLE_RATE} Hz are expected");
            Err(malformed(path, format, reason))
        }
        (_, Some(n)) => check_channels(path, n),
        _ => Ok(()),
    }
}

/// Symphonia calls a wav with many channels malformed, without saying how many they are.
fn check_wav_channels(path: &Path, head: &[u8]) -> Result<(), Error> {
    const MOST: u16 = 18;
    let n_channels = wav_channels(head).unwrap_or(0);
    check_channels(path, usize::from(n_channels))?;
    if n_channels <= MOST {
        return Ok(());
    }
    Err(unsupported(path, format!("a wav file with {n_channels} channels; up to {MOST} are understood")))
}

fn check_channels(path: &Path, n_channels: usize) -> Result<(), Error> {
    if n_channels <= usize::from(MAX_CHANNELS) {
        return Ok(());
    }
    let (quantity, found, limit) = ("number of channels", n_channels as u64, u64::from(MAX_CHANNELS));
    Err(Error::TooLarge { path: path.into(), quantity, found, limit })
}
