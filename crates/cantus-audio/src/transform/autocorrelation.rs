//! Autocorrelation `r[lag] = Σₙ x[n] · x[n + lag]`, by FFT.
//!
//! All lags are computed at once, as the inverse Fourier transform of the power spectrum of the signal, zero-padded to
//! twice its length (Wiener–Khinchin).
//!
//! # Reference
//! Wiener, "Generalized harmonic analysis", 1930; `librosa.autocorrelate` 0.11.

use super::fourier::{Complex32, RealFft};

/// A planned autocorrelation.
#[derive(Debug, Clone)]
pub struct Autocorrelation {
    n: usize,
    fft: RealFft,
    /// `[n_fft]`, scratch.
    frame: Vec<f32>,
    /// `[n_fft / 2 + 1]`, scratch.
    spectrum: Vec<Complex32>,
}

impl Autocorrelation {
    /// Plans the autocorrelation of signals of `n` samples.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let fft = RealFft::new(fast_length(2 * n));
        Self { n, frame: vec![0.0; fft.n_fft()], spectrum: vec![Complex32::ZERO; fft.n_bins()], fft }
    }

    /// Number of bins of the power spectrum.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.fft.n_bins()
    }

    /// Calls `visit` with the index and the power of each bin of the zero-padded signal.
    ///
    /// # Shapes
    /// - `signal`: `[n]`; missing samples count as zero
    pub fn power(&mut self, signal: impl Iterator<Item = f32>, mut visit: impl FnMut(usize, f32)) {
        self.transform(signal);
        self.spectrum.iter().enumerate().for_each(|(bin, value)| visit(bin, value.norm_sqr()));
    }

    /// The autocorrelation with a given power spectrum.
    ///
    /// # Shapes
    /// - `power`: `[n_bins]`
    /// - `lags`: `[n]`, overwritten
    pub fn of_power(&mut self, power: &[f32], lags: &mut [f32]) {
        self.spectrum.iter_mut().zip(power).for_each(|(bin, power)| *bin = Complex32::new(*power, 0.0));
        self.fft.inverse(&mut self.spectrum, &mut self.frame);
        lags.iter_mut().zip(&self.frame).for_each(|(lag, x)| *lag = *x);
    }

    /// The autocorrelation of a signal.
    ///
    /// # Shapes
    /// - `signal`: `[n]`; missing samples count as zero
    /// - `lags`: `[n]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.autocorrelate` within 1e-6 of its largest value.
    pub fn apply(&mut self, signal: impl Iterator<Item = f32>, lags: &mut [f32]) {
        self.transform(signal);
        self.spectrum.iter_mut().for_each(|bin| *bin = Complex32::new(bin.norm_sqr(), 0.0));
        self.fft.inverse(&mut self.spectrum, &mut self.frame);
        lags.iter_mut().zip(&self.frame).for_each(|(lag, x)| *lag = *x);
    }

    fn transform(&mut self, signal: impl Iterator<Item = f32>) {
        self.frame.fill(0.0);
        self.frame[..self.n].iter_mut().zip(signal).for_each(|(slot, x)| *slot = x);
        self.fft.forward(&mut self.frame, &mut self.spectrum);
    }
}

/// The smallest even FFT length of at least `n` without a prime factor above 3.
fn fast_length(n: usize) -> usize {
    let is_fast = |n: usize| {
        let mut rest = n >> n.trailing_zeros();
        while rest.is_multiple_of(3) {
            rest /= 3;
        }
        rest == 1
    };
    (n.max(2)..).find(|n| n.is_multiple_of(2) && is_fast(*n)).unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn direct(signal: &[f32]) -> Vec<f32> {
        let products = |lag: usize| signal.iter().zip(&signal[lag..]).map(|(a, b)| a * b);
        (0..signal.len()).map(|lag| products(lag).sum()).collect()
    }

    #[test]
    fn it_equals_the_sum_of_its_definition() {
        for n in [1, 2, 7, 100, 384] {
            let signal: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin() + 0.3).collect();
            let mut plan = Autocorrelation::new(n);
            let mut found = vec![f32::NAN; n];
            plan.apply(signal.iter().copied(), &mut found);
            let expected = direct(&signal);
            assert_close(&found, &expected, 1e-6 * f64::from(expected[0]) + 1e-6);
            let mut power = vec![0.0; plan.n_bins()];
            plan.power(signal.iter().copied(), |bin, value| power[bin] = value);
            let mut again = vec![f32::NAN; n];
            plan.of_power(&power, &mut again);
            assert_eq!(again, found);
        }
    }

    #[test]
    fn fft_lengths_are_large_enough_with_small_prime_factors() {
        assert_eq!([0, 1, 3, 5, 768, 769, 688].map(fast_length), [2, 2, 4, 6, 768, 864, 768]);
    }
}
