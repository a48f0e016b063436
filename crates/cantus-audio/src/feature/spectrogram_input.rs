//! Spectrograms that have been computed before, from which features are computed instead of from samples.

use super::frame_params::FrameParams;

/// A spectrogram, librosa's argument `S`; rows are frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SpectrogramInput<'a> {
    /// Magnitudes: `[n_frames, n_fft / 2 + 1]`.
    Magnitude(&'a [f32]),
    /// Mel bands: `[n_frames, n_mels]`.
    Mel(&'a [f32]),
    /// Mel bands in dB: `[n_frames, n_mels]`.
    LogMel(&'a [f32]),
}

impl SpectrogramInput<'_> {
    /// Number of frames; an incomplete last one is not counted.
    pub(super) fn n_frames(&self, params: &FrameParams) -> usize {
        match self {
            Self::Magnitude(values) => values.len() / params.n_fft_bins(),
            Self::Mel(values) | Self::LogMel(values) => values.len() / params.mel.n_mels,
        }
    }
}
