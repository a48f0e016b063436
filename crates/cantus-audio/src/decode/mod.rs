//! Decoding of audio files to mono [`Audio`].
//!
//! Formats: wav (also rf64, w64, rifx), aiff, caf, au, flac, mp3 (mp1, mp2), ogg vorbis, opus, m4a with aac or alac, adts,
//! mka and webm, identified by their content. Channels are averaged. A damaged frame is replaced by silence and reported as a [`DecodeWarning`].
//!
//! [`load`] decodes a whole file and resamples it. [`ResampledDecoder`] gives the same samples block by block, in memory
//! that does not depend on the length of the file; [`Decoder`] is the same at the file's own sample rate.

mod aiff_sizes;
mod caf_header;
mod catch_panic;
mod codec;
mod container_timing;
mod decoder;
mod downmix;
mod error_text;
mod file_type;
mod format;
mod frame_sync;
mod limits;
mod matroska_timing;
mod mp4_boxes;
mod mp4_timing;
mod mpeg;
mod opus;
mod pcm16;
mod play_range;
mod probe;
mod resampled_decoder;
mod sun_au;
mod tag_stripper;
mod track;
mod warning;
mod wave;

use std::path::Path;

pub use decoder::Decoder;
pub use limits::{MAX_CHANNELS, MAX_SAMPLE_RATE, MAX_SAMPLES, MIN_SAMPLE_RATE};
pub use resampled_decoder::ResampledDecoder;
pub use warning::{CHANNELS_CANCEL, DecodeWarning, NON_FINITE};

use crate::regular_file;
use crate::resample::Resampler;
use crate::{Audio, Error};

/// Limit on the samples for which memory is reserved by what a header declares (32 MiB), since headers can be wrong.
const MAX_RESERVED: u64 = 1 << 23;

/// A decoded file.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The samples, channels averaged.
    pub audio: Audio,
    /// Codec, sample rate and channels of the file.
    pub source: AudioSource,
    /// Damage in the file that was replaced by silence or skipped.
    pub warnings: Vec<DecodeWarning>,
}

/// Codec, sample rate and channels of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AudioSource {
    /// Codec, such as `mp3`, `flac` or `pcm_s16le`.
    pub codec: String,
    /// Sample rate in the file, in Hz.
    pub sample_rate: u32,
    /// Number of channels in the file.
    pub n_channels: u16,
}

/// Decodes a file and resamples it to `sample_rate`, as `librosa.load(path, sr=sample_rate)`.
///
/// # Errors
/// If the file cannot be read or decoded.
///
/// # Panics
/// If `sample_rate` is 0.
///
/// # Reference
/// Equals librosa 0.11: wav, flac and au bit for bit at their own rate, MP3 within 2e-6 (libsndfile with mpg123, same
/// alignment and length); for other rates see [`crate::resample`].
pub fn load(path: &Path, sample_rate: u32) -> Result<Recording, Error> {
    Ok(resampled(decode(path)?, sample_rate))
}

/// The first `duration_s` seconds of what [`load`] returns, or all if there is less, without decoding the rest.
///
/// Damage after them gives no warnings.
///
/// # Errors
/// If the file cannot be read or decoded.
///
/// # Panics
/// If `sample_rate` is 0.
pub fn load_start(path: &Path, sample_rate: u32, duration_s: f64) -> Result<Recording, Error> {
    let decoder = Decoder::open(path)?;
    let n_wanted = (duration_s * f64::from(sample_rate)).round() as usize;
    let n_needed = Resampler::new(decoder.source().sample_rate, sample_rate).n_in(n_wanted);
    let mut recording = resampled(collect(path, decoder, n_needed)?, sample_rate);
    recording.audio.samples.truncate(n_wanted);
    Ok(recording)
}

/// Decodes a file at its own sample rate.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn decode(path: &Path) -> Result<Recording, Error> {
    collect(path, Decoder::open(path)?, usize::MAX)
}

/// [`decode`] for the content of a file; `path` is used in errors only.
///
/// # Errors
/// If the bytes cannot be decoded.
pub fn decode_bytes(path: &Path, bytes: Vec<u8>) -> Result<Recording, Error> {
    collect(path, Decoder::from_bytes(path, bytes)?, usize::MAX)
}

/// Duration of a file in seconds, and its codec, sample rate and channels.
///
/// The duration is that of the header, if it declares an exact number of samples. Otherwise the file is decoded, up to
/// `max_s` seconds: a longer one is given as `max_s`.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn measure_duration(path: &Path, max_s: f64) -> Result<(f64, AudioSource), Error> {
    let mut decoder = Decoder::open(path)?;
    let source = decoder.source().clone();
    let sample_rate = f64::from(source.sample_rate);
    if let Some(n_samples) = decoder.n_samples_declared() {
        return Ok((n_samples as f64 / sample_rate, source));
    }
    let mut n_samples = 0;
    while (n_samples as f64) < max_s * sample_rate
        && let Some(block) = decoder.next_block()?
    {
        n_samples += block.len();
    }
    Ok(((n_samples as f64 / sample_rate).min(max_s), source))
}

/// Decodes until there are at least `n_needed` samples, or to the end.
fn collect(path: &Path, mut decoder: Decoder, n_needed: usize) -> Result<Recording, Error> {
    let n_declared = decoder.n_samples_declared().unwrap_or(0).min(MAX_RESERVED);
    let mut samples = Vec::with_capacity(n_needed.min(n_declared as usize));
    while samples.len() < n_needed
        && let Some(block) = decoder.next_block()?
    {
        append(path, &mut samples, block)?;
    }
    let source = decoder.source().clone();
    let audio = Audio { samples, sample_rate: source.sample_rate };
    Ok(Recording { audio, source, warnings: decoder.into_warnings() })
}

/// Whether a file is audio of a supported format, by its first bytes; false if it cannot be read.
#[must_use]
pub fn is_audio_file(path: &Path) -> bool {
    regular_file::open(path).is_ok_and(|file| probe::probe(path, Box::new(file)).is_ok())
}

/// Appends a block of the file `path` to the preceding samples.
///
/// # Errors
/// [`Error::TooLarge`] if there are more than [`MAX_SAMPLES`].
pub fn append(path: &Path, samples: &mut Vec<f32>, block: &[f32]) -> Result<(), Error> {
    limits::check_samples(path, samples.len() as u64 + block.len() as u64)?;
    samples.extend_from_slice(block);
    Ok(())
}

fn resampled(mut recording: Recording, sample_rate: u32) -> Recording {
    if let Some(resampler) = Resampler::if_needed(recording.audio.sample_rate, sample_rate) {
        recording.audio = Audio { samples: resampler.process(&recording.audio.samples), sample_rate };
    }
    recording
}
