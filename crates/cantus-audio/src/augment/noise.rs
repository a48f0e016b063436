//! Additive white, pink or recorded noise at a random signal-to-noise ratio.
//!
//! The ratio is that of the mean powers over the whole signal, `10 log₁₀(P_signal / P_noise)`; it is exact, since the noise
//! is scaled by its measured power. A silent signal is left unchanged.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

use super::default_probability;
use crate::noise::{pink, white};

/// Adds noise at a signal-to-noise ratio drawn from `range`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// `white`, `pink`, or the path of a recording or a folder of recordings, from which an excerpt is drawn.
    pub source: String,
    /// Signal-to-noise ratio in dB, from -100 to 100.
    pub range: [f32; 2],
}

/// A source of noise.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NoiseSource {
    /// Equal power at all frequencies.
    White,
    /// Equal power in all octaves.
    Pink,
    /// Excerpts of recordings at the signal's sample rate; a recording shorter than the signal is repeated.
    Recordings(Vec<Vec<f32>>),
}

impl NoiseSource {
    /// `n` samples of noise, not normalised.
    pub(super) fn draw(&self, n: usize, rng: &mut KeyedRng) -> Vec<f32> {
        match self {
            Self::White => white(n, rng),
            Self::Pink => pink(n, rng),
            Self::Recordings(recordings) => excerpt(recordings, n, rng),
        }
    }
}

/// Adds noise such that the signal-to-noise ratio is `snr_db`.
pub(super) fn add(samples: &mut [f32], source: &NoiseSource, snr_db: f32, rng: &mut KeyedRng) {
    let noise = source.draw(samples.len(), rng);
    let ratio = power(samples) / power(&noise) / 10.0_f64.powf(f64::from(snr_db) / 10.0);
    let gain = ratio.sqrt() as f32;
    if gain.is_finite() {
        samples.iter_mut().zip(&noise).for_each(|(sample, noise)| *sample += gain * noise);
    }
}

/// Mean square.
fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64
}

/// A random excerpt of one of the recordings, repeated from its start if it is shorter than `n`.
fn excerpt(recordings: &[Vec<f32>], n: usize, rng: &mut KeyedRng) -> Vec<f32> {
    let (recording, position) = (rng.choose(recordings), rng.uniform());
    match recording {
        Some(recording) if !recording.is_empty() => {
            // A long enough recording is not repeated.
            let n_positions = if recording.len() > n { recording.len() - n + 1 } else { recording.len() };
            let first = (position * n_positions as f64) as usize;
            recording.iter().cycle().skip(first).take(n).copied().collect()
        }
        _ => vec![0.0; n],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::fourier::RealFft;

    fn tone(n: usize) -> Vec<f32> {
        (0..n).map(|i| 0.3 * (i as f32 * 0.05).sin()).collect()
    }

    #[test]
    fn the_measured_ratio_equals_the_requested_one() {
        let rain = NoiseSource::Recordings(vec![
            vec![0.5, -0.25, 0.1],
            (0..30_000).map(|i| (i as f32).cos()).collect(),
        ]);
        for source in [NoiseSource::White, NoiseSource::Pink, rain] {
            for snr_db in [-5.0, 0.0, 3.0, 20.0, 40.0] {
                let clean = tone(22_050);
                let mut noisy = clean.clone();
                add(&mut noisy, &source, snr_db, &mut KeyedRng::new([1, 2, 3, 4]));
                let noise: Vec<f32> = noisy.iter().zip(&clean).map(|(noisy, clean)| noisy - clean).collect();
                let measured = 10.0 * (power(&clean) / power(&noise)).log10();
                assert!((measured - f64::from(snr_db)).abs() < 0.01, "{source:?}: {measured}, not {snr_db}");
            }
        }
    }

    /// Power in each octave from 86 Hz on, in dB, at 22 050 Hz.
    fn octaves(source: &NoiseSource) -> Vec<f64> {
        let mut fft = RealFft::new(2048);
        let mut sums = [0.0; 1025];
        let mut rng = KeyedRng::new([5, 0, 0, 0]);
        let mut spectrum = vec![Default::default(); 1025];
        for frame in source.draw(2048 * 200, &mut rng).chunks_exact_mut(2048) {
            fft.forward(frame, &mut spectrum);
            sums.iter_mut().zip(&spectrum).for_each(|(sum, bin)| *sum += f64::from(bin.norm_sqr()));
        }
        (3..9).map(|octave| 10.0 * sums[1 << octave..2 << octave].iter().sum::<f64>().log10()).collect()
    }

    #[test]
    fn octave_power_rises_by_3_db_for_white_noise_and_is_constant_for_pink_noise() {
        let steps = |source| octaves(&source).windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        assert!(steps(NoiseSource::White).iter().all(|step| (step - 3.01).abs() < 0.3));
        let pink = steps(NoiseSource::Pink);
        assert!(pink.iter().all(|step| step.abs() < 0.6), "{pink:?}");
    }

    #[test]
    fn an_excerpt_is_contiguous_and_repeated_only_if_the_recording_is_too_short() {
        let long: Vec<f32> = (0..100_u8).map(f32::from).collect();
        for i in 0..50 {
            let found = excerpt(std::slice::from_ref(&long), 60, &mut KeyedRng::new([i, 0, 0, 0]));
            assert!(found.windows(2).all(|pair| pair[1] == pair[0] + 1.0), "{found:?}");
        }
        let found = excerpt(&[vec![1.0, 2.0, 3.0]], 7, &mut KeyedRng::new([1, 0, 0, 0]));
        assert!(found.windows(2).all(|pair| pair[1] == pair[0] % 3.0 + 1.0), "{found:?}");
        assert_eq!(excerpt(&[], 2, &mut KeyedRng::new([0; 4])), [0.0; 2]);
        assert_eq!(excerpt(&[vec![]], 2, &mut KeyedRng::new([0; 4])), [0.0; 2]);
    }

    #[test]
    fn silent_signals_and_silent_noise_change_nothing() {
        let mut silence = vec![0.0; 100];
        add(&mut silence, &NoiseSource::White, 10.0, &mut KeyedRng::new([0; 4]));
        assert!(silence.iter().all(|sample| *sample == 0.0));
        let mut signal = tone(100);
        add(&mut signal, &NoiseSource::Recordings(vec![vec![0.0; 10]]), 10.0, &mut KeyedRng::new([0; 4]));
        assert_eq!(signal, tone(100));
    }
}
