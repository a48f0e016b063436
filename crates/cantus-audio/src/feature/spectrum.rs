//! The spectrum of a whole sound: how much of each frequency is in it, from beginning to end.
//!
//! The Fourier transform of all samples at once, without a window: the lectures' first look at frequency. The full
//! spectrum goes from 0 Hz to the sample rate; its right half mirrors the left, so that the left says everything.
//!
//! # Conventions
//! - Magnitude is `|X[k]|`, power its square, neither scaled by the number of samples.
//! - Bin `k` lies at `k · sample_rate / n_samples` Hz. (The lecture's `linspace(0, sr, n)` includes the end and puts
//!   bin `k` at `k · sr / (n - 1)`, which is 0.02 Hz off at 11 kHz for half a minute of sound.)
//!
//! # Reference
//! `np.abs(np.fft.fft(samples))`, and its first `n // 2` bins.

use std::cell::RefCell;

use super::FeatureSpec;
use super::whole::{Axis, Whole, WholeKind};
use crate::transform::Complex32;
use crate::transform::fourier::{RealFft, n_bins};

/// Magnitude, left half: `[n_samples / 2]`.
pub(super) const SPECTRUM: WholeKind = WholeKind {
    name: "spectrum",
    title: "Magnitude spectrum",
    unit: "",
    axis: Axis::FrequencyHz,
    compute: |samples, spec| Ok(left_half(samples, magnitude, spec)),
};

/// Magnitude, from 0 Hz to the sample rate: `[n_samples]`.
pub(super) const SPECTRUM_FULL: WholeKind = WholeKind {
    name: "spectrum_full",
    title: "Magnitude spectrum, both halves",
    compute: |samples, spec| Ok(full(samples, magnitude, spec)),
    ..SPECTRUM
};

/// Power, left half: `[n_samples / 2]`.
pub(super) const POWER_SPECTRUM: WholeKind = WholeKind {
    name: "power_spectrum",
    title: "Power spectrum",
    compute: |samples, spec| Ok(left_half(samples, power, spec)),
    ..SPECTRUM
};

/// Power, from 0 Hz to the sample rate: `[n_samples]`.
pub(super) const POWER_SPECTRUM_FULL: WholeKind = WholeKind {
    name: "power_spectrum_full",
    title: "Power spectrum, both halves",
    compute: |samples, spec| Ok(full(samples, power, spec)),
    ..SPECTRUM
};

/// The magnitude of every frequency of a sound.
///
/// # Shapes
/// - returns: `[n_samples]`; the first `n_samples / 2` are the left half
///
/// # Reference
/// Equals `np.abs(np.fft.fft(samples))` within 1e-6 of the largest.
pub fn magnitude_spectrum(samples: &[f32]) -> Vec<f32> {
    mirrored(&of_each_bin(samples, magnitude), samples.len())
}

/// The power of every frequency of a sound: the square of its magnitude.
///
/// # Shapes
/// - returns: `[n_samples]`; the first `n_samples / 2` are the left half
///
/// # Reference
/// Equals `np.abs(np.fft.fft(samples)) ** 2` within 2e-6 of the largest.
pub fn power_spectrum(samples: &[f32]) -> Vec<f32> {
    mirrored(&of_each_bin(samples, power), samples.len())
}

thread_local! {
    /// The last plan: it takes longer than the transform, and the recordings of a folder are often of one length.
    static PLAN: RefCell<RealFft> = RefCell::new(RealFft::new(1));
}

/// Of each bin up to half the sample rate: `[n_samples / 2 + 1]`.
fn of_each_bin(samples: &[f32], measure: fn(&Complex32) -> f32) -> Vec<f32> {
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

/// The values of the first bins of a spectrum of `n_samples`, at their frequencies.
fn placed(values: Vec<f32>, n_samples: usize, spec: &FeatureSpec) -> Whole {
    let hertz_per_bin = f64::from(spec.sample_rate) / n_samples.max(1) as f64;
    Whole { positions: (0..values.len()).map(|k| k as f64 * hertz_per_bin).collect(), values }
}

fn left_half(samples: &[f32], measure: fn(&Complex32) -> f32, spec: &FeatureSpec) -> Whole {
    let mut values = of_each_bin(samples, measure);
    values.truncate(samples.len() / 2);
    placed(values, samples.len(), spec)
}

fn full(samples: &[f32], measure: fn(&Complex32) -> f32, spec: &FeatureSpec) -> Whole {
    placed(mirrored(&of_each_bin(samples, measure), samples.len()), samples.len(), spec)
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
    fn the_left_half_lies_at_the_frequencies_of_its_bins() {
        let spec = FeatureSpec { sample_rate: 8000, ..FeatureSpec::default() };
        let tone: Vec<f32> =
            (0..800).map(|n| (std::f32::consts::TAU * 440.0 * n as f32 / 8000.0).sin()).collect();
        let whole = SPECTRUM.compute(&tone, &spec).unwrap();
        let loudest = (0..400).max_by(|&a, &b| whole.values[a].total_cmp(&whole.values[b])).unwrap();
        assert_eq!((whole.values.len(), whole.positions[loudest]), (400, 440.0));
        assert_close(&[whole.values[loudest]], &[400.0], 1e-3); // half of the samples
    }
}
