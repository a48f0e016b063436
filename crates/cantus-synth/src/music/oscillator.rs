//! Oscillators: band-limited saw and pulse waves, phase accumulator, noise.
//!
//! Phases are in cycles, in [0, 1). PolyBLEP (Välimäki & Huovilainen 2007) smooths the discontinuities of saw and pulse, which
//! reduces aliasing at a cost of a few operations per sample.

use cantus_random::{bits, key};

/// The phase of an oscillator, in cycles.
pub(super) struct Phasor(f32);

impl Phasor {
    pub fn new(phase: f32) -> Phasor {
        Phasor(phase)
    }

    /// Returns the phase, in [0, 1), and advances it by `step` = frequency / sample rate, at most 0.5.
    pub fn advance(&mut self, step: f32) -> f32 {
        let phase = self.0;
        self.0 += step.min(0.5);
        if self.0 >= 1.0 {
            self.0 -= 1.0;
        }
        phase
    }
}

/// Falling saw wave.
pub(super) fn saw(phase: f32, step: f32) -> f32 {
    1.0 - 2.0 * phase + blep(phase, step)
}

/// Pulse wave without DC that is high for the share `width` of its cycle; a square wave for 0.5.
pub(super) fn pulse(phase: f32, step: f32, width: f32) -> f32 {
    let late = if phase < width { phase + 1.0 - width } else { phase - width };
    0.5 * (saw(phase, step) - saw(late, step))
}

/// PolyBLEP residual: added to a jump of +2 at phase 0, it gives a smooth step over two samples.
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

/// Sum of the first harmonics with these amplitudes, by Clenshaw's recurrence, which evaluates one sine and one cosine.
pub(super) fn harmonics(phase: f32, amplitudes: &[f32]) -> f32 {
    use super::elementary::sine;
    let twice_cosine = 2.0 * sine(phase + 0.25);
    let (mut b1, mut b2) = (0.0, 0.0);
    for &amplitude in amplitudes.iter().rev() {
        (b1, b2) = (amplitude + twice_cosine * b1 - b2, b1);
    }
    b1 * sine(phase)
}

/// White noise, uniform in [-1, 1): a hash of the sample's index.
pub(super) struct Noise {
    key: u64,
    n_drawn: u32,
}

impl Noise {
    pub fn new(seed: u32) -> Noise {
        Noise { key: key(u64::from(seed), 0), n_drawn: 0 }
    }

    pub fn sample(&mut self) -> f32 {
        // Repeats after 2³² samples: 27 hours at 44.1 kHz.
        self.n_drawn = self.n_drawn.wrapping_add(1);
        bits(self.key, self.n_drawn) as i32 as f32 / 2_147_483_648.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amplitude of harmonic `n`, by the discrete Fourier transform of one cycle.
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
    fn noise_is_white_and_independent_for_neighbouring_seeds() {
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
    fn harmonics_have_the_given_amplitudes() {
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
