//! Reverb: the music in the room of an impulse response.
//!
//! What a room does to sound is a convolution with what it answers to a click. The click's echo begins with its direct
//! sound, so that the copy is not late, and has the energy 1, so that the copy is about as loud; the tail that would
//! outlast the recording is cut.
//!
//! The convolution is done by FFT, block by block (overlap-add): N log N steps where the sum itself takes N².
//!
//! # Reference
//! J. O. Smith, *Spectral Audio Signal Processing*, "Overlap-Add (OLA) Convolution".

use serde::{Deserialize, Serialize};

use super::always;
use crate::transform::Complex32;
use crate::transform::fourier::{RealFft, n_bins};

/// Puts the recording into a room, whose share of the sound is drawn from `range`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverb {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
    /// Path of an impulse response, or of a folder of them, out of which one is drawn.
    pub impulse_response: String,
    /// Share of the room in the sound, in [0, 1].
    pub range: [f32; 2],
}

/// A convolution with one impulse response, planned.
#[derive(Debug, Clone)]
pub struct Convolver {
    fft: RealFft,
    /// Of the impulse response, `[n_fft / 2 + 1]`.
    response: Vec<Complex32>,
    response_len: usize,
    /// `[n_fft]`
    block: Vec<f32>,
    /// `[n_fft / 2 + 1]`
    spectrum: Vec<Complex32>,
}

impl Convolver {
    /// Plans the convolution with `impulse_response`; one without samples answers with silence.
    pub fn new(impulse_response: &[f32]) -> Self {
        let n_fft = (2 * impulse_response.len()).next_power_of_two().max(4096);
        let mut fft = RealFft::new(n_fft);
        let mut block = vec![0.0; n_fft];
        block[..impulse_response.len()].copy_from_slice(impulse_response);
        let mut response = vec![Complex32::default(); n_bins(n_fft)];
        fft.forward(&mut block, &mut response);
        let spectrum = response.clone();
        Self { fft, response, response_len: impulse_response.len().max(1), block, spectrum }
    }

    /// The convolution, as long as the signal is.
    pub fn convolve(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut convolved = vec![0.0; samples.len()];
        let block_len = self.block.len() - self.response_len + 1;
        for (number, piece) in samples.chunks(block_len).enumerate() {
            self.block.fill(0.0);
            self.block[..piece.len()].copy_from_slice(piece);
            self.fft.forward(&mut self.block, &mut self.spectrum);
            self.spectrum.iter_mut().zip(&self.response).for_each(|(bin, response)| *bin *= response);
            self.fft.inverse(&mut self.spectrum, &mut self.block);
            let places = convolved[number * block_len..].iter_mut();
            places.zip(&self.block).for_each(|(sum, value)| *sum += value);
        }
        convolved
    }
}

/// An impulse response from its direct sound on (its largest sample), with the energy 1. Nothing is left of silence.
pub fn prepare(impulse_response: &[f32]) -> Vec<f32> {
    let (mut direct, mut largest) = (0, 0.0);
    for (place, value) in impulse_response.iter().enumerate() {
        if value.abs() > largest {
            (direct, largest) = (place, value.abs());
        }
    }
    let room = &impulse_response[direct..];
    let energy: f64 = room.iter().map(|&value| f64::from(value).powi(2)).sum();
    let gain = (1.0 / energy.sqrt()) as f32;
    if gain.is_finite() { room.iter().map(|value| gain * value).collect() } else { Vec::new() }
}

/// Mixes a signal with its own reverberation, which has this share.
pub fn mix(samples: &mut [f32], room: &mut Convolver, share: f32) {
    let wet = room.convolve(samples);
    samples.iter_mut().zip(&wet).for_each(|(dry, wet)| *dry = (1.0 - share) * *dry + share * wet);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// The sum as it stands.
    fn naive(samples: &[f32], impulse_response: &[f32]) -> Vec<f32> {
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
    fn the_fast_convolution_equals_the_sum() {
        for (n, n_response) in [(1, 1), (2, 5), (9000, 3), (9000, 2048), (12_000, 5000), (100, 9000)] {
            let (samples, response) = (noise(n, 0.013), noise(n_response, 0.017));
            let found = Convolver::new(&response).convolve(&samples);
            assert_close(&found, &naive(&samples, &response), 2e-4);
        }
    }

    #[test]
    fn a_room_without_walls_changes_nothing_and_a_late_one_is_not_late() {
        let mut samples = noise(5000, 0.013);
        let dry = samples.clone();
        mix(&mut samples, &mut Convolver::new(&prepare(&[0.0, 0.0, 0.0, 0.25])), 0.7);
        assert_close(&samples, &dry, 1e-5);
    }

    #[test]
    fn a_prepared_room_has_the_energy_one() {
        let room = prepare(&[0.0, 0.1, -4.0, 3.0, 0.0]);
        assert_close(&room, &[-0.8_f32, 0.6, 0.0], 1e-6);
        assert!(prepare(&[0.0; 5]).is_empty() && prepare(&[]).is_empty() && prepare(&[f32::NAN]).is_empty());
        assert_eq!(Convolver::new(&[]).convolve(&[1.0, 2.0]), [0.0, 0.0]);
    }
}
