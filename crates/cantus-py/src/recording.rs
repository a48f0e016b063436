//! Recordings that Python passes: a path, the content of a file, or samples.

use std::path::{Path, PathBuf};

use cantus_audio::Audio;
use cantus_audio::decode::{self, Decoder, Recording as Decoded};
use cantus_audio::resample::resample;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::arrays;
use crate::errors::{Failure, value_error};

/// A recording.
pub enum Recording {
    /// A file.
    File(PathBuf),
    /// The content of a file, and its name for messages.
    Bytes(PathBuf, PyBackedBytes),
    /// Mono samples, and a name for messages.
    Samples(PathBuf, Audio),
}

/// A recording as Python passes it.
#[derive(FromPyObject)]
pub enum Argument<'py> {
    /// Name, samples, sample rate in Hz.
    Samples(String, Bound<'py, PyAny>, u32),
    /// Name, content of the file.
    Bytes(String, PyBackedBytes),
    /// Path.
    File(PathBuf),
}

impl Argument<'_> {
    /// The recording, with samples copied, so that no other thread changes them.
    ///
    /// # Errors
    /// If the samples are not a finite signal, or the sample rate is 0.
    pub fn recording(self) -> PyResult<Recording> {
        Ok(match self {
            Self::File(path) => Recording::File(path),
            Self::Bytes(name, bytes) => Recording::Bytes(name.into(), bytes),
            Self::Samples(name, _, 0) => return Err(value_error(format!("{name}: sample rate 0"))),
            Self::Samples(name, samples, sample_rate) => {
                let samples = arrays::signal(&samples, &name)?.values;
                Recording::Samples(name.into(), Audio { samples, sample_rate })
            }
        })
    }
}

impl Recording {
    /// The path or name, for messages.
    pub fn name(&self) -> &Path {
        match self {
            Self::File(path) | Self::Bytes(path, _) | Self::Samples(path, _) => path,
        }
    }

    /// A decoder; `None` for samples in memory.
    ///
    /// # Errors
    /// If the file cannot be read, or is not audio.
    pub fn decoder(&self) -> Result<Option<Decoder>, Failure> {
        Ok(match self {
            Self::File(path) => Some(Decoder::open(path)?),
            Self::Bytes(name, bytes) => Some(Decoder::from_bytes(name, bytes.to_vec())?),
            Self::Samples(..) => None,
        })
    }

    /// The samples at a sample rate, in Hz, with the warnings of the decoder.
    ///
    /// # Errors
    /// If the recording cannot be decoded.
    pub fn load(&self, sample_rate: u32) -> Result<(Audio, Vec<decode::DecodeWarning>), Failure> {
        let (audio, warnings) = match self {
            Self::File(path) => into_parts(decode::load(path, sample_rate)?),
            Self::Bytes(name, bytes) => into_parts(decode::decode_bytes(name, bytes.to_vec())?),
            Self::Samples(_, audio) => (audio.clone(), Vec::new()),
        };
        if audio.sample_rate == sample_rate {
            return Ok((audio, warnings));
        }
        let samples = resample(&audio.samples, audio.sample_rate, sample_rate);
        Ok((Audio { samples, sample_rate }, warnings))
    }
}

fn into_parts(recording: Decoded) -> (Audio, Vec<decode::DecodeWarning>) {
    (recording.audio, recording.warnings)
}
