//! Mains hum: a tone of 50 Hz with harmonics.
//!
//! The amplitude of harmonic k is 1/k times a random factor, as in the buzz of rectifiers; the phases are random.

use std::f64::consts::TAU;

use cantus_random::KeyedRng;

/// Frequency of the mains in most countries, in Hz.
const MAINS_HZ: u32 = 50;
/// The highest harmonic at most: 1 kHz.
const MAX_HARMONICS: usize = 20;

/// The hum of a drawn number of harmonics, 2 to 20, below the Nyquist frequency; not normalised.
pub(crate) fn hum(n: usize, sample_rate: u32, rng: &mut KeyedRng) -> Vec<f32> {
    let sample_rate = sample_rate.max(1);
    let n_harmonics = 2 + rng.below(MAX_HARMONICS - 1);
    let waves: Vec<(u32, f64, f64)> = (1..)
        .take(n_harmonics)
        .map(|k| (k, (0.25 + 0.75 * rng.uniform()) / f64::from(k), TAU * rng.uniform()))
        .filter(|(k, ..)| 2 * k * MAINS_HZ < sample_rate)
        .collect();
    // The samples repeat after this many: a whole number of periods.
    let period = sample_rate / greatest_common_divisor(sample_rate, MAINS_HZ);
    let at = |i: u32| {
        let cycles = f64::from(i) * f64::from(MAINS_HZ) / f64::from(sample_rate);
        let wave = |&(k, amplitude, phase): &(u32, f64, f64)| {
            amplitude * (TAU * (f64::from(k) * cycles).fract() + phase).sin()
        };
        waves.iter().map(wave).sum::<f64>() as f32
    };
    let period: Vec<f32> = (0..period).map(at).collect();
    period.into_iter().cycle().take(n).collect()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
