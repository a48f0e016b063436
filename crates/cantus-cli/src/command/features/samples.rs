//! The samples of a whole recording, in memory up to a limit.
//!
//! Most kinds need the whole recording at once: decibels are relative to its maximum, tuning and tempo are estimated from all of it.

use std::path::Path;

use anyhow::ensure;
use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};

/// Most samples of a recording: 1 GiB, 3 h 22 min at 22,050 Hz.
const MAX_SAMPLES: usize = 1 << 28;

/// Decodes and resamples a recording block by block, so that the file's own samples are never in memory as a whole.
///
/// # Errors
/// If it cannot be decoded, or is longer than the limit.
pub fn load(path: &Path, sample_rate: u32) -> anyhow::Result<(Vec<f32>, Vec<DecodeWarning>)> {
    load_at_most(path, sample_rate, MAX_SAMPLES)
}

fn load_at_most(
    path: &Path,
    sample_rate: u32,
    max_samples: usize,
) -> anyhow::Result<(Vec<f32>, Vec<DecodeWarning>)> {
    let mut stream = ResampledDecoder::new(Decoder::open(path)?, sample_rate);
    let mut samples = Vec::new();
    while let Some(block) = stream.next_block()? {
        ensure!(
            samples.len() + block.len() <= max_samples,
            "longer than {:.0} s, the limit for features of a whole recording at {sample_rate} Hz; cut it, lower --sample-rate, or use `cantus extract`, which computes segments",
            max_samples as f64 / f64::from(sample_rate)
        );
        samples.extend_from_slice(block);
    }
    Ok((samples, stream.into_warnings()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_audio::{Audio, decode, write_wav};

    #[test]
    fn blocks_give_the_samples_of_the_whole_recording_and_a_longer_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tone.wav");
        let samples = (0..200_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        write_wav(&path, &Audio { samples, sample_rate: 44_100 }).unwrap();
        for sample_rate in [44_100, 22_050] {
            let whole = decode::load(&path, sample_rate).unwrap().audio.samples;
            assert_eq!(load(&path, sample_rate).unwrap().0, whole);
            assert!(load_at_most(&path, sample_rate, whole.len()).is_ok());
            let error = load_at_most(&path, sample_rate, whole.len() - 1).unwrap_err().to_string();
            assert!(error.contains("the limit") && error.lines().count() == 1, "{error}");
        }
    }
}
