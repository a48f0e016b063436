//! Magnitude and power spectrum of a whole recording.
//!
//! One Fourier transform of all samples, without window. The full spectrum goes from 0 Hz to the sample rate; its right
//! half mirrors the left.
//!
//! # Conventions
//! - Magnitude is `|X[k]|`, power its square, neither scaled by the number of samples.
//! - Bin `k` is at `k · sample_rate / n_samples` Hz. (The lecture's `linspace(0, sr, n)` includes the end and puts
//!   bin `k` at `k · sr / (n - 1)`, a difference of 0.02 Hz at 11 kHz for 30 s.)
//!
//! # Reference
//! `np.abs(np.fft.fft(samples))`, and its first `n // 2` bins.

use std::cell::RefCell;

use crate::Error;
use crate::feature::frame_params::FrameParams;
use crate::feature::track_level::{Axis, TrackFeature, TrackLevel};
use crate::transform::Complex32;
use crate::transform::fourier::{RealFft, n_bins};

/// Magnitude spectrum, left half: `[n_samples / 2]`.
pub(crate) type MagnitudeSpectrum = TrackSpectrum<false, false>;
/// Magnitude spectrum from 0 Hz to the sample rate: `[n_samples]`.
pub(crate) type FullMagnitudeSpectrum = TrackSpectrum<false, true>;
/// Power spectrum, left half: `[n_samples / 2]`.
pub(crate) type PowerSpectrum = TrackSpectrum<true, false>;
/// Power spectrum from 0 Hz to the sample rate: `[n_samples]`.
pub(crate) type FullPowerSpectrum = TrackSpectrum<true, true>;

/// A spectrum with the frequencies of its bins, in Hz.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackSpectrum<const IS_POWER: bool, const IS_FULL: bool>;

impl<const IS_POWER: bool, const IS_FULL: bool> TrackLevel for TrackSpectrum<IS_POWER, IS_FULL> {
    type Config = ();
    const NAME: &'static str = match (IS_POWER, IS_FULL) {
        (false, false) => "spectrum",
        (false, true) => "spectrum_full",
        (true, false) => "power_spectrum",
        (true, true) => "power_spectrum_full",
    };
    const TITLE: &'static str = match (IS_POWER, IS_FULL) {
        (false, false) => "Magnitude spectrum",
        (false, true) => "Magnitude spectrum, both halves",
        (true, false) => "Power spectrum",
        (true, true) => "Power spectrum, both halves",
    };
    const UNIT: &'static str = "";
    const AXIS: Axis = Axis::FrequencyHz;

    fn compute(samples: &[f32], _: &(), params: &FrameParams) -> Result<TrackFeature, Error> {
        let mut values = half_spectrum(samples, if IS_POWER { power } else { magnitude });
        if IS_FULL {
            values = mirrored(&values, samples.len());
        } else {
            values.truncate(samples.len() / 2);
        }
        let bin_hz = f64::from(params.sample_rate) / samples.len().max(1) as f64;
        let positions = (0..values.len()).map(|k| k as f64 * bin_hz).collect();
        Ok(TrackFeature { values, positions })
    }
}

/// The full magnitude spectrum of a signal.
///
/// # Shapes
/// - returns: `[n_samples]`; the first `n_samples / 2` are the left half
///
/// # Reference
/// Equals `np.abs(np.fft.fft(samples))` within 1e-6 of the largest.
pub fn magnitude_spectrum(samples: &[f32]) -> Vec<f32> {
    mirrored(&half_spectrum(samples, magnitude), samples.len())
}

/// The full power spectrum of a signal.
///
/// # Shapes
/// - returns: `[n_samples]`; the first `n_samples / 2` are the left half
///
/// # Reference
/// Equals `np.abs(np.fft.fft(samples)) ** 2` within 2e-6 of the largest.
pub fn power_spectrum(samples: &[f32]) -> Vec<f32> {
    mirrored(&half_spectrum(samples, power), samples.len())
}

thread_local! {
    /// The last plan: planning takes longer than the transform, and recordings of a folder often have equal lengths.
    static PLAN: RefCell<RealFft> = RefCell::new(RealFft::new(1));
}

/// `measure` of each bin up to half the sample rate: `[n_samples / 2 + 1]`.
fn half_spectrum(samples: &[f32], measure: fn(&Complex32) -> f32) -> Vec<f32> {
    if samples.is_empty() {
        return Vec::new();
    }
    let mut bins = vec![Complex32::default(); n_bins(samples.len())];
    PLAN.with_borrow_mut(|plan| {
        if plan.n_fft() != samples.len() {
            *plan = RealFft::new(samples.len());
        }
        plan.forward(&mut samples.to_vec(), &mut bins);
    });
    bins.iter().map(measure).collect()
}

/// Both halves, `[n_samples]`.
fn mirrored(left: &[f32], n_samples: usize) -> Vec<f32> {
    (0..n_samples).map(|k| left[k.min(n_samples - k)]).collect()
}

fn magnitude(bin: &Complex32) -> f32 {
    bin.norm_sqr().sqrt()
}

fn power(bin: &Complex32) -> f32 {
    bin.norm_sqr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn the_spectrum_equals_numpys() {
        // x = np.array([3, -1, 4, 1, -5], float); print(np.abs(np.fft.fft(x)))
        let expected =
            [2.0, 6.277_200_988_298_03, 9.412_584_541_585_68, 9.412_584_541_585_68, 6.277_200_988_298_03];
        assert_close(&magnitude_spectrum(&[3.0, -1.0, 4.0, 1.0, -5.0]), &expected, 1e-6);
    }

    #[test]
    fn a_tone_is_at_its_frequency() {
        let params = FrameParams { sample_rate: 8000, ..FrameParams::default() };
        let tone: Vec<f32> =
            (0..800).map(|n| (std::f32::consts::TAU * 440.0 * n as f32 / 8000.0).sin()).collect();
        let spectrum = MagnitudeSpectrum::compute(&tone, &(), &params).unwrap();
        let loudest = (0..400).max_by(|&a, &b| spectrum.values[a].total_cmp(&spectrum.values[b])).unwrap();
        assert_eq!((spectrum.values.len(), spectrum.positions[loudest]), (400, 440.0));
        assert_close(&[spectrum.values[loudest]], &[400.0], 1e-3); // half of the samples
    }
}
