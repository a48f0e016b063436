//! Window functions for spectral analysis.
//!
//! A window reduces spectral leakage by tapering the ends of a frame, at the cost of a wider main lobe.
//!
//! All windows here are *periodic*, as for spectral analysis, and equal `scipy.signal.get_window(name, n, fftbins=True)`.
//!
//! # Reference
//! Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform", 1978;
//! Nuttall, "Some windows with very good sidelobe behavior", 1981. Names and coefficients are SciPy's.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A window function; names as in SciPy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// Raised cosine: the usual choice, and librosa's default.
    #[default]
    Hann,
    /// Raised cosine that does not quite reach zero; lower first side lobe than Hann.
    Hamming,
    /// Three cosine terms; side lobes below -58 dB.
    Blackman,
    /// Four cosine terms; side lobes below -92 dB.
    BlackmanHarris,
    /// Four cosine terms, Nuttall's minimum; side lobes below -98 dB.
    Nuttall,
    /// Five cosine terms; a flat main lobe, for amplitude measurement.
    Flattop,
    /// Triangle with zero ends.
    Bartlett,
    /// Rectangular: all weights are 1.
    Boxcar,
}

impl Window {
    /// The window's `win_length` weights.
    ///
    /// # Shapes
    /// - returns: `[win_length]`, at most 1 at the centre; a window of one sample is `[1.0]`
    ///
    /// # Reference
    /// Equals `scipy.signal.get_window(self, win_length, fftbins=True)` within 1e-15.
    #[must_use]
    pub fn weights(self, win_length: usize) -> Vec<f64> {
        if win_length == 1 {
            return vec![1.0];
        }
        (0..win_length).map(|n| self.weight(n as f64 / win_length as f64)).collect()
    }

    /// The weights of a frame of `n_fft` samples: `win_length` weights in the middle, zeros around them.
    ///
    /// # Shapes
    /// - returns: `[n_fft]`
    ///
    /// A `win_length` above `n_fft` is taken as `n_fft`.
    ///
    /// # Reference
    /// Equals `librosa.util.pad_center(get_window(…), size=n_fft)`.
    #[must_use]
    pub fn frame_weights(self, win_length: usize, n_fft: usize) -> Vec<f32> {
        self.frame_weights_f64(win_length, n_fft).into_iter().map(|weight| weight as f32).collect()
    }

    /// [`Self::frame_weights`] in double precision.
    pub(crate) fn frame_weights_f64(self, win_length: usize, n_fft: usize) -> Vec<f64> {
        let win_length = win_length.min(n_fft);
        let first = (n_fft - win_length) / 2;
        let mut weights = vec![0.0; n_fft];
        weights[first..first + win_length].copy_from_slice(&self.weights(win_length));
        weights
    }

    /// The weight at `position` of the period, in [0, 1).
    fn weight(self, position: f64) -> f64 {
        match self {
            Self::Hann => cosine_sum(&[0.5, 0.5], position),
            Self::Hamming => cosine_sum(&[0.54, 0.46], position),
            Self::Blackman => cosine_sum(&[0.42, 0.50, 0.08], position),
            Self::BlackmanHarris => cosine_sum(&[0.35875, 0.48829, 0.14128, 0.01168], position),
            Self::Nuttall => cosine_sum(&[0.363_581_9, 0.489_177_5, 0.136_599_5, 0.010_641_1], position),
            Self::Flattop => cosine_sum(
                &[0.215_578_95, 0.416_631_58, 0.277_263_158, 0.083_578_947, 0.006_947_368],
                position,
            ),
            Self::Bartlett => 1.0 - (2.0 * position - 1.0).abs(),
            Self::Boxcar => 1.0,
        }
    }
}

/// A cosine-sum window: `Σ coefficients[k] · cos(k · (2π · position - π))`.
fn cosine_sum(coefficients: &[f64], position: f64) -> f64 {
    let angle = PI * (2.0 * position - 1.0);
    coefficients.iter().enumerate().map(|(k, a)| a * (k as f64 * angle).cos()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_window_shorter_than_its_frame_is_centred() {
        // print(librosa.util.pad_center(scipy.signal.get_window("hann", 4), size=9))
        assert_close(&Window::Hann.frame_weights(4, 9), &[0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0], 1e-7);
    }

    #[test]
    fn hann_windows_at_half_overlap_add_up_to_one() {
        let weights = Window::Hann.weights(64);
        let sums: Vec<f64> = weights.iter().zip(&weights[32..]).map(|(a, b)| a + b).collect();
        assert_close(&sums, &[1.0; 32], 1e-15);
    }

    #[test]
    fn windows_of_length_0_and_1_and_over_n_fft_are_accepted() {
        assert!(Window::Hann.weights(0).is_empty());
        assert_eq!(Window::Hann.weights(1), [1.0]);
        assert_eq!(Window::Boxcar.frame_weights(9, 2), [1.0, 1.0]);
    }
}
