//! Parameters that all features of a specification share: framing, STFT, mel bands, decibels and MFCCs.

use super::dct::{DctNorm, DctType};
use super::mel::{MelConfig, mel_frequencies};
use super::range_check::require;
use crate::Error;
use crate::transform::StftConfig;
use crate::transform::fourier::{self, fft_frequencies};

/// Maximum number of values of a segment: 1 GiB of f32.
pub(super) const MAX_VALUES: usize = 1 << 28;

/// Range of levels, in dB, that a transform in single precision measures within 0.01 dB: its rounding errors are 140 dB below
/// the maximum.
const MAX_SINGLE_PRECISION_DB: f32 = 80.0;

/// Framing and front-end parameters of a feature specification.
#[derive(Debug, Clone)]
pub(super) struct FrameParams {
    /// In Hz.
    pub sample_rate: u32,
    /// Framing and window.
    pub stft: StftConfig,
    /// Exponent of the magnitude before the mel filters: 2 for power.
    pub power: f32,
    /// Mel filter bank; of the same sample rate and FFT length.
    pub mel: MelConfig,
    /// Dynamic range of decibels below the maximum of the segment, in dB; unlimited if `None`.
    pub top_db: Option<f32>,
    /// Number of cepstral coefficients.
    pub n_mfcc: usize,
    /// Type of the cosine transform.
    pub dct_type: DctType,
    /// Scaling of the cosine transform.
    pub dct_norm: DctNorm,
    /// Cepstral lifter; 0 for none.
    pub lifter: f32,
    /// Length of a segment, in samples. Only validation depends on it: extraction accepts any length.
    pub segment_samples: usize,
}

impl FrameParams {
    /// Number of frames of `n_samples` samples.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.stft.n_frames(n_samples)
    }

    /// Checks that a signal has a frame.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names `n_fft`, if frames are not centred and the signal is shorter than one.
    pub fn validate_length(&self, n_samples: usize) -> Result<(), Error> {
        let n_fft = self.stft.n_fft;
        require(self.stft.center || n_samples >= n_fft, "n_fft", n_fft, || {
            format!("at most the length of the recording, {n_samples} samples, where center = false")
        })
    }

    /// Whether decibels reach down to bins that are rounding errors in single precision.
    pub fn measures_empty_bins(&self) -> bool {
        self.top_db.is_none_or(|top_db| top_db > MAX_SINGLE_PRECISION_DB)
    }

    /// Number of bins of the FFT: `n_fft / 2 + 1`.
    pub fn n_fft_bins(&self) -> usize {
        fourier::n_bins(self.stft.n_fft)
    }

    /// Frequencies of the bins of the FFT, in Hz: `[n_fft / 2 + 1]`.
    pub fn fft_hz(&self) -> Vec<f64> {
        fft_frequencies(self.sample_rate, self.stft.n_fft)
    }

    /// [`Self::fft_hz`], rounded to f32.
    pub fn fft_hz_f32(&self) -> Vec<f32> {
        self.fft_hz().iter().map(|&hertz| hertz as f32).collect()
    }

    /// Centre frequencies of the mel bands, in Hz: `[n_mels]`.
    pub fn mel_hz(&self) -> Vec<f64> {
        let MelConfig { n_mels, f_min, f_max, htk, .. } = self.mel;
        let f_max = f_max.unwrap_or(self.sample_rate as f32 / 2.0);
        let corners = mel_frequencies(n_mels + 2, f64::from(f_min), f64::from(f_max), htk);
        corners[1..=n_mels].to_vec()
    }

    /// Checks that a matrix `[n_frames, n_bins]` of a segment is not too large.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names `hop_length`, if it has more than [`MAX_VALUES`] values.
    pub fn validate_size(&self, n_bins: usize) -> Result<(), Error> {
        let (n_frames, hop_length) = (self.n_frames(self.segment_samples), self.stft.hop_length);
        require(n_frames.saturating_mul(n_bins) <= MAX_VALUES, "hop_length", hop_length, || {
            format!(
                "a segment of at most {MAX_VALUES} values; this one has {n_frames} frames of {n_bins} bins"
            )
        })
    }
}

#[cfg(test)]
impl Default for FrameParams {
    /// librosa's defaults, and a segment of 3 s.
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            stft: StftConfig::default(),
            power: 2.0,
            mel: MelConfig::default(),
            top_db: Some(80.0),
            n_mfcc: 20,
            dct_type: DctType::II,
            dct_norm: DctNorm::Ortho,
            lifter: 0.0,
            segment_samples: 66_150,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_has_a_frequency() {
        let params = FrameParams::default();
        assert_eq!((params.fft_hz().len(), params.fft_hz_f32()[1024]), (params.n_fft_bins(), 11_025.0));
        assert_eq!(params.mel_hz().len(), 128);
    }

    /// `librosa.feature.mfcc(y=np.ones(500), center=False)` raises: "n_fft=2048 is too large for uncentered analysis of
    /// input signal of length=500"; of length 2048 it has one frame.
    #[test]
    fn a_signal_shorter_than_an_uncentred_frame_is_an_error() {
        let mut params = FrameParams::default();
        params.validate_length(500).unwrap();
        params.stft.center = false;
        params.validate_length(2048).unwrap();
        let error = params.validate_length(2047).unwrap_err().to_string();
        assert!(error.contains("n_fft = 2048") && error.contains("2047 samples"), "{error}");
    }

    #[test]
    fn a_segment_that_does_not_fit_into_memory_is_an_error() {
        let params = FrameParams::default();
        params.validate_size(1025).unwrap();
        let error = params.validate_size(usize::MAX).unwrap_err().to_string();
        assert!(error.contains("hop_length = 512"), "{error}");
    }
}
