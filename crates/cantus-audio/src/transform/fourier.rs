//! The fast Fourier transform of real frames.
//!
//! [`RealFft`] computes the same as [`dft`] in O(N log N), planned once for many frames.
//!
//! # Conventions
//! Forward unscaled, inverse scaled by 1/N, as `numpy.fft.rfft` and `irfft`.
//!
//! # Reference
//! Cooley & Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965.

use std::fmt;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

pub use super::dft::{Complex32, dft, fft_frequencies, inverse_dft, n_bins};
use super::real_fft_split::RealFftSplit;

/// A planned FFT of real frames of one length. Nothing is allocated after planning, except for the inverse on its first
/// use.
pub struct RealFft {
    n_fft: usize,
    forward: Forward,
    inverse: Option<Inverse>,
    scratch: Vec<Complex32>,
}

/// The method of the forward transform.
#[derive(Clone)]
enum Forward {
    /// For even lengths: a complex FFT of half the length, whose spectrum is then split.
    Even {
        half: Arc<dyn Fft<f32>>,
        split: Arc<RealFftSplit>,
    },
    Odd(Arc<dyn RealToComplex<f32>>),
}

/// The method of the inverse transform: that of the forward one in reverse.
#[derive(Clone)]
enum Inverse {
    Even { half: Arc<dyn Fft<f32>>, split: Arc<RealFftSplit> },
    Odd(Arc<dyn ComplexToReal<f32>>),
}

impl Inverse {
    fn plan(n_fft: usize) -> Self {
        if !n_fft.is_multiple_of(2) {
            return Self::Odd(RealFftPlanner::new().plan_fft_inverse(n_fft));
        }
        let n_half = n_fft / 2;
        Self::Even {
            half: FftPlanner::new().plan_fft_inverse(n_half),
            split: Arc::new(RealFftSplit::new(n_half)),
        }
    }

    fn scratch_len(&self) -> usize {
        match self {
            Self::Even { half, .. } => half.get_outofplace_scratch_len(),
            Self::Odd(fft) => fft.get_scratch_len(),
        }
    }
}

impl Forward {
    fn plan(n_fft: usize) -> Self {
        if !n_fft.is_multiple_of(2) {
            return Self::Odd(RealFftPlanner::new().plan_fft_forward(n_fft));
        }
        let n_half = n_fft / 2;
        Self::Even {
            half: FftPlanner::new().plan_fft_forward(n_half),
            split: Arc::new(RealFftSplit::new(n_half)),
        }
    }

    fn scratch_len(&self) -> usize {
        match self {
            Self::Even { half, .. } => half.get_outofplace_scratch_len(),
            Self::Odd(fft) => fft.get_scratch_len(),
        }
    }
}

impl RealFft {
    /// Plans transforms of `n_fft` samples; 0 is taken as 1.
    #[must_use]
    pub fn new(n_fft: usize) -> Self {
        let n_fft = n_fft.max(1);
        let forward = Forward::plan(n_fft);
        Self { n_fft, scratch: vec![Complex32::default(); forward.scratch_len()], forward, inverse: None }
    }

    /// The same with the inverse planned, too.
    pub(crate) fn with_inverse(n_fft: usize) -> Self {
        let mut fft = Self::new(n_fft);
        fft.inverse = Some(Inverse::plan(fft.n_fft));
        fft
    }

    /// Length of a frame, in samples.
    #[must_use]
    pub fn n_fft(&self) -> usize {
        self.n_fft
    }

    /// Length of a spectrum: `n_fft / 2 + 1`.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        n_bins(self.n_fft)
    }

    /// Transforms a frame. The frame is used as scratch; its contents are unspecified afterwards.
    ///
    /// # Shapes
    /// - `frame`: `[n_fft]`
    /// - `spectrum`: `[n_fft / 2 + 1]`, overwritten
    ///
    /// # Panics
    /// If a length differs.
    pub fn forward(&mut self, frame: &mut [f32], spectrum: &mut [Complex32]) {
        assert_eq!((frame.len(), spectrum.len()), (self.n_fft, self.n_bins()));
        match &mut self.forward {
            Forward::Even { half, split } => {
                let n_half = self.n_fft / 2;
                // Pairs of real samples have the memory layout of complex numbers.
                let pairs: &mut [Complex32] = bytemuck::cast_slice_mut(frame);
                half.process_outofplace_with_scratch(pairs, &mut spectrum[..n_half], &mut self.scratch);
                split.apply(spectrum);
            }
            Forward::Odd(fft) => {
                let done = fft.process_with_scratch(frame, spectrum, &mut self.scratch);
                debug_assert!(done.is_ok(), "realfft fails on wrong lengths only, and they were checked");
            }
        }
    }

    /// Inverse transform of a spectrum. The spectrum is used as scratch; its contents are unspecified afterwards.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`
    /// - `frame`: `[n_fft]`, overwritten
    ///
    /// # Panics
    /// If a length differs.
    pub fn inverse(&mut self, spectrum: &mut [Complex32], frame: &mut [f32]) {
        let scale = self.inverse_unscaled(spectrum, frame);
        frame.iter_mut().for_each(|x| *x *= scale);
    }

    /// [`Self::inverse`] without its factor, which is returned.
    pub(crate) fn inverse_unscaled(&mut self, spectrum: &mut [Complex32], frame: &mut [f32]) -> f32 {
        assert_eq!((spectrum.len(), frame.len()), (self.n_bins(), self.n_fft));
        let inverse = self.inverse.get_or_insert_with(|| Inverse::plan(self.n_fft));
        let n_scratch = inverse.scratch_len();
        if self.scratch.len() < n_scratch {
            self.scratch.resize(n_scratch, Complex32::default());
        }
        match inverse {
            Inverse::Even { half, split } => {
                let n_half = self.n_fft / 2;
                split.invert(spectrum);
                let pairs: &mut [Complex32] = bytemuck::cast_slice_mut(frame);
                half.process_outofplace_with_scratch(&mut spectrum[..n_half], pairs, &mut self.scratch);
                1.0 / n_half as f32
            }
            Inverse::Odd(fft) => {
                // The spectrum of a real frame has no imaginary part at 0 Hz, except by rounding.
                spectrum[0].im = 0.0;
                let done = fft.process_with_scratch(spectrum, frame, &mut self.scratch);
                debug_assert!(
                    done.is_ok(),
                    "realfft fails on wrong lengths and imaginary ends only, and neither occurs"
                );
                1.0 / self.n_fft as f32
            }
        }
    }
}

impl fmt::Debug for RealFft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealFft").field("n_fft", &self.n_fft).finish_non_exhaustive()
    }
}

impl Clone for RealFft {
    /// The same plan with its own scratch.
    fn clone(&self) -> Self {
        Self {
            n_fft: self.n_fft,
            forward: self.forward.clone(),
            inverse: self.inverse.clone(),
            scratch: self.scratch.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn noise(n: usize) -> Vec<f32> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    fn parts(spectrum: &[Complex32]) -> Vec<f32> {
        spectrum.iter().flat_map(|bin| [bin.re, bin.im]).collect()
    }

    #[test]
    fn the_fft_equals_the_dft() {
        for n_fft in [1, 2, 3, 8, 15, 97, 100, 512, 2048] {
            let mut frame = noise(n_fft);
            let expected = dft(&frame);
            let mut fft = RealFft::new(n_fft);
            let mut found = vec![Complex32::default(); fft.n_bins()];
            fft.forward(&mut frame, &mut found);
            assert_close(&parts(&found), &parts(&expected), 1e-6 * (n_fft as f64).sqrt() + 1e-6);
        }
    }

    #[test]
    fn inverse_transforms_reproduce_the_frame() {
        for n_fft in [1, 2, 3, 15, 64, 100] {
            let frame = noise(n_fft);
            let mut spectrum = dft(&frame);
            assert_close(&inverse_dft(&spectrum, n_fft), &frame, 1e-6);
            let mut found = vec![0.0; n_fft];
            RealFft::new(n_fft).inverse(&mut spectrum, &mut found);
            assert_close(&found, &frame, 1e-6);
        }
    }
}
