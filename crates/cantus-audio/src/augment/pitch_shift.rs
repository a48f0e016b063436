//! Random pitch shift at constant tempo and length.
//!
//! The recording is time-stretched and resampled to its original length: resampling by `2^(semitones / 12)` multiplies
//! every frequency by that factor. The resampler needs a ratio of integers; the one that is used is less than 0.5 cents
//! from the factor over two octaves either way, where the audible difference is about 5 cents.
//!
//! # Reference
//! The method of `librosa.effects.pitch_shift`, with the phase vocoder of `time_stretch`.

use serde::{Deserialize, Serialize};

use super::default_probability;
use super::time_stretch::PhaseVocoder;
use crate::resample::resample;

/// Shifts the pitch by a number of semitones drawn uniformly from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PitchShift {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// Semitones, from -24 to 24.
    pub range: [f32; 2],
}

/// Shifts the pitch of a signal by `semitones`, which need not be whole. The length is unchanged.
pub fn shift(samples: &[f32], semitones: f32, vocoder: &mut PhaseVocoder) -> Vec<f32> {
    let (high, low) = ratio(2.0_f64.powf(f64::from(semitones) / 12.0));
    if high == low || samples.is_empty() {
        return samples.to_vec();
    }
    let n_stretched = (samples.len() as u64 * u64::from(high)).div_ceil(u64::from(low)) as usize;
    let stretched = vocoder.stretch_to(samples, n_stretched);
    let mut shifted = resample(&stretched, high, low);
    shifted.resize(samples.len(), 0.0);
    shifted
}

/// The ratio of integers nearest to `factor` among those without a prime factor above 17, whose FFTs are fast.
fn ratio(factor: f64) -> (u32, u32) {
    /// Relative error at which the search ends: a third of a cent.
    const TOLERANCE: f64 = 0.000_2;
    const LARGEST: u32 = 3000;
    let smooth = || (1..=LARGEST).filter(|&n| is_smooth(n));
    let mut best = (1, 1, f64::INFINITY);
    for low in smooth() {
        let exact = factor * f64::from(low);
        let nearest =
            (exact.floor() as u32..=exact.ceil() as u32).filter(|&high| high > 0 && is_smooth(high));
        for high in nearest {
            let error = (f64::from(high) / exact).ln().abs();
            if error < best.2 {
                best = (high, low, error);
            }
        }
        if best.2 < TOLERANCE {
            break;
        }
    }
    (best.0, best.1)
}

fn is_smooth(mut n: u32) -> bool {
    for prime in [2, 3, 5, 7, 11, 13, 17] {
        while n > 0 && n.is_multiple_of(prime) {
            n /= prime;
        }
    }
    n == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::test_tone::{measured_hz, tone};

    #[test]
    fn a4_is_shifted_by_the_requested_semitones() {
        let mut vocoder = PhaseVocoder::new(22_050);
        for (semitones, expected) in
            [(12.0, 880.0), (-5.0, 329.63), (0.5, 452.89), (-12.0, 220.0), (7.0, 659.26), (-0.3, 432.44)]
        {
            let samples = tone(440.0, 22_050, 66_150);
            let shifted = shift(&samples, semitones, &mut vocoder);
            assert_eq!(shifted.len(), samples.len());
            let found = measured_hz(&shifted[4096..62_000], 22_050);
            // Less than 2 cents.
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "{semitones} semitones: {found} Hz, not {expected}"
            );
        }
    }

    #[test]
    fn ratios_are_accurate_and_have_small_prime_factors() {
        for tenths in -240..=240 {
            let factor = 2.0_f64.powf(f64::from(tenths) / 120.0);
            let (high, low) = ratio(factor);
            let cents = 1200.0 * (f64::from(high) / f64::from(low) / factor).log2();
            assert!(
                cents.abs() < 0.5 && is_smooth(high) && is_smooth(low),
                "{tenths}: {high}/{low}, {cents}"
            );
        }
        assert_eq!((ratio(1.0), ratio(2.0), ratio(0.25)), ((1, 1), (2, 1), (1, 4)));
    }

    #[test]
    fn short_and_non_finite_signals_do_not_panic() {
        let mut vocoder = PhaseVocoder::new(22_050);
        for n in [0, 1, 2, 100, 5000] {
            for semitones in [-24.0, -0.01, 0.0, 3.3, 24.0] {
                for value in [0.0, 1.0, f32::NAN, f32::INFINITY] {
                    assert_eq!(shift(&vec![value; n], semitones, &mut vocoder).len(), n);
                }
            }
        }
    }
}
