//! Pitch shift: the same music higher or lower, at the same tempo.
//!
//! The recording is stretched (`time_stretch`) and then played at another speed, by which it is as long as it was again:
//! resampling by `2^(semitones / 12)` moves every frequency by that factor. A ratio of whole numbers stands for the
//! factor, since the resampler takes ratios; it is less than half a cent away over two octaves either way, where ears tell 5.
//!
//! # Reference
//! librosa's `effects.pitch_shift` does the same with its plain phase vocoder.

use serde::{Deserialize, Serialize};

use super::always;
use super::time_stretch::Stretcher;
use crate::resample::resample;

/// Moves the pitch by a number of semitones drawn from `range`, fractions too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PitchShift {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
    /// Semitones, from -24 to 24.
    pub range: [f32; 2],
}

/// Moves the pitch of a signal by `semitones`; its length stays.
pub fn shift(samples: &[f32], semitones: f32, stretcher: &mut Stretcher) -> Vec<f32> {
    let (high, low) = ratio(2.0_f64.powf(f64::from(semitones) / 12.0));
    if high == low || samples.is_empty() {
        return samples.to_vec();
    }
    let n_stretched = (samples.len() as u64 * u64::from(high)).div_ceil(u64::from(low)) as usize;
    let stretched = stretcher.stretch_to(samples, n_stretched);
    let mut shifted = resample(&stretched, high, low);
    shifted.resize(samples.len(), 0.0);
    shifted
}

/// The ratio of whole numbers that is next to `factor`, among those without a prime factor above 17, so that
/// transforms of these lengths are fast.
fn ratio(factor: f64) -> (u32, u32) {
    /// A third of a cent; the search ends there.
    const NEAR_ENOUGH: f64 = 0.000_2;
    const LARGEST: u32 = 3000;
    let smooth = || (1..=LARGEST).filter(|&n| is_smooth(n));
    let mut best = (1, 1, f64::INFINITY);
    for low in smooth() {
        let exact = factor * f64::from(low);
        let nearest =
            (exact.floor() as u32..=exact.ceil() as u32).filter(|&high| high > 0 && is_smooth(high));
        for high in nearest {
            let away = (f64::from(high) / exact).ln().abs();
            if away < best.2 {
                best = (high, low, away);
            }
        }
        if best.2 < NEAR_ENOUGH {
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
    use crate::augment::pitch::{measured_hz, tone};

    #[test]
    fn a4_moves_by_the_semitones_asked_for() {
        let mut stretcher = Stretcher::new(22_050);
        for (semitones, expected) in
            [(12.0, 880.0), (-5.0, 329.63), (0.5, 452.89), (-12.0, 220.0), (7.0, 659.26), (-0.3, 432.44)]
        {
            let samples = tone(440.0, 22_050, 66_150);
            let shifted = shift(&samples, semitones, &mut stretcher);
            assert_eq!(shifted.len(), samples.len());
            let found = measured_hz(&shifted[4096..62_000], 22_050);
            // A hundredth was asked for; a thousandth is less than two cents.
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "{semitones} semitones: {found} Hz, not {expected}"
            );
        }
    }

    #[test]
    fn ratios_are_near_and_made_of_small_primes() {
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
    fn no_signal_is_too_short_or_too_broken() {
        let mut stretcher = Stretcher::new(22_050);
        for n in [0, 1, 2, 100, 5000] {
            for semitones in [-24.0, -0.01, 0.0, 3.3, 24.0] {
                for value in [0.0, 1.0, f32::NAN, f32::INFINITY] {
                    assert_eq!(shift(&vec![value; n], semitones, &mut stretcher).len(), n);
                }
            }
        }
    }
}
