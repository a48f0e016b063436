//! Reverberation by convolution with measured room impulse responses.
//!
//! The impulse response starts at its direct sound, so that the copy is not delayed, and has unit energy, so that the level
//! is about the same; the reverberation after the end of the recording is cut off.
//!
//! The convolution is computed by FFT in blocks (overlap-add).
//!
//! # Reference
//! J. O. Smith, *Spectral Audio Signal Processing*, "Overlap-Add (OLA) Convolution".

use serde::{Deserialize, Serialize};

use super::default_probability;
use crate::transform::Complex32;
use crate::transform::fourier::{RealFft, n_bins};

/// Mixes the recording with its reverberation, whose share is drawn uniformly from `range`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverb {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// Path of an impulse response, or of a folder of them, from which one is drawn.
    pub impulse_response: String,
    /// Share of the reverberation in the output, in [0, 1].
    pub range: [f32; 2],
}

/// A planned convolution with one impulse response.
#[derive(Debug, Clone)]
pub(super) struct Convolver {
    fft: RealFft,
    /// Spectrum of the impulse response, `[n_fft / 2 + 1]`.
    response: Vec<Complex32>,
    response_len: usize,
    /// `[n_fft]`
    block: Vec<f32>,
    /// `[n_fft / 2 + 1]`
    spectrum: Vec<Complex32>,
}

impl Convolver {
    /// Plans the convolution with `impulse_response`; an empty one gives silence.
    #[must_use]
    pub(super) fn new(impulse_response: &[f32]) -> Self {
        let n_fft = (2 * impulse_response.len()).next_power_of_two().max(4096);
        let mut fft = RealFft::new(n_fft);
        let mut block = vec![0.0; n_fft];
        block[..impulse_response.len()].copy_from_slice(impulse_response);
        let mut response = vec![Complex32::default(); n_bins(n_fft)];
        fft.forward(&mut block, &mut response);
        let spectrum = response.clone();
        Self { fft, response, response_len: impulse_response.len().max(1), block, spectrum }
    }

    /// The convolution, truncated to the length of the signal.
    pub(super) fn convolve(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut convolved = vec![0.0; samples.len()];
        let block_len = self.block.len() - self.response_len + 1;
        for (index, samples) in samples.chunks(block_len).enumerate() {
            self.block.fill(0.0);
            self.block[..samples.len()].copy_from_slice(samples);
            self.fft.forward(&mut self.block, &mut self.spectrum);
            self.spectrum.iter_mut().zip(&self.response).for_each(|(bin, response)| *bin *= response);
            self.fft.inverse(&mut self.spectrum, &mut self.block);
            let sums = convolved[index * block_len..].iter_mut();
            sums.zip(&self.block).for_each(|(sum, value)| *sum += value);
        }
        convolved
    }
}

/// An impulse response from its direct sound on (its largest sample), scaled to unit energy; empty if it is silent.
#[must_use]
pub(super) fn normalize(impulse_response: &[f32]) -> Vec<f32> {
    let (mut direct, mut largest) = (0, 0.0);
    for (position, value) in impulse_response.iter().enumerate() {
        if value.abs() > largest {
            (direct, largest) = (position, value.abs());
        }
    }
    let response = &impulse_response[direct..];
    let energy: f64 = response.iter().map(|&value| f64::from(value).powi(2)).sum();
    let gain = (1.0 / energy.sqrt()) as f32;
    if gain.is_finite() { response.iter().map(|value| gain * value).collect() } else { Vec::new() }
}

/// Mixes a signal with its own reverberation: `(1 - share) · dry + share · wet`.
pub(super) fn mix(samples: &mut [f32], response: &mut Convolver, share: f32) {
    let wet = response.convolve(samples);
    samples.iter_mut().zip(&wet).for_each(|(dry, wet)| *dry = (1.0 - share) * *dry + share * wet);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// Direct convolution.
    fn direct(samples: &[f32], impulse_response: &[f32]) -> Vec<f32> {
        let at = |n: usize| {
            let terms = impulse_response.iter().take(n + 1).enumerate();
            terms.map(|(k, &h)| f64::from(h) * f64::from(samples[n - k])).sum::<f64>() as f32
        };
        (0..samples.len()).map(at).collect()
    }

    fn noise(n: usize, step: f32) -> Vec<f32> {
        (0..n).map(|i| ((i * i) as f32 * step).sin()).collect()
    }

    #[test]
    fn fft_convolution_equals_direct_convolution() {
        for (n, n_response) in [(1, 1), (2, 5), (9000, 3), (9000, 2048), (12_000, 5000), (100, 9000)] {
            let (samples, response) = (noise(n, 0.013), noise(n_response, 0.017));
            let found = Convolver::new(&response).convolve(&samples);
            assert_close(&found, &direct(&samples, &response), 2e-4);
        }
    }

    #[test]
    fn a_delayed_unit_impulse_response_changes_nothing() {
        let mut samples = noise(5000, 0.013);
        let dry = samples.clone();
        mix(&mut samples, &mut Convolver::new(&normalize(&[0.0, 0.0, 0.0, 0.25])), 0.7);
        assert_close(&samples, &dry, 1e-5);
    }

    #[test]
    fn a_normalized_impulse_response_has_unit_energy() {
        let response = normalize(&[0.0, 0.1, -4.0, 3.0, 0.0]);
        assert_close(&response, &[-0.8_f32, 0.6, 0.0], 1e-6);
        assert!(
            normalize(&[0.0; 5]).is_empty() && normalize(&[]).is_empty() && normalize(&[f32::NAN]).is_empty()
        );
        assert_eq!(Convolver::new(&[]).convolve(&[1.0, 2.0]), [0.0, 0.0]);
    }
}
