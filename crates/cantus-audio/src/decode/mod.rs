//! Any audio file → mono [`Audio`].
//!
//! The formats are wav, aiff, caf, au, flac, mp3 (and mp1, mp2), ogg vorbis, m4a with aac or alac, adts and mka. The
//! content decides which one it is, never the name. Channels are averaged. A damaged frame costs that frame, not the
//! file, and is told as a [`Fault`].
//!
//! [`load`] is what everyone wants: the whole file at the wanted rate. [`Stream`] gives the same block by block, for files
//! that do not fit into memory; [`Decoder`] is below both, at the file's own rate.

mod decoder;
mod explain;
mod fault;
mod format;
mod guard;
mod mono;
mod pcm;
mod reservoir;
mod stream;
mod sun_au;
mod sync;
mod window;

use std::path::Path;

pub use decoder::Decoder;
pub use fault::Fault;
pub use stream::Stream;

use crate::resample::{Resampler, resample};
use crate::{Audio, Error};

/// Most channels that a recording may have.
pub const MAX_CHANNELS: u16 = 64;
/// Highest sample rate that a recording may have, in Hz.
pub const MAX_SAMPLE_RATE: u32 = 768_000;
/// Lowest sample rate that a recording may have, in Hz.
pub const MIN_SAMPLE_RATE: u32 = 1_000;
/// Most samples that a whole recording in memory may have: 6.7 hours at 44.1 kHz, 4 GiB. A [`Decoder`] has no such limit.
pub const MAX_SAMPLES: u64 = 1 << 30;

/// Most samples for which room is made because a header promises them (32 MiB): it may promise anything.
const MOST_PROMISED: u64 = 1 << 23;

/// A decoded file: its sound, where it came from, and what was wrong with it.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The sound, mixed to mono by averaging the channels.
    pub audio: Audio,
    /// What the file said of itself.
    pub source: Source,
    /// Damage that was passed over: the sound is there without it.
    pub faults: Vec<Fault>,
}

/// How a file holds its sound.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// Codec, such as `mp3`, `flac` or `pcm_s16le`.
    pub codec: String,
    /// Sample rate in the file, in Hz.
    pub sample_rate: u32,
    /// Number of channels in the file.
    pub n_channels: u16,
}

/// Decodes a file and resamples it to `sample_rate`, as `librosa.load(path, sr=sample_rate)` does.
///
/// # Errors
/// If the file cannot be read, or holds no sound that Cantus can decode.
///
/// # Panics
/// If `sample_rate` is 0.
///
/// # Reference
/// Equals librosa 0.11: wav, flac and au to the last bit at their own rate, MP3 within 2e-6 (libsndfile with mpg123, the
/// same alignment and length); for other rates see [`crate::resample`].
pub fn load(path: &Path, sample_rate: u32) -> Result<Recording, Error> {
    Ok(resampled(decode(path)?, sample_rate))
}

/// The first `duration_s` seconds of what [`load`] gives, or all if there is less, without decoding the rest.
///
/// Faults behind them remain unseen.
///
/// # Errors
/// If the file cannot be read, or holds no sound that Cantus can decode.
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
/// If the file cannot be read, or holds no sound that Cantus can decode.
pub fn decode(path: &Path) -> Result<Recording, Error> {
    collect(path, Decoder::open(path)?, usize::MAX)
}

/// Decodes a file that is in memory already; `path` is what it is called in messages.
///
/// # Errors
/// If the bytes hold no sound that Cantus can decode.
pub fn decode_bytes(path: &Path, bytes: Vec<u8>) -> Result<Recording, Error> {
    collect(path, Decoder::from_bytes(path, bytes)?, usize::MAX)
}

/// Decodes until there are `n_needed` samples at least, or no more.
fn collect(path: &Path, mut decoder: Decoder, n_needed: usize) -> Result<Recording, Error> {
    let n_promised = decoder.n_samples_promised().unwrap_or(0).min(MOST_PROMISED);
    let mut samples = Vec::with_capacity(n_needed.min(n_promised as usize));
    while samples.len() < n_needed
        && let Some(block) = decoder.next_block()?
    {
        append(path, &mut samples, block)?;
    }
    let source = decoder.source().clone();
    let audio = Audio { samples, sample_rate: source.sample_rate };
    Ok(Recording { audio, source, faults: decoder.into_faults() })
}

/// Whether a file holds sound of a format that is understood, by its first bytes; what cannot be read does not.
#[must_use]
pub fn is_sound(path: &Path) -> bool {
    std::fs::File::open(path).is_ok_and(|file| decoder::find_sound(path, Box::new(file)).is_ok())
}

/// Adds a block of the file `path` to those before it.
///
/// # Errors
/// If the whole is longer than [`MAX_SAMPLES`].
pub fn append(path: &Path, samples: &mut Vec<f32>, block: &[f32]) -> Result<(), Error> {
    let found = samples.len() as u64 + block.len() as u64;
    if found > MAX_SAMPLES {
        let quantity = "number of samples";
        return Err(Error::TooLarge { path: path.into(), quantity, found, limit: MAX_SAMPLES });
    }
    samples.extend_from_slice(block);
    Ok(())
}

fn resampled(mut recording: Recording, sample_rate: u32) -> Recording {
    let Audio { samples, sample_rate: own_rate } = &recording.audio;
    if *own_rate != sample_rate {
        recording.audio = Audio { samples: resample(samples, *own_rate, sample_rate), sample_rate };
    }
    recording
}
