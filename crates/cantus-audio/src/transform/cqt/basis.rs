//! The wavelets of one octave of a CQT as sparse spectra (spectral kernels).
//!
//! A wavelet is a windowed complex exponential of Q periods. Its spectrum is a narrow peak, of which only the largest bins
//! are kept. The inner product of that spectrum with a frame's spectrum is the transform's value in the frame (Parseval).
//!
//! # Reference
//! Brown & Puckette, "An efficient algorithm for the calculation of a constant Q transform", 1992;
//! `librosa.filters.wavelet` and `librosa.util.sparsify_rows` 0.11.

use std::f64::consts::TAU;

use realfft::RealFftPlanner;

use super::CqtConfig;
use crate::transform::Norm;
use crate::transform::fourier::{self, Complex32};

/// Lanes of the inner products; even, as real and imaginary parts alternate.
const LANES: usize = 8;

/// The spectra of the wavelets of one octave.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    n_fft: usize,
    rows: Vec<Row>,
    /// The real parts of all rows, concatenated, each twice.
    re: Vec<f32>,
    /// The imaginary parts, each twice.
    im: Vec<f32>,
}

/// The kept range of a wavelet's spectrum.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// The first bin.
    bin: usize,
    /// Range of its weights in `re` and `im`.
    start: usize,
    end: usize,
}

impl Basis {
    /// Computes the spectra of wavelets at ascending `frequencies`, for a sample rate in Hz.
    pub(super) fn new(config: &CqtConfig, frequencies: &[f64], sample_rate: f64) -> Self {
        let lengths: Vec<f64> = frequencies.iter().map(|f| config.wavelet_length(*f, sample_rate)).collect();
        let n_fft = n_fft(&lengths);
        let mut basis = Self { n_fft, rows: Vec::new(), re: Vec::new(), im: Vec::new() };
        let mut transform = WaveletTransform::new(n_fft);
        for (frequency, length) in frequencies.iter().zip(lengths) {
            let (mut re, mut im) = wavelet(config, *frequency / sample_rate, length, n_fft);
            let spectrum = transform.spectrum(&mut re, &mut im);
            basis.push(&spectrum, threshold(&spectrum, config.sparsity));
        }
        basis
    }

    /// Length of the FFT.
    pub(super) fn n_fft(&self) -> usize {
        self.n_fft
    }

    /// The inner products of a frame with every wavelet.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`, real and imaginary parts interleaved
    /// - returns: one value per wavelet
    pub(super) fn responses<'a>(&'a self, spectrum: &'a [f32]) -> impl Iterator<Item = Complex32> + 'a {
        self.rows.iter().map(move |row| {
            let frame = &spectrum[2 * row.bin..];
            let (by_re, by_im) = (self.sum(&self.re, row, frame), self.sum(&self.im, row, frame));
            // (a + ib)(c + id), where `by_re` holds ac and ad, `by_im` bc and bd
            Complex32::new(by_re.re - by_im.im, by_re.im + by_im.re)
        })
    }

    /// `Σ weights · frame` over the even and over the odd indices.
    fn sum(&self, weights: &[f32], row: &Row, frame: &[f32]) -> Complex32 {
        let (chunks, rest) = weights[row.start..row.end].as_chunks::<LANES>();
        let (frames, frame_rest) = frame[..row.end - row.start].as_chunks::<LANES>();
        let mut lanes = [0.0f32; LANES];
        for (weights, frame) in chunks.iter().zip(frames) {
            for ((lane, w), x) in lanes.iter_mut().zip(weights).zip(frame) {
                *lane += w * x;
            }
        }
        for ((lane, w), x) in lanes.iter_mut().zip(rest).zip(frame_rest) {
            *lane += w * x;
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        Complex32::new((a + c) + (e + g), (b + d) + (f + h))
    }

    /// Adds the range of a spectrum from the first to the last value that reaches the threshold; values below it become 0.
    fn push(&mut self, spectrum: &[Complex32], threshold: f32) {
        let is_kept = |bin: &Complex32| bin.norm() >= threshold;
        let first = spectrum.iter().position(is_kept).unwrap_or(0);
        let end = spectrum.iter().rposition(is_kept).map_or(first, |last| last + 1);
        let start = self.re.len();
        for bin in &spectrum[first..end] {
            let kept = if is_kept(bin) { *bin } else { Complex32::ZERO };
            self.re.extend([kept.re; 2]);
            self.im.extend([kept.im; 2]);
        }
        self.rows.push(Row { bin: first, start, end: self.re.len() });
    }
}

/// The smallest power of two of at least the length of the longest wavelet.
pub(super) fn n_fft(lengths: &[f64]) -> usize {
    let longest = lengths.iter().copied().fold(1.0, f64::max);
    2f64.powf(longest.log2().ceil()) as usize
}

/// Real and imaginary part of a wavelet of `frequency` periods per sample, centred in a frame.
fn wavelet(config: &CqtConfig, frequency: f64, length: f64, n_fft: usize) -> (Vec<f64>, Vec<f64>) {
    let first = (-length / 2.0).floor();
    let n = ((length / 2.0).floor() - first) as usize;
    let window = config.window.weights(n);
    let scale = length / n_fft as f64 / norm_of(config.norm, &window);
    let offset = (n_fft - n) / 2;
    let (mut re, mut im) = (vec![0.0; n_fft], vec![0.0; n_fft]);
    for (i, weight) in window.iter().enumerate() {
        let angle = TAU * frequency * (first + i as f64);
        // Rounded to f32, as librosa stores them.
        re[offset + i] = f64::from((weight * scale * angle.cos()) as f32);
        im[offset + i] = f64::from((weight * scale * angle.sin()) as f32);
    }
    (re, im)
}

/// The norm of a wavelet with these magnitudes.
fn norm_of(norm: Norm, window: &[f64]) -> f64 {
    let length = match norm {
        Norm::Max => window.iter().copied().fold(0.0, f64::max),
        Norm::L1 => window.iter().sum(),
        Norm::L2 => window.iter().map(|w| w * w).sum::<f64>().sqrt(),
        Norm::None => 1.0,
    };
    if length > 0.0 { length } else { 1.0 }
}

/// The smallest magnitude that is kept: those below it sum to less than `sparsity` of the sum of magnitudes.
fn threshold(spectrum: &[Complex32], sparsity: f32) -> f32 {
    let mut magnitudes: Vec<f32> = spectrum.iter().map(|bin| bin.norm()).collect();
    let sum: f32 = magnitudes.iter().sum();
    magnitudes.sort_unstable_by(f32::total_cmp);
    let mut below = 0.0;
    for magnitude in &magnitudes {
        below += magnitude / sum;
        if below >= sparsity {
            return *magnitude;
        }
    }
    0.0
}

/// The spectrum of a complex signal by two real FFTs.
struct WaveletTransform {
    plan: std::sync::Arc<dyn realfft::RealToComplex<f64>>,
}

impl WaveletTransform {
    fn new(n_fft: usize) -> Self {
        Self { plan: RealFftPlanner::new().plan_fft_forward(n_fft) }
    }

    /// `[n_fft / 2 + 1]`; the signals are used as scratch.
    #[expect(clippy::expect_used, reason = "the signals have the length of the plan")]
    fn spectrum(&mut self, re: &mut [f64], im: &mut [f64]) -> Vec<Complex32> {
        let n_bins = fourier::n_bins(re.len());
        let mut of_re = vec![num_complex::Complex::ZERO; n_bins];
        let mut of_im = of_re.clone();
        self.plan.process(re, &mut of_re).expect("lengths fit");
        self.plan.process(im, &mut of_im).expect("lengths fit");
        let both = of_re.iter().zip(&of_im);
        both.map(|(a, b)| Complex32::new((a.re - b.im) as f32, (a.im + b.re) as f32)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_products_equal_their_definition() {
        let config = CqtConfig { sparsity: 0.0, ..CqtConfig::default() };
        let basis = Basis::new(&config, &[2093.0, 3000.0], 22_050.0);
        assert_eq!(basis.n_fft(), 256);
        let frame: Vec<f32> = (0..2 * 129).map(|i| (i as f32 * 0.37).sin()).collect();
        for (row, found) in basis.rows.iter().zip(basis.responses(&frame)) {
            let weights = (row.start..row.end).step_by(2).map(|i| Complex32::new(basis.re[i], basis.im[i]));
            let bins = frame.chunks(2).skip(row.bin).map(|pair| Complex32::new(pair[0], pair[1]));
            let expected: Complex32 = weights.zip(bins).map(|(w, x)| w * x).sum();
            assert!((found - expected).norm() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn few_bins_of_a_spectrum_are_kept_at_the_default_sparsity() {
        let basis = Basis::new(&CqtConfig::default(), &[2093.0, 2217.5, 2349.3], 22_050.0);
        for row in &basis.rows {
            let n_bins = (row.end - row.start) / 2;
            assert!((3..40).contains(&n_bins), "{n_bins} of 129");
        }
    }
}
