//! Mel spectrogram of a whole recording at screen resolution, for the web page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cantus::Error;
use cantus_audio::Audio;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use serde::Serialize;

/// Approximate number of frames; the hop length follows from it.
const N_FRAMES: usize = 1000;
const N_MELS: usize = 96;
const N_FFT: usize = 2048;
/// Smallest hop length, in samples.
const MIN_HOP: usize = 256;
/// Dynamic range below the maximum, in dB.
const RANGE_DB: f32 = 80.0;

/// Log-mel spectrogram quantised to 8 bits: 0 is `range_db` below the maximum, 255 the maximum.
#[derive(Debug, Serialize)]
pub(crate) struct Spectrogram {
    n_frames: usize,
    n_bins: usize,
    /// Lowest and highest frequency of the mel filter bank, in Hz.
    f_min: f32,
    f_max: f32,
    range_db: f32,
    /// Bytes `[n_frames, n_bins]` in Base64.
    values: String,
}

impl Spectrogram {
    /// # Errors
    /// If the sample rate is too low for the number of mel bands.
    pub(crate) fn of(audio: &Audio) -> Result<Self, Error> {
        let n_samples = audio.samples.len();
        let spec = FeatureSpec {
            kinds: vec![FeatureKind::LogMel],
            sample_rate: audio.sample_rate,
            n_fft: N_FFT,
            hop_length: (n_samples / N_FRAMES).max(MIN_HOP),
            n_mels: N_MELS,
            top_db: Some(RANGE_DB),
            ..FeatureSpec::default()
        };
        let features = spec.extractor()?.extract(&audio.samples);
        let max_db = features.values.iter().copied().fold(f32::MIN, f32::max);
        let quantize = |db: &f32| (255.0 * (1.0 - (max_db - db) / RANGE_DB)).round() as u8; // saturates
        let bytes: Vec<u8> = features.values.iter().map(quantize).collect();
        Ok(Self {
            n_frames: bytes.len() / N_MELS,
            n_bins: N_MELS,
            f_min: spec.f_min,
            f_max: spec.f_max.unwrap_or(audio.sample_rate as f32 / 2.0),
            range_db: RANGE_DB,
            values: STANDARD.encode(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(n_samples: usize) -> Audio {
        let samples = (0..n_samples).map(|n| (n as f32 * n as f32 * 1e-6).sin() * 0.5).collect();
        Audio { samples, sample_rate: 22_050 }
    }

    #[test]
    fn the_maximum_of_a_rising_sine_sweep_rises() {
        let spectrogram = Spectrogram::of(&sweep(22_050 * 4)).unwrap();
        let bytes = STANDARD.decode(&spectrogram.values).unwrap();
        assert_eq!(bytes.len(), spectrogram.n_frames * spectrogram.n_bins);
        let strongest = |frame: usize| {
            let row = &bytes[frame * N_MELS..(frame + 1) * N_MELS];
            (0..N_MELS).max_by_key(|&bin| row[bin]).unwrap()
        };
        let (early, late) = (strongest(spectrogram.n_frames / 4), strongest(spectrogram.n_frames - 5));
        assert!(early < late, "{early} {late}");
        assert_eq!(bytes.iter().max(), Some(&255));
    }

    #[test]
    fn the_number_of_frames_does_not_grow_with_the_duration() {
        let spectrogram = Spectrogram::of(&sweep(22_050 * 60)).unwrap();
        assert!((N_FRAMES..N_FRAMES + 5).contains(&spectrogram.n_frames));
    }
}
