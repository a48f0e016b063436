//! A recording at a glance: its waveform and its spectrogram, as small as a screen needs them.
//!
//! The page draws what the server heard, and not what the browser may or may not be able to decode.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cantus_audio::Audio;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use serde::Serialize;

use cantus::Error;

/// Most columns of either picture: more than most screens show of them.
const N_COLUMNS: usize = 1000;
/// Mel bands of the spectrogram.
const N_MELS: usize = 96;
/// Samples that a frame hears.
const N_FFT: usize = 2048;
/// Least distance of frames, in samples.
const LEAST_HOP: usize = 256;
/// How far below the loudest value the picture goes, in dB.
const RANGE_DB: f32 = 80.0;

/// A waveform and a spectrogram of the whole recording.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    waveform: Waveform,
    spectrogram: Spectrogram,
}

/// The least and the greatest sample of each of so many equal stretches of time.
#[derive(Debug, Serialize)]
struct Waveform {
    min: Vec<f32>,
    max: Vec<f32>,
}

/// Mel bands in decibels, from `range_db` below the loudest (0) to the loudest (255).
#[derive(Debug, Serialize)]
struct Spectrogram {
    n_frames: usize,
    n_bins: usize,
    f_min: f32,
    f_max: f32,
    range_db: f32,
    /// Base64 of bytes, `[n_frames, n_bins]`.
    values: String,
}

impl Overview {
    /// # Errors
    /// If the sample rate is too low for so many mel bands.
    pub(super) fn of(audio: &Audio) -> Result<Self, Error> {
        Ok(Self { waveform: Waveform::of(&audio.samples), spectrogram: Spectrogram::of(audio)? })
    }
}

impl Waveform {
    fn of(samples: &[f32]) -> Self {
        let n_columns = samples.len().min(N_COLUMNS);
        let column = |i: usize| {
            let of_column = &samples[i * samples.len() / n_columns..(i + 1) * samples.len() / n_columns];
            let fold = |from: f32, pick: fn(f32, f32) -> f32| of_column.iter().copied().fold(from, pick);
            // Three decimals are finer than a pixel.
            [fold(f32::MAX, f32::min), fold(f32::MIN, f32::max)]
                .map(|value| (value * 1000.0).round() / 1000.0)
        };
        let (min, max) = (0..n_columns).map(column).map(|[min, max]| (min, max)).unzip();
        Self { min, max }
    }
}

impl Spectrogram {
    fn of(audio: &Audio) -> Result<Self, Error> {
        let n_samples = audio.samples.len();
        let spec = FeatureSpec {
            kinds: vec![FeatureKind::LogMel],
            sample_rate: audio.sample_rate,
            n_fft: N_FFT,
            hop_length: (n_samples / N_COLUMNS).max(LEAST_HOP),
            n_mels: N_MELS,
            top_db: Some(RANGE_DB),
            ..FeatureSpec::default()
        };
        let features = spec.extractor()?.extract(&audio.samples);
        let loudest = features.values.iter().copied().fold(f32::MIN, f32::max);
        let byte = |db: &f32| (255.0 * (1.0 - (loudest - db) / RANGE_DB)).round() as u8; // saturates
        let bytes: Vec<u8> = features.values.iter().map(byte).collect();
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
    fn a_waveform_has_the_extremes_of_each_stretch() {
        let mut samples = vec![0.0; 10_000];
        samples[5005] = 0.75;
        samples[5009] = -0.25;
        let waveform = Waveform::of(&samples);
        assert_eq!((waveform.min.len(), waveform.max[500], waveform.min[500]), (N_COLUMNS, 0.75, -0.25));
        assert!(waveform.max.iter().enumerate().all(|(i, &max)| i == 500 || max == 0.0));
        assert_eq!(Waveform::of(&samples[5000..5006]).max, [0.0, 0.0, 0.0, 0.0, 0.0, 0.75]);
    }

    #[test]
    fn the_spectrogram_of_a_rising_tone_rises() {
        let overview = Overview::of(&sweep(22_050 * 4)).unwrap().spectrogram;
        let bytes = STANDARD.decode(&overview.values).unwrap();
        assert_eq!(bytes.len(), overview.n_frames * overview.n_bins);
        let strongest = |frame: usize| {
            let row = &bytes[frame * N_MELS..(frame + 1) * N_MELS];
            (0..N_MELS).max_by_key(|&bin| row[bin]).unwrap()
        };
        let (early, late) = (strongest(overview.n_frames / 4), strongest(overview.n_frames - 5));
        assert!(early < late, "{early} {late}");
        assert_eq!(bytes.iter().max(), Some(&255));
    }

    #[test]
    fn an_hour_takes_no_more_columns_than_a_screen_has() {
        let overview = Overview::of(&sweep(22_050 * 60)).unwrap();
        assert_eq!(overview.waveform.min.len(), N_COLUMNS);
        assert!((N_COLUMNS..N_COLUMNS + 5).contains(&overview.spectrogram.n_frames));
    }
}
