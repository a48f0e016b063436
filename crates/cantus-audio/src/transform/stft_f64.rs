//! The short-time Fourier transform in double precision, for measures of nearly empty bins.
//!
//! In single precision, bins more than 120 dB below the maximum of their frame are rounding errors. librosa multiplies by
//! a window of f64, so that `scipy.fft.rfft` computes in f64, and rounds the spectrum to f32; so does this. It takes about
//! twice as long as [`Stft`](super::Stft).

use std::fmt;

use cantus_simd::multiversion;

use super::dft::{Complex32, n_bins};
use super::real_fft_f64::RealFftF64;
use super::stft::StftConfig;
use crate::Error;

/// A planned short-time Fourier transform in f64, of samples in f32 to spectra in f32.
#[derive(Clone)]
pub(crate) struct StftF64 {
    config: StftConfig,
    /// `[n_fft]`
    window: Vec<f64>,
    fft: RealFftF64,
    /// `[n_fft]`, scratch.
    frame: Vec<f64>,
    /// `[n_bins]`, rounded.
    spectrum: Vec<Complex32>,
}

impl StftF64 {
    /// Plans the transform.
    ///
    /// # Errors
    /// Those of [`StftConfig::validate`].
    pub(crate) fn new(config: StftConfig) -> Result<Self, Error> {
        config.validate()?;
        let win_length = config.win_length.unwrap_or(config.n_fft);
        Ok(Self {
            window: config.window.frame_weights_f64(win_length, config.n_fft),
            fft: RealFftF64::new(config.n_fft),
            frame: vec![0.0; config.n_fft],
            spectrum: vec![Complex32::default(); n_bins(config.n_fft)],
            config,
        })
    }

    /// Transforms frame by frame and calls `visit` with the index and the spectrum, `[n_bins]`, of each.
    pub(crate) fn for_each_frame(&mut self, samples: &[f32], mut visit: impl FnMut(usize, &[Complex32])) {
        let padding = self.config.padding() as isize;
        for t in 0..self.config.n_frames(samples.len()) {
            self.fill_frame(samples, (t * self.config.hop_length) as isize - padding);
            self.fft.forward(&mut self.frame, &mut self.spectrum);
            visit(t, &self.spectrum);
        }
    }

    /// Writes the windowed frame that starts at sample `start` of the padded signal.
    fn fill_frame(&mut self, samples: &[f32], start: isize) {
        let inside =
            usize::try_from(start).ok().and_then(|first| samples.get(first..first + self.config.n_fft));
        if let Some(inside) = inside {
            return apply_window(&mut self.frame, &self.window, inside);
        }
        for (position, (slot, w)) in (start..).zip(self.frame.iter_mut().zip(&self.window)) {
            let source = self.config.pad_mode.source(position, samples.len());
            *slot = source.map_or(0.0, |i| w * f64::from(samples[i]));
        }
    }
}

/// `frame = window · samples`
#[multiversion]
fn apply_window(frame: &mut [f64], window: &[f64], samples: &[f32]) {
    frame.iter_mut().zip(window).zip(samples).for_each(|((slot, w), x)| *slot = w * f64::from(*x));
}

impl fmt::Debug for StftF64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StftF64").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{PadMode, Stft, Window};

    fn spectra(config: &StftConfig, samples: &[f32]) -> Vec<Complex32> {
        let mut found = Vec::new();
        let mut stft = StftF64::new(config.clone()).unwrap();
        stft.for_each_frame(samples, |_, spectrum| found.extend_from_slice(spectrum));
        found
    }

    #[test]
    fn it_equals_the_transform_in_single_precision_to_its_rounding_errors() {
        let samples: Vec<f32> = (0..3001).map(|n| (n as f32 * n as f32 * 2e-4 + 1.0).sin()).collect();
        for (n_fft, win_length, center, pad_mode) in [
            (256, None, true, PadMode::Constant),
            (256, Some(100), true, PadMode::Reflect),
            (255, None, true, PadMode::Edge),
            (512, None, false, PadMode::Constant),
            (8192, None, true, PadMode::Symmetric),
            (8192, None, false, PadMode::Constant),
        ] {
            let config =
                StftConfig { n_fft, win_length, center, pad_mode, hop_length: 60, window: Window::Hann };
            let (found, expected) =
                (spectra(&config, &samples), Stft::new(config.clone()).unwrap().transform(&samples));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).norm() < 1e-4, "{config:?}: {found} instead of {expected}");
            }
        }
    }

    /// A sine at the centre of a bin has no energy outside of three bins; in single precision, -150 dB remain.
    #[test]
    fn empty_bins_are_300_db_below_the_maximum() {
        let config = StftConfig { n_fft: 256, center: false, ..StftConfig::default() };
        // Its samples are multiples of 0.5 and exact in f32.
        let samples: Vec<f32> = [0.0, 1.0, 0.0, -1.0].repeat(64);
        let spectrum = spectra(&config, &samples);
        for (k, bin) in spectrum.iter().enumerate() {
            assert_eq!(bin.norm() > 1e-12, (63..=65).contains(&k), "bin {k}: {}", bin.norm());
        }
    }
}
