//! The one description of how sound becomes numbers.
//!
//! A [`FeatureSpec`] travels with everything that was made by it: the feature store, the run, the model file. Whoever
//! predicts plans the extraction from the model's own spec, so that features at prediction are the features of training.

use serde::{Deserialize, Serialize};

/// How sound becomes features, with librosa's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSpec {
    /// What is computed of each frame; several kinds are stacked side by side, in this order.
    pub kinds: Vec<FeatureKind>,
    /// Sample rate to which recordings are resampled first, in Hz.
    pub sample_rate: u32,
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop_length: usize,
    /// Length of the window, in samples; `n_fft` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_length: Option<usize>,
    /// Whether frame `t` is centred on sample `t * hop_length`, with zeros beyond both ends.
    pub center: bool,
    /// Exponent of the magnitude before the mel filters: 2 is power.
    pub power: f32,
    /// Number of mel bands.
    pub n_mels: usize,
    /// Lower edge of the lowest mel band, in Hz.
    pub f_min: f32,
    /// Upper edge of the highest mel band, in Hz; half the sample rate if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_max: Option<f32>,
    /// HTK's mel scale instead of Slaney's.
    pub htk: bool,
    /// Mel bands of equal area (`slaney`) or of equal height (`none`).
    pub norm: MelNorm,
    /// Decibels are cut this far below the loudest value of the segment; never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_db: Option<f32>,
    /// Number of cepstral coefficients.
    pub n_mfcc: usize,
    /// Cepstral lifter; 0 for none.
    pub lifter: f32,
    /// How a track is cut into the segments that a network is given.
    pub segments: Segments,
}

/// One kind of feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// Mel-frequency cepstral coefficients, `n_mfcc` bins.
    Mfcc,
    /// Mel spectrogram, `n_mels` bins.
    Mel,
    /// Mel spectrogram in dB, `n_mels` bins.
    LogMel,
    /// Magnitude of the STFT, `n_fft / 2 + 1` bins.
    Stft,
}

/// How the mel filters are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelNorm {
    /// Each filter has unit area over frequency (librosa's default).
    Slaney,
    /// Each filter has unit height.
    None,
}

/// How a track is cut: `n_segments` equal pieces of its first `track_duration_s` seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// Duration of a track, in seconds.
    pub track_duration_s: f64,
    /// Number of segments that it is cut into.
    pub n_segments: usize,
}

impl Default for FeatureSpec {
    /// librosa's defaults.
    fn default() -> Self {
        Self {
            kinds: vec![FeatureKind::Mfcc],
            sample_rate: 22_050,
            n_fft: 2048,
            hop_length: 512,
            win_length: None,
            center: true,
            power: 2.0,
            n_mels: 128,
            f_min: 0.0,
            f_max: None,
            htk: false,
            norm: MelNorm::Slaney,
            top_db: Some(80.0),
            n_mfcc: 20,
            lifter: 0.0,
            segments: Segments::default(),
        }
    }
}

impl Default for Segments {
    /// The course's: 30 s in ten pieces.
    fn default() -> Self {
        Self { track_duration_s: 30.0, n_segments: 10 }
    }
}
