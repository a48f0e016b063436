//! The fast Fourier transform of real frames in double precision, with a spectrum rounded to single precision.
//!
//! Of an even length, it is a complex FFT of pairs of samples, whose spectrum is split as in
//! [`real_fft_split`](super::real_fft_split). Splitting and rounding are one pass over the bins.
//!
//! # Reference
//! Sorensen, Jones, Heideman & Burrus, "Real-valued fast Fourier transform algorithms", 1987.

use std::f64::consts::PI;
use std::sync::Arc;

use cantus_simd::multiversion;
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use super::dft::{Complex32, n_bins};

type Complex64 = num_complex::Complex<f64>;

/// A planned FFT of real frames of one length. Nothing is allocated after planning.
#[derive(Clone)]
pub(super) struct RealFftF64 {
    n_fft: usize,
    method: Method,
    /// Spectrum before rounding; of pairs, `[n_fft / 2]`, if the length is even.
    bins: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

#[derive(Clone)]
enum Method {
    /// A complex FFT of half the length, and `exp(-πik/M) / 2i` for `k` from 1 to less than half of `M = n_fft / 2`.
    Even {
        half: Arc<dyn Fft<f64>>,
        twiddles: Arc<[Complex64]>,
    },
    Odd(Arc<dyn RealToComplex<f64>>),
}

impl RealFftF64 {
    /// Plans transforms of `n_fft` samples; 0 is taken as 1.
    #[must_use]
    pub(super) fn new(n_fft: usize) -> Self {
        let n_fft = n_fft.max(1);
        if !n_fft.is_multiple_of(2) {
            let fft = RealFftPlanner::new().plan_fft_forward(n_fft);
            let (bins, scratch) = (fft.make_output_vec(), fft.make_scratch_vec());
            return Self { n_fft, method: Method::Odd(fft), bins, scratch };
        }
        let n_half = n_fft / 2;
        let half = FftPlanner::new().plan_fft_forward(n_half);
        let scratch = vec![Complex64::default(); half.get_outofplace_scratch_len()];
        let method = Method::Even { half, twiddles: twiddles(n_half) };
        Self { n_fft, method, bins: vec![Complex64::default(); n_half], scratch }
    }

    /// Transforms a frame. The frame is used as scratch; its contents are unspecified afterwards.
    ///
    /// # Shapes
    /// - `frame`: `[n_fft]`
    /// - `spectrum`: `[n_fft / 2 + 1]`, overwritten
    ///
    /// # Panics
    /// If a length differs.
    pub(super) fn forward(&mut self, frame: &mut [f64], spectrum: &mut [Complex32]) {
        assert_eq!((frame.len(), spectrum.len()), (self.n_fft, n_bins(self.n_fft)));
        match &self.method {
            Method::Even { half, twiddles } => {
                // Pairs of real samples have the memory layout of complex numbers.
                let pairs: &mut [Complex64] = bytemuck::cast_slice_mut(frame);
                half.process_outofplace_with_scratch(pairs, &mut self.bins, &mut self.scratch);
                split_and_round(twiddles, &self.bins, spectrum);
            }
            Method::Odd(fft) => {
                let done = fft.process_with_scratch(frame, &mut self.bins, &mut self.scratch);
                debug_assert!(done.is_ok(), "realfft fails on wrong lengths only, and they were checked");
                spectrum.iter_mut().zip(&self.bins).for_each(|(slot, bin)| *slot = rounded(bin.re, bin.im));
            }
        }
    }
}

fn twiddles(n_half: usize) -> Arc<[Complex64]> {
    let twiddle = |k: usize| {
        let angle = PI * k as f64 / n_half as f64;
        Complex64::new(-0.5 * angle.sin(), -0.5 * angle.cos())
    };
    (1..n_half.div_ceil(2)).map(twiddle).collect()
}

/// The spectrum of the samples from that of the pairs.
///
/// # Shapes
/// - `pairs`: `[M]`
/// - `spectrum`: `[M + 1]`, overwritten
fn split_and_round(twiddles: &[Complex64], pairs: &[Complex64], spectrum: &mut [Complex32]) {
    let (n_half, n) = (pairs.len(), twiddles.len());
    let first = pairs[0];
    spectrum[0] = rounded(first.re + first.im, 0.0);
    spectrum[n_half] = rounded(first.re - first.im, 0.0);
    if n_half.is_multiple_of(2) {
        let middle = pairs[n_half / 2];
        spectrum[n_half / 2] = rounded(middle.re, -middle.im);
    }
    let (low, high) = (&pairs[1..=n], &pairs[n_half - n..]);
    let (low_out, high_out) = spectrum.split_at_mut(n_half - n);
    butterflies(twiddles, low, high, &mut low_out[1..=n], &mut high_out[..n]);
}

/// Combines the bins `1..` (`low`) with the bins `..M` (`high`); all ascend and have one length.
#[multiversion]
fn butterflies(
    twiddles: &[Complex64],
    low: &[Complex64],
    high: &[Complex64],
    low_out: &mut [Complex32],
    high_out: &mut [Complex32],
) {
    let n = twiddles.len();
    let (low, high, low_out, high_out) = (&low[..n], &high[..n], &mut low_out[..n], &mut high_out[..n]);
    for i in 0..n {
        let (a, b, twiddle) = (low[i], high[n - 1 - i], twiddles[i]);
        let (re, im) = (a.re - b.re, a.im + b.im); // Z[k] - Z*[M-k]
        let even = (0.5 * (a.re + b.re), 0.5 * (a.im - b.im));
        let odd = (twiddle.re * re - twiddle.im * im, twiddle.re * im + twiddle.im * re);
        low_out[i] = rounded(even.0 + odd.0, even.1 + odd.1);
        high_out[n - 1 - i] = rounded(even.0 - odd.0, odd.1 - even.1);
    }
}

#[inline(always)]
fn rounded(re: f64, im: f64) -> Complex32 {
    Complex32::new(re as f32, im as f32)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// The DFT by its definition, not rounded.
    fn exact(frame: &[f64]) -> Vec<Complex64> {
        let n_fft = frame.len();
        let bin = |k: usize| {
            let terms = frame.iter().enumerate().map(|(n, x)| {
                let angle = -TAU * ((k * n) % n_fft) as f64 / n_fft as f64;
                Complex64::from_polar(*x, angle)
            });
            terms.sum()
        };
        (0..n_bins(n_fft)).map(bin).collect()
    }

    /// Samples between -1 and 1 that no short frame repeats.
    fn noise(n: usize) -> Vec<f64> {
        (0..n as u32)
            .map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 23) - 1.0)
            .collect()
    }

    #[test]
    fn the_transform_equals_the_dft_to_the_rounding_of_f32() {
        for n_fft in [1, 2, 3, 4, 6, 8, 10, 30, 32, 34, 66, 97, 100, 255, 441, 512, 1000, 2046, 2048] {
            let mut frame = noise(n_fft);
            let expected = exact(&frame);
            let mut fft = RealFftF64::new(n_fft);
            let mut found = vec![Complex32::new(f32::NAN, f32::NAN); n_bins(n_fft)];
            fft.forward(&mut frame, &mut found);
            for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = Complex64::new(f64::from(found.re), f64::from(found.im)) - expected;
                let bound = 1e-7 * expected.norm() + 1e-12;
                assert!(error.norm() < bound, "bin {k} of {n_fft}: {found} instead of {expected}");
            }
        }
    }
}
