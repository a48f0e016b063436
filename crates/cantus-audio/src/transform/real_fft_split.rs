//! The split step of a real FFT: the spectrum of 2M real samples from the complex FFT of M pairs, and its inverse.
//!
//! The pairs `z[n] = x[2n] + i · x[2n+1]` have the transform `Z`, from which the spectra of the even and odd samples are
//! `E[k] = (Z[k] + Z*[M-k]) / 2` and `O[k] = (Z[k] - Z*[M-k]) / 2i`. A radix-2 butterfly combines them:
//! `X[k] = E[k] + exp(-πik/M) · O[k]` and `X[M-k] = (E[k] - exp(-πik/M) · O[k])*`. The inverse, `Z[k]` from `X[k]` and
//! `X*[M-k]`, is the same butterfly with the conjugate of the twiddle factor.
//!
//! # Reference
//! Sorensen, Jones, Heideman & Burrus, "Real-valued fast Fourier transform algorithms", 1987.

use std::f64::consts::PI;

use cantus_simd::multiversion;

use super::dft::Complex32;

/// The twiddle factors of one length.
#[derive(Debug)]
pub(crate) struct RealFftSplit {
    /// `exp(-πik/M) / 2i` for `k` from 1 to less than half of M.
    twiddles: Vec<Complex32>,
}

impl RealFftSplit {
    /// Computes the twiddle factors for `n_half` pairs.
    #[must_use]
    pub fn new(n_half: usize) -> Self {
        let twiddle = |k: usize| {
            let angle = PI * k as f64 / n_half as f64;
            Complex32::new((-0.5 * angle.sin()) as f32, (-0.5 * angle.cos()) as f32)
        };
        Self { twiddles: (1..n_half.div_ceil(2)).map(twiddle).collect() }
    }

    /// Splits the transform of the pairs, in place.
    ///
    /// # Shapes
    /// - `bins`: `[n_half + 1]`; the last element is overwritten only
    ///
    /// # Panics
    /// If the length differs.
    pub fn apply(&self, bins: &mut [Complex32]) {
        let n_half = bins.len() - 1;
        let first = bins[0];
        bins[0] = Complex32::new(first.re + first.im, 0.0);
        bins[n_half] = Complex32::new(first.re - first.im, 0.0);
        let (low, high) = self.halves(bins);
        split(&self.twiddles, low, high);
    }

    /// The inverse of [`Self::apply`]: the transform of the pairs, in place. The imaginary parts of the first and the last
    /// bin are not read.
    ///
    /// # Shapes
    /// - `bins`: `[n_half + 1]`; the last element is read only
    ///
    /// # Panics
    /// If the length differs.
    pub fn invert(&self, bins: &mut [Complex32]) {
        let (first, last) = (bins[0].re, bins[bins.len() - 1].re);
        bins[0] = Complex32::new(0.5 * (first + last), 0.5 * (first - last));
        let (low, high) = self.halves(bins);
        join(&self.twiddles, low, high);
    }

    /// Conjugates the middle bin; returns the bins `1..` below the middle, and those above it up to the last but one.
    fn halves<'a>(&self, bins: &'a mut [Complex32]) -> (&'a mut [Complex32], &'a mut [Complex32]) {
        let (n_half, n) = (bins.len() - 1, self.twiddles.len());
        assert!(n + 1 == n_half.div_ceil(2).max(1));
        if n_half.is_multiple_of(2) {
            bins[n_half / 2] = bins[n_half / 2].conj();
        }
        let (low, high) = bins.split_at_mut(n_half - n);
        (&mut low[1..=n], &mut high[..n])
    }
}

/// Combines the bins `1..` (`low`) with the bins `..M` (`high`); both ascend and have one length.
///
/// A plain loop over all bins: in blocks of a constant number it is unrolled before it can be vectorised, and takes three
/// times the instructions with AVX2.
#[multiversion]
fn split(twiddles: &[Complex32], low: &mut [Complex32], high: &mut [Complex32]) {
    butterflies(twiddles, low, high, |twiddle| twiddle);
}

/// The same with the conjugates of the twiddle factors.
#[multiversion]
fn join(twiddles: &[Complex32], low: &mut [Complex32], high: &mut [Complex32]) {
    butterflies(twiddles, low, high, |twiddle| twiddle.conj());
}

#[inline(always)]
fn butterflies(
    twiddles: &[Complex32],
    low: &mut [Complex32],
    high: &mut [Complex32],
    turned: impl Fn(Complex32) -> Complex32,
) {
    let n = twiddles.len();
    let (low, high) = (&mut low[..n], &mut high[..n]);
    for i in 0..n {
        let (a, b, twiddle) = (low[i], high[n - 1 - i], turned(twiddles[i]));
        let (re, im) = (a.re - b.re, a.im + b.im); // Z[k] - Z*[M-k]
        let even = (0.5 * (a.re + b.re), 0.5 * (a.im - b.im));
        let odd = (twiddle.re * re - twiddle.im * im, twiddle.re * im + twiddle.im * re);
        low[i] = Complex32::new(even.0 + odd.0, even.1 + odd.1);
        high[n - 1 - i] = Complex32::new(even.0 - odd.0, odd.1 - even.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::dft::dft;

    /// The complex DFT by its definition.
    fn complex_dft(z: &[Complex32]) -> Vec<Complex32> {
        let n = z.len();
        (0..n)
            .map(|k| {
                let term = |(i, z): (usize, &Complex32)| {
                    let angle = -2.0 * PI * ((k * i) % n) as f64 / n as f64;
                    num_complex::Complex::new(f64::from(z.re), f64::from(z.im))
                        * num_complex::Complex::from_polar(1.0, angle)
                };
                let sum: num_complex::Complex<f64> = z.iter().enumerate().map(term).sum();
                Complex32::new(sum.re as f32, sum.im as f32)
            })
            .collect()
    }

    #[test]
    fn the_split_transform_equals_the_dft_of_the_samples() {
        for n_half in [1, 2, 3, 4, 5, 17, 32, 33, 34, 35, 66, 100] {
            let samples: Vec<f32> = (0..2 * n_half).map(|n| ((n * n) as f32 * 0.3).sin()).collect();
            let pairs: Vec<_> = samples.chunks(2).map(|pair| Complex32::new(pair[0], pair[1])).collect();
            let mut found = complex_dft(&pairs);
            found.push(Complex32::new(f32::NAN, f32::NAN));
            RealFftSplit::new(n_half).apply(&mut found);
            for (k, (found, expected)) in found.iter().zip(dft(&samples)).enumerate() {
                assert!((found - expected).norm() < 1e-5, "{k} of {n_half}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_inverse_reproduces_the_transform_of_the_pairs() {
        for n_half in [1, 2, 3, 4, 5, 17, 32, 33, 64, 99, 1024] {
            let pairs: Vec<_> = (0..n_half)
                .map(|n| Complex32::new((n as f32 * 0.3).sin(), (n as f32 * n as f32 * 0.7).cos()))
                .collect();
            let (split, mut bins) = (RealFftSplit::new(n_half), pairs.clone());
            bins.push(Complex32::default());
            split.apply(&mut bins);
            split.invert(&mut bins);
            for (k, (found, expected)) in bins.iter().zip(&pairs).enumerate() {
                assert!((found - expected).norm() < 1e-6, "{k} of {n_half}: {found} instead of {expected}");
            }
        }
    }
}
