//! Sine tones and measurement of their frequency, for tests.

use crate::transform::fourier::{RealFft, n_bins};
use crate::transform::{Complex32, Window};

/// A sine of amplitude 0.5.
pub(super) fn tone(hz: f64, sample_rate: u32, n: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU * hz / f64::from(sample_rate);
    (0..n).map(|i| (0.5 * (step * i as f64).sin()) as f32).collect()
}

/// Frequency of the strongest partial: the peak bin of a Hann-windowed spectrum, interpolated by the parabola through it
/// and its neighbours in dB (Smith & Serra 1987).
pub(super) fn measured_hz(samples: &[f32], sample_rate: u32) -> f64 {
    let n_fft = samples.len();
    let mut frame: Vec<f32> =
        Window::Hann.weights(n_fft).iter().zip(samples).map(|(w, x)| *w as f32 * x).collect();
    let mut spectrum = vec![Complex32::default(); n_bins(n_fft)];
    RealFft::new(n_fft).forward(&mut frame, &mut spectrum);
    let db: Vec<f64> = spectrum.iter().map(|bin| f64::from(bin.norm_sqr()).max(1e-30).log10()).collect();
    let peak = (1..db.len() - 1).fold(1, |best, k| if db[k] > db[best] { k } else { best });
    let (a, b, c) = (db[peak - 1], db[peak], db[peak + 1]);
    (peak as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)) * f64::from(sample_rate) / n_fft as f64
}
