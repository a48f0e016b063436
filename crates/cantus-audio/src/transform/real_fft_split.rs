//! The split step of a real FFT: the spectrum of 2M real samples from the complex FFT of M pairs.
//!
//! The pairs `z[n] = x[2n] + i · x[2n+1]` have the transform `Z`, from which the spectra of the even and odd samples are
//! `E[k] = (Z[k] + Z*[M-k]) / 2` and `O[k] = (Z[k] - Z*[M-k]) / 2i`. A radix-2 butterfly combines them:
//! `X[k] = E[k] + exp(-πik/M) · O[k]` and `X[M-k] = (E[k] - exp(-πik/M) · O[k])*`.
//!
//! # Reference
//! Sorensen, Jones, Heideman & Burrus, "Real-valued fast Fourier transform algorithms", 1987.

use std::array;
use std::f64::consts::PI;

use cantus_simd::multiversion;

use super::dft::Complex32;

/// Number of bins computed at once.
const LANES: usize = 16;

/// The twiddle factors of one length.
#[derive(Debug)]
pub(super) struct RealFftSplit {
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
        assert!(self.twiddles.len() + 1 == n_half.div_ceil(2).max(1));
        let first = bins[0];
        bins[0] = Complex32::new(first.re + first.im, 0.0);
        bins[n_half] = Complex32::new(first.re - first.im, 0.0);
        if n_half.is_multiple_of(2) {
            bins[n_half / 2] = bins[n_half / 2].conj();
        }
        let n = self.twiddles.len();
        let (low, high) = bins.split_at_mut(n_half - n);
        split(&self.twiddles, &mut low[1..=n], &mut high[..n]);
    }
}

/// Combines the bins `1..` (`low`) with the bins `..M` (`high`); both ascend.
#[multiversion]
fn split(twiddles: &[Complex32], low: &mut [Complex32], high: &mut [Complex32]) {
    let (twiddles, twiddles_rest) = twiddles.as_chunks::<LANES>();
    let (low, low_rest) = low.as_chunks_mut::<LANES>();
    let (high_rest, high) = high.as_rchunks_mut::<LANES>();
    for (twiddles, (low, high)) in twiddles.iter().zip(low.iter_mut().zip(high.iter_mut().rev())) {
        butterflies(twiddles, low, high);
    }
    for (twiddle, (low, high)) in
        twiddles_rest.iter().zip(low_rest.iter_mut().zip(high_rest.iter_mut().rev()))
    {
        butterflies(&[*twiddle], array::from_mut(low), array::from_mut(high));
    }
}

/// `N` butterflies; `high` is in reverse order.
#[inline(always)]
fn butterflies<const N: usize>(
    twiddles: &[Complex32; N],
    low: &mut [Complex32; N],
    high: &mut [Complex32; N],
) {
    let mut even = ([0.0; N], [0.0; N]);
    let mut odd = ([0.0; N], [0.0; N]);
    for i in 0..N {
        let (a, b, twiddle) = (low[i], high[N - 1 - i], twiddles[i]);
        let (re, im) = (a.re - b.re, a.im + b.im); // Z[k] - Z*[M-k]
        even.0[i] = 0.5 * (a.re + b.re);
        even.1[i] = 0.5 * (a.im - b.im);
        odd.0[i] = twiddle.re * re - twiddle.im * im;
        odd.1[i] = twiddle.re * im + twiddle.im * re;
    }
    for i in 0..N {
        low[i] = Complex32::new(even.0[i] + odd.0[i], even.1[i] + odd.1[i]);
        high[N - 1 - i] = Complex32::new(even.0[i] - odd.0[i], odd.1[i] - even.1[i]);
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
}
