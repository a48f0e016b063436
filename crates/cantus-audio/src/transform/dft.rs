//! The discrete Fourier transform by its definition: for reading, and as the reference of the fast one in tests.
//!
//! `X[k] = Σₙ x[n] · exp(-2πi · k · n / N)`. Bin `k` is at `k · sample_rate / N` Hz; `|X[k]|` is its magnitude and `arg X[k]`
//! its phase. Of a real signal only the bins `0 ..= N/2` are computed; the others are their complex conjugates.
//!
//! # Conventions
//! Forward unscaled, inverse scaled by 1/N, as `numpy.fft.rfft` and `irfft`.

use std::f64::consts::TAU;

/// A complex number of two `f32`.
pub type Complex32 = num_complex::Complex<f32>;

/// The discrete Fourier transform by its definition, in O(N²).
///
/// # Shapes
/// - `frame`: `[n_fft]`
/// - returns: `[n_fft / 2 + 1]`; empty for an empty frame
///
/// # Reference
/// Equals `numpy.fft.rfft`.
#[must_use]
pub fn dft(frame: &[f32]) -> Vec<Complex32> {
    let n_fft = frame.len();
    (0..n_bins(n_fft))
        .map(|k| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &x) in frame.iter().enumerate() {
                let angle = phase(k, n, n_fft);
                re += f64::from(x) * angle.cos();
                im -= f64::from(x) * angle.sin();
            }
            Complex32::new(re as f32, im as f32)
        })
        .collect()
}

/// The inverse of [`dft`], in O(N²).
///
/// # Shapes
/// - `spectrum`: `[n_fft / 2 + 1]`; missing bins count as zero
/// - returns: `[n_fft]`
///
/// # Reference
/// Equals `numpy.fft.irfft(spectrum, n_fft)`.
#[must_use]
pub fn inverse_dft(spectrum: &[Complex32], n_fft: usize) -> Vec<f32> {
    (0..n_fft)
        .map(|n| {
            let sum: f64 = spectrum
                .iter()
                .take(n_bins(n_fft))
                .enumerate()
                .map(|(k, bin)| {
                    let angle = phase(k, n, n_fft);
                    // A bin and its conjugate sum to twice the real part; the first and the middle bin have no conjugate.
                    let multiplicity = if k == 0 || 2 * k == n_fft { 1.0 } else { 2.0 };
                    multiplicity * (f64::from(bin.re) * angle.cos() - f64::from(bin.im) * angle.sin())
                })
                .sum();
            (sum / n_fft as f64) as f32
        })
        .collect()
}

/// Number of bins of the transform of `n_fft` real samples: `n_fft / 2 + 1`; 0 for 0 samples.
#[must_use]
pub fn n_bins(n_fft: usize) -> usize {
    if n_fft == 0 { 0 } else { n_fft / 2 + 1 }
}

/// Frequencies of the bins, in Hz.
///
/// # Shapes
/// - returns: `[n_fft / 2 + 1]`, ascending from 0 to half the sample rate
///
/// # Reference
/// Equals `librosa.fft_frequencies`.
#[must_use]
pub fn fft_frequencies(sample_rate: u32, n_fft: usize) -> Vec<f64> {
    (0..n_bins(n_fft)).map(|k| k as f64 * f64::from(sample_rate) / n_fft as f64).collect()
}

/// `2π · k · n / n_fft`, reduced to one turn in exact integer arithmetic.
fn phase(k: usize, n: usize, n_fft: usize) -> f64 {
    TAU * ((k * n) % n_fft) as f64 / n_fft as f64
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
    fn the_dft_equals_numpys() {
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
    fn energy_is_preserved() {
        let frame = noise(100);
        let energy: f32 = frame.iter().map(|x| x * x).sum();
        let power = dft(&frame).into_iter().enumerate().map(|(k, bin)| {
            let multiplicity = if k == 0 || k == 50 { 1.0 } else { 2.0 };
            multiplicity * bin.norm_sqr()
        });
        assert_close(&[power.sum::<f32>() / 100.0], &[energy], 1e-4);
    }

    #[test]
    fn a_tone_of_five_periods_is_in_bin_five() {
        let frame: Vec<f32> = (0..64).map(|n| (TAU * 5.0 * f64::from(n) / 64.0).cos() as f32).collect();
        let magnitudes: Vec<f32> = dft(&frame).iter().map(|bin| bin.norm()).collect();
        let mut expected = [0.0f32; 33];
        expected[5] = 32.0;
        assert_close(&magnitudes, &expected, 1e-5);
    }

    #[test]
    fn an_empty_frame_has_an_empty_spectrum() {
        assert!(dft(&[]).is_empty());
        assert!(inverse_dft(&[], 0).is_empty());
    }
}
