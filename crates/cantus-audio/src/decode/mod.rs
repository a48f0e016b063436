//! Any audio file → mono [`Audio`].

use std::path::Path;

use crate::{Audio, Error};

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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// Codec, such as `mp3`, `flac` or `pcm_s16le`.
    pub codec: String,
    /// Sample rate in the file, in Hz.
    pub sample_rate: u32,
    /// Number of channels in the file.
    pub n_channels: u16,
}

/// Damage inside a file that cost less than the file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where, in samples at the file's own rate.
    pub position: u64,
    /// What was wrong there.
    pub reason: String,
}

/// Decodes a file and resamples it to `sample_rate`, as `librosa.load(path, sr=sample_rate)` does.
///
/// # Errors
/// If the file cannot be read, or holds no sound that Cantus can decode.
pub fn load(path: &Path, sample_rate: u32) -> Result<Recording, Error> {
    let _ = (path, sample_rate);
    todo!()
}
