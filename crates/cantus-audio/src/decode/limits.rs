//! Limits on the sample rate, the number of channels and the length of a recording.

use std::path::Path;

use super::error_text::malformed;
use super::format::Format;
use crate::Error;

/// Largest number of channels.
pub const MAX_CHANNELS: u16 = 64;
/// Highest sample rate, in Hz.
pub const MAX_SAMPLE_RATE: u32 = 768_000;
/// Lowest sample rate, in Hz.
pub const MIN_SAMPLE_RATE: u32 = 1_000;
/// Largest number of samples of a recording that is decoded to memory as a whole: 6.7 hours at 44.1 kHz, 4 GiB. A
/// [`Decoder`](super::Decoder) has no such limit.
pub const MAX_SAMPLES: u64 = 1 << 30;

pub(super) fn check_limits(
    path: &Path,
    format: Format,
    sample_rate: Option<u32>,
    n_channels: Option<usize>,
) -> Result<(), Error> {
    match (sample_rate, n_channels) {
        (Some(rate), _) if rate > MAX_SAMPLE_RATE => {
            Err(too_large(path, "sample rate", u64::from(rate), u64::from(MAX_SAMPLE_RATE)))
        }
        (Some(rate), _) if rate < MIN_SAMPLE_RATE => {
            let reason = format!("the sample rate is {rate} Hz, below the limit of {MIN_SAMPLE_RATE} Hz");
            Err(malformed(path, format, reason))
        }
        (_, Some(n)) => check_channels(path, n),
        _ => Ok(()),
    }
}

/// Checks the length of a recording in memory.
pub(super) fn check_samples(path: &Path, n_samples: u64) -> Result<(), Error> {
    if n_samples <= MAX_SAMPLES {
        Ok(())
    } else {
        Err(too_large(path, "number of samples", n_samples, MAX_SAMPLES))
    }
}

fn check_channels(path: &Path, n_channels: usize) -> Result<(), Error> {
    if n_channels <= usize::from(MAX_CHANNELS) {
        return Ok(());
    }
    Err(too_large(path, "number of channels", n_channels as u64, u64::from(MAX_CHANNELS)))
}

fn too_large(path: &Path, quantity: &'static str, found: u64, limit: u64) -> Error {
    Error::TooLarge { path: path.into(), quantity, found, limit }
}
