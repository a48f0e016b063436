//! Low-pass and high-pass filters with a random cut-off frequency.
//!
//! Second-order Butterworth filters: 12 dB per octave, maximally flat in the pass band, -3 dB at the cut-off. Biquads in
//! transposed direct form II, in f64.
//!
//! # Reference
//! R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients", with Q = 1/√2; the same filters
//! as `scipy.signal.butter(2, cutoff, fs=sample_rate)`, whose numbers `tests/reference/filters.py` prints.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use serde::{Deserialize, Serialize};

use super::default_probability;

/// Removes frequencies above a cut-off drawn log-uniformly from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowPass {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// Cut-off in Hz, more than 0 and less than half the sample rate.
    pub range: [f32; 2],
}

/// Removes frequencies below a cut-off drawn log-uniformly from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HighPass {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// Cut-off in Hz, more than 0 and less than half the sample rate.
    pub range: [f32; 2],
}

/// A second-order filter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Biquad {
    /// Coefficients of the input, now and one and two samples ago.
    b: [f64; 3],
    /// Coefficients of the output, one and two samples ago.
    a: [f64; 2],
}

impl Biquad {
    /// Butterworth low-pass.
    #[must_use]
    pub(super) fn low_pass(cutoff_hz: f32, sample_rate: u32) -> Self {
        let (cos, alpha) = cosine_and_alpha(cutoff_hz, sample_rate);
        Self::normalised([(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0], cos, alpha)
    }

    /// Butterworth high-pass.
    #[must_use]
    pub(super) fn high_pass(cutoff_hz: f32, sample_rate: u32) -> Self {
        let (cos, alpha) = cosine_and_alpha(cutoff_hz, sample_rate);
        Self::normalised([(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0], cos, alpha)
    }

    fn normalised(b: [f64; 3], cos: f64, alpha: f64) -> Self {
        let a0 = 1.0 + alpha;
        Self { b: b.map(|b| b / a0), a: [-2.0 * cos / a0, (1.0 - alpha) / a0] }
    }

    /// Filters a signal in place, from a zero state.
    pub(super) fn apply(self, samples: &mut [f32]) {
        let Self { b, a } = self;
        let mut state = [0.0; 2];
        for sample in samples {
            let x = f64::from(*sample);
            let y = b[0] * x + state[0];
            state = [b[1] * x - a[0] * y + state[1], b[2] * x - a[1] * y];
            *sample = y as f32;
        }
    }
}

/// Cosine of the cut-off's angular frequency, and the cookbook's alpha.
fn cosine_and_alpha(cutoff_hz: f32, sample_rate: u32) -> (f64, f64) {
    let omega = TAU * f64::from(cutoff_hz) / f64::from(sample_rate);
    (omega.cos(), omega.sin() / (2.0 * FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::fourier::dft;

    #[derive(Deserialize)]
    struct Reference {
        kind: String,
        cutoff: f32,
        sample_rate: u32,
        frequencies: Vec<f64>,
        magnitudes: Vec<f64>,
    }

    /// Magnitude response at a frequency, from the impulse response.
    fn magnitude(impulse_response: &[f32], frequency: f64, sample_rate: u32) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &h) in impulse_response.iter().enumerate() {
            let angle = TAU * frequency * n as f64 / f64::from(sample_rate);
            re += f64::from(h) * angle.cos();
            im += f64::from(h) * angle.sin();
        }
        re.hypot(im)
    }

    #[test]
    fn magnitude_responses_equal_scipys() {
        let text = include_str!("../../tests/reference/filters.json");
        let references: Vec<Reference> = serde_json::from_str(text).unwrap();
        assert_eq!(references.len(), 8);
        for reference in references {
            let Reference { cutoff, sample_rate, .. } = reference;
            let filter = match &*reference.kind {
                "lowpass" => Biquad::low_pass(cutoff, sample_rate),
                _ => Biquad::high_pass(cutoff, sample_rate),
            };
            let mut impulse_response = vec![0.0; 1 << 15];
            impulse_response[0] = 1.0;
            filter.apply(&mut impulse_response);
            for (&frequency, &expected) in reference.frequencies.iter().zip(&reference.magnitudes) {
                let found = magnitude(&impulse_response, frequency, sample_rate);
                let tolerance = 1e-4 * expected.max(1e-2);
                assert!(
                    (found - expected).abs() < tolerance,
                    "{} {cutoff} Hz at {frequency} Hz: {found}, not {expected}",
                    reference.kind
                );
            }
        }
    }

    #[test]
    fn filters_attenuate_and_are_stable_at_the_limits_of_the_range() {
        for cutoff in [1.0, 20.0, 11_024.0] {
            for filter in [Biquad::low_pass(cutoff, 22_050), Biquad::high_pass(cutoff, 22_050)] {
                let mut samples: Vec<f32> = (0..20_000).map(|i| (i as f32 * 1.7).sin()).collect();
                filter.apply(&mut samples);
                assert!(samples.iter().all(|sample| sample.abs() < 3.0), "{cutoff} Hz: {filter:?}");
            }
        }
        let mut short = [1.0];
        Biquad::low_pass(1000.0, 22_050).apply(&mut short);
        assert!(dft(&short)[0].re > 0.0);
        Biquad::low_pass(1000.0, 22_050).apply(&mut []);
    }
}
