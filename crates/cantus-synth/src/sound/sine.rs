//! Sine wave: amplitude, frequency, phase.
//!
//! `y(t) = A sin(2π f t + φ)`: the amplitude A is perceived as loudness, the frequency f as pitch. The phase φ shifts the wave
//! in time; it is inaudible for a single tone. The period is `T = 1 / f`.

use std::f64::consts::TAU;

/// A sine wave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sine {
    /// Largest absolute value.
    pub amplitude: f64,
    /// In Hz.
    pub frequency: f64,
    /// Phase at time 0, in radians.
    pub phase: f64,
}

impl Sine {
    /// A sine with phase 0.
    ///
    /// ```
    /// use cantus_synth::sound::Sine;
    ///
    /// let a4 = Sine::new(0.5, 440.0);
    /// assert!((a4.at(a4.period_s() / 4.0) - 0.5).abs() < 1e-12);
    /// ```
    pub fn new(amplitude: f64, frequency: f64) -> Self {
        Self { amplitude, frequency, phase: 0.0 }
    }

    /// The same sine with this phase, in radians.
    pub fn with_phase(self, phase: f64) -> Self {
        Self { phase, ..self }
    }

    /// Period in seconds: `1 / f`.
    pub fn period_s(&self) -> f64 {
        1.0 / self.frequency
    }

    /// Value at a time in seconds.
    pub fn at(&self, time_s: f64) -> f64 {
        self.amplitude * (TAU * self.frequency * time_s + self.phase).sin()
    }

    /// Sum of several sines at a time in seconds.
    pub fn sum_at(waves: &[Self], time_s: f64) -> f64 {
        waves.iter().map(|wave| wave.at(time_s)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;

    #[test]
    fn a_wave_is_the_same_after_each_period_and_opposite_after_half_of_one() {
        let wave = Sine::new(0.7, 261.6).with_phase(0.4);
        for i in 0..50 {
            let time_s = f64::from(i) * 1.3e-3;
            assert!((wave.at(time_s + wave.period_s()) - wave.at(time_s)).abs() < 1e-10);
            assert!((wave.at(time_s + wave.period_s() / 2.0) + wave.at(time_s)).abs() < 1e-10);
        }
    }

    #[test]
    fn a_quarter_turn_makes_a_cosine() {
        let wave = Sine::new(2.0, 5.0).with_phase(FRAC_PI_2);
        for time_s in [0.0, 0.01, 0.13] {
            assert!((wave.at(time_s) - 2.0 * (TAU * 5.0 * time_s).cos()).abs() < 1e-12);
        }
    }

    #[test]
    fn a_sine_and_its_inverse_cancel() {
        let wave = Sine::new(1.0, 100.0);
        let opposite = wave.with_phase(TAU / 2.0);
        assert!((0..40).all(|i| Sine::sum_at(&[wave, opposite], f64::from(i) / 777.0).abs() < 1e-12));
    }
}
