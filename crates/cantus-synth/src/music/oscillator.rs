//! Oscillators: band-limited saw and pulse waves, phase accumulator, noise.
//!
//! Phases run from 0 to 1. The edges of saw and pulse are rounded by PolyBLEP (Välimäki & Huovilainen 2007), which
//! takes most of the aliasing out of them at a few operations a sample.

use cantus_random::{bits, key};

/// The phase of an oscillator, in cycles.
pub(super) struct Phasor(f32);

impl Phasor {
    pub fn new(phase: f32) -> Phasor {
        Phasor(phase)
    }

    /// The phase now, in [0, 1); then onward by `step` = frequency / sample rate, at most 0.5.
    pub fn advance(&mut self, step: f32) -> f32 {
        let phase = self.0;
        self.0 += step.min(0.5);
        if self.0 >= 1.0 {
            self.0 -= 1.0;
        }
        phase
    }
}

/// A falling saw, all harmonics.
pub(super) fn saw(phase: f32, step: f32) -> f32 {
    1.0 - 2.0 * phase + blep(phase, step)
}

/// A pulse that is high for `width` of its cycle, without its DC part; 0.5 is the square.
pub(super) fn pulse(phase: f32, step: f32, width: f32) -> f32 {
    let late = if phase < width { phase + 1.0 - width } else { phase - width };
    0.5 * (saw(phase, step) - saw(late, step))
}

/// What turns a jump of +2 at phase 0 into a smooth step two samples wide.
fn blep(phase: f32, step: f32) -> f32 {
    if phase < step {
        let t = phase / step - 1.0;
        -t * t
    } else if phase > 1.0 - step {
        let t = (phase - 1.0) / step + 1.0;
        t * t
    } else {
        0.0
    }
}

/// The first harmonics with these amplitudes, by Clenshaw's recurrence: one sine pair, however many harmonics.
pub(super) fn harmonics(phase: f32, amplitudes: &[f32]) -> f32 {
    use super::elementary::sine;
    let twice_cosine = 2.0 * sine(phase + 0.25);
    let (mut b1, mut b2) = (0.0, 0.0);
    for &amplitude in amplitudes.iter().rev() {
        (b1, b2) = (amplitude + twice_cosine * b1 - b2, b1);
    }
    b1 * sine(phase)
}

/// White noise, uniform in [-1, 1): the hash of a sample's number.
pub(super) struct Noise {
    key: u64,
    n_drawn: u32,
}

impl Noise {
    pub fn new(seed: u32) -> Noise {
        Noise { key: key(u64::from(seed), 0), n_drawn: 0 }
    }

    pub fn sample(&mut self) -> f32 {
        // Begins again after 2³² samples, which are 27 hours at 44.1 kHz.
        self.n_drawn = self.n_drawn.wrapping_add(1);
        bits(self.key, self.n_drawn) as i32 as f32 / 2_147_483_648.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amplitude of harmonic `n` over one cycle, by the sum that defines it.
    fn harmonic(wave: impl Fn(f32) -> f32, n: usize) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for i in 0..4096 {
            let angle = std::f64::consts::TAU * (n * i) as f64 / 4096.0;
            let value = f64::from(wave(i as f32 / 4096.0));
            re += value * angle.cos();
            im += value * angle.sin();
        }
        (re * re + im * im).sqrt() / 2048.0
    }

    #[test]
    fn noise_is_white_and_neighbouring_seeds_have_their_own() {
        let n = 10_000;
        let of = |seed| -> Vec<f64> {
            let mut noise = Noise::new(seed);
            (0..n).map(|_| f64::from(noise.sample())).collect()
        };
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / f64::from(n);
        let (this, next) = (of(6), of(7));
        // The variance of a uniform number in [-1, 1) is 1/3; of a mean of products of two that are independent, 1/9n.
        let tolerance = 5.0 / 3.0 / f64::from(n).sqrt();
        assert!((product(&this, &this) - 1.0 / 3.0).abs() < tolerance);
        assert!(product(&this, &this[1..]).abs() < tolerance);
        assert!(product(&this, &next).abs() < tolerance);
    }

    #[test]
    fn harmonics_have_the_amplitudes_asked_for() {
        let wave = |phase| harmonics(phase, &[0.5, 0.0, 0.25]);
        for (n, expected) in [(1, 0.5), (2, 0.0), (3, 0.25), (4, 0.0)] {
            assert!((harmonic(wave, n) - expected).abs() < 1e-4, "harmonic {n}");
        }
    }

    #[test]
    fn saw_falls_by_one_over_n_and_square_has_no_even_harmonics() {
        let step = 1.0 / 4096.0;
        for n in 1..10 {
            let expected = 2.0 / (std::f64::consts::PI * n as f64);
            assert!((harmonic(|phase| saw(phase, step), n) - expected).abs() < 1e-3, "saw {n}");
            let square = harmonic(|phase| pulse(phase, step, 0.5), n);
            let expected = if n % 2 == 1 { expected } else { 0.0 };
            assert!((square - expected).abs() < 1e-3, "square {n}: {square}");
        }
    }
}
