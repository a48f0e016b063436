//! The Fourier transform of one frame: which frequencies it is made of.
//!
//! `X[k] = Σₙ x[n] · exp(-2πi · k · n / N)`: the frame is compared with a turning pointer of every frequency that
//! makes a whole number `k` of turns within it. The length of `X[k]` says how much of that frequency is there, its
//! angle says where in the turn it starts. Bin `k` lies at `k · sample_rate / N` Hz. A real signal needs only the
//! bins `0 ..= N/2`: the others mirror them.
//!
//! [`dft`] and [`inverse_dft`] are that sum as it stands, N² steps, to be read and to test against. [`RealFft`] gives
//! the same numbers in N log N steps, planned once for many frames.
//!
//! # Conventions
//! Forward without scaling, inverse with 1/N, as `numpy.fft.rfft` and `irfft`.
//!
//! # Reference
//! Cooley & Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use super::unfold::Unfold;

/// A complex number of two f32: `re + i · im`.
pub type Complex32 = num_complex::Complex<f32>;

/// The discrete Fourier transform, straight from its definition.
///
/// # Shapes
/// - `frame`: `[n_fft]`
/// - returns: `[n_fft / 2 + 1]`; empty for an empty frame
///
/// # Reference
/// Equals `numpy.fft.rfft`.
pub fn dft(frame: &[f32]) -> Vec<Complex32> {
    let n_fft = frame.len();
    (0..n_bins(n_fft))
        .map(|k| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &x) in frame.iter().enumerate() {
                let angle = turn(k, n, n_fft);
                re += f64::from(x) * angle.cos();
                im -= f64::from(x) * angle.sin();
            }
            Complex32::new(re as f32, im as f32)
        })
        .collect()
}

/// The inverse of [`dft`]: every frequency turns at its strength, and their sum is the frame.
///
/// # Shapes
/// - `spectrum`: `[n_fft / 2 + 1]`; bins that are absent count as zero
/// - returns: `[n_fft]`
///
/// # Reference
/// Equals `numpy.fft.irfft(spectrum, n_fft)`.
pub fn inverse_dft(spectrum: &[Complex32], n_fft: usize) -> Vec<f32> {
    (0..n_fft)
        .map(|n| {
            let sum: f64 = spectrum
                .iter()
                .take(n_bins(n_fft))
                .enumerate()
                .map(|(k, bin)| {
                    let angle = turn(k, n, n_fft);
                    // A bin and its mirror image add up to twice the real part; the first and the middle have none.
                    let twins = if k == 0 || 2 * k == n_fft { 1.0 } else { 2.0 };
                    twins * (f64::from(bin.re) * angle.cos() - f64::from(bin.im) * angle.sin())
                })
                .sum();
            (sum / n_fft as f64) as f32
        })
        .collect()
}

/// Number of bins of the transform of `n_fft` real samples: `n_fft / 2 + 1`, and none of no samples.
pub fn n_bins(n_fft: usize) -> usize {
    if n_fft == 0 { 0 } else { n_fft / 2 + 1 }
}

/// The frequencies of the bins, in Hz.
///
/// # Shapes
/// - returns: `[n_fft / 2 + 1]`, rising from 0 to half the sample rate
///
/// # Reference
/// Equals `librosa.fft_frequencies`.
pub fn fft_frequencies(sample_rate: u32, n_fft: usize) -> Vec<f64> {
    (0..n_bins(n_fft)).map(|k| k as f64 * f64::from(sample_rate) / n_fft as f64).collect()
}

/// The angle after `n` steps of `k` turns per `n_fft`. Whole turns are left out while they are still exact integers.
fn turn(k: usize, n: usize, n_fft: usize) -> f64 {
    TAU * ((k * n) % n_fft) as f64 / n_fft as f64
}

/// The fast Fourier transform of real frames of one length, planned once: nothing is allocated afterwards, but for the
/// plan of the inverse when it is first asked for.
pub struct RealFft {
    n_fft: usize,
    forward: Forward,
    inverse: Option<Arc<dyn ComplexToReal<f32>>>,
    scratch: Vec<Complex32>,
}

/// How a frame is transformed.
#[derive(Clone)]
enum Forward {
    /// Of an even number of samples: as half as many complex ones, whose spectrum is unfolded.
    Even {
        half: Arc<dyn Fft<f32>>,
        unfold: Arc<Unfold>,
    },
    Odd(Arc<dyn RealToComplex<f32>>),
}

impl Forward {
    fn plan(n_fft: usize) -> Self {
        if !n_fft.is_multiple_of(2) {
            return Self::Odd(RealFftPlanner::new().plan_fft_forward(n_fft));
        }
        let n_half = n_fft / 2;
        Self::Even { half: FftPlanner::new().plan_fft_forward(n_half), unfold: Arc::new(Unfold::new(n_half)) }
    }

    fn scratch_len(&self) -> usize {
        match self {
            Self::Even { half, .. } => half.get_outofplace_scratch_len(),
            Self::Odd(fft) => fft.get_scratch_len(),
        }
    }
}

impl RealFft {
    /// Plans transforms of `n_fft` samples; a length of 0 is taken as 1.
    pub fn new(n_fft: usize) -> Self {
        let n_fft = n_fft.max(1);
        let forward = Forward::plan(n_fft);
        Self { n_fft, scratch: vec![Complex32::default(); forward.scratch_len()], forward, inverse: None }
    }

    /// Length of a frame, in samples.
    pub fn n_fft(&self) -> usize {
        self.n_fft
    }

    /// Length of a spectrum: `n_fft / 2 + 1`.
    pub fn n_bins(&self) -> usize {
        n_bins(self.n_fft)
    }

    /// Transforms a frame. The frame is used as working space and holds nothing of meaning afterwards.
    ///
    /// # Shapes
    /// - `frame`: `[n_fft]`
    /// - `spectrum`: `[n_fft / 2 + 1]`, overwritten
    ///
    /// # Panics
    /// If a length is another.
    pub fn forward(&mut self, frame: &mut [f32], spectrum: &mut [Complex32]) {
        assert_eq!((frame.len(), spectrum.len()), (self.n_fft, self.n_bins()));
        match &mut self.forward {
            Forward::Even { half, unfold } => {
                let n_half = self.n_fft / 2;
                // Two real samples lie in memory as one complex number does.
                let folded: &mut [Complex32] = bytemuck::cast_slice_mut(frame);
                half.process_outofplace_with_scratch(folded, &mut spectrum[..n_half], &mut self.scratch);
                unfold.apply(spectrum);
            }
            Forward::Odd(fft) => {
                let done = fft.process_with_scratch(frame, spectrum, &mut self.scratch);
                debug_assert!(done.is_ok(), "realfft refuses wrong lengths only, and the lengths are right");
            }
        }
    }

    /// Transforms a spectrum back. The spectrum is used as working space and holds nothing of meaning afterwards.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`
    /// - `frame`: `[n_fft]`, overwritten
    ///
    /// # Panics
    /// If a length is another.
    pub fn inverse(&mut self, spectrum: &mut [Complex32], frame: &mut [f32]) {
        assert_eq!((spectrum.len(), frame.len()), (self.n_bins(), self.n_fft));
        // A real frame has no imaginary part at 0 Hz, nor at half the sample rate; what is there is rounding.
        spectrum[0].im = 0.0;
        if self.n_fft.is_multiple_of(2) {
            spectrum[self.n_fft / 2].im = 0.0;
        }
        let inverse = self.inverse.get_or_insert_with(|| RealFftPlanner::new().plan_fft_inverse(self.n_fft));
        let n_scratch = inverse.get_scratch_len();
        if self.scratch.len() < n_scratch {
            self.scratch.resize(n_scratch, Complex32::default());
        }
        let done = inverse.process_with_scratch(spectrum, frame, &mut self.scratch);
        debug_assert!(
            done.is_ok(),
            "realfft refuses wrong lengths and imaginary ends only, and neither is left"
        );
        let scale = 1.0 / self.n_fft as f32;
        frame.iter_mut().for_each(|x| *x *= scale);
    }
}

impl fmt::Debug for RealFft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealFft").field("n_fft", &self.n_fft).finish_non_exhaustive()
    }
}

impl Clone for RealFft {
    /// The same plan with working space of its own.
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
    fn the_naive_transform_equals_numpy() {
        // print(np.fft.rfft([3, -1, 4, 1, -5]))
        let expected = [
            2.0,
            0.0,
            -2.899_186_938_124_422,
            -5.567_581_822_058_034,
            9.399_186_938_124_423,
            0.502_028_539_715_568,
        ];
        assert_close(&parts(&dft(&[3.0, -1.0, 4.0, 1.0, -5.0])), &expected, 1e-6);
    }

    #[test]
    fn the_fast_transform_equals_the_naive_one() {
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
    fn the_inverse_transforms_give_the_frame_back() {
        for n_fft in [1, 2, 3, 15, 64, 100] {
            let frame = noise(n_fft);
            let mut spectrum = dft(&frame);
            assert_close(&inverse_dft(&spectrum, n_fft), &frame, 1e-6);
            let mut found = vec![0.0; n_fft];
            RealFft::new(n_fft).inverse(&mut spectrum, &mut found);
            assert_close(&found, &frame, 1e-6);
        }
    }

    #[test]
    fn power_over_frequency_is_energy_over_time() {
        let frame = noise(100);
        let energy: f32 = frame.iter().map(|x| x * x).sum();
        let power = dft(&frame).into_iter().enumerate().map(|(k, bin)| {
            let twins = if k == 0 || k == 50 { 1.0 } else { 2.0 };
            twins * bin.norm_sqr()
        });
        assert_close(&[power.sum::<f32>() / 100.0], &[energy], 1e-4);
    }

    #[test]
    fn a_tone_of_five_turns_fills_bin_five() {
        let frame: Vec<f32> = (0..64).map(|n| (TAU * 5.0 * f64::from(n) / 64.0).cos() as f32).collect();
        let magnitudes: Vec<f32> = dft(&frame).iter().map(|bin| bin.norm()).collect();
        let mut expected = [0.0f32; 33];
        expected[5] = 32.0;
        assert_close(&magnitudes, &expected, 1e-5);
    }

    #[test]
    fn nothing_has_no_spectrum() {
        assert!(dft(&[]).is_empty());
        assert!(inverse_dft(&[], 0).is_empty());
    }
}
