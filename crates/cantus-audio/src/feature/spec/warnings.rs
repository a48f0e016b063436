//! Warnings about settings that can be computed but do not fit the signal: those of librosa, which warns or raises there.

use std::fmt;

use super::FeatureSpec;
use crate::feature::front_end::Intermediate;
use crate::feature::mel::MelFilterBank;
use crate::feature::registry::FeatureKind;

/// A setting that does not fit the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecWarning {
    /// Mel bands too narrow to contain a bin of the FFT; they are constant.
    EmptyMelBands {
        /// Number of empty bands.
        n_empty: usize,
        /// Number of bands.
        n_mels: usize,
        /// Length of the FFT, in samples.
        n_fft: usize,
    },
    /// Frames longer than the signal: most of each is padding.
    FrameLongerThanSignal {
        /// Length of a frame, in samples.
        n_fft: usize,
        /// Length of the signal, in samples.
        n_samples: usize,
    },
    /// Fewer frames than the window of the deltas, which is narrowed to them.
    DeltaWiderThanSignal {
        /// Width of the window, in frames.
        width: usize,
        /// Number of frames of the signal.
        n_frames: usize,
    },
}

impl fmt::Display for SpecWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyMelBands { n_empty, n_mels, n_fft } => write!(
                f,
                "{n_empty} of {n_mels} mel bands are empty: too narrow for a bin of n_fft = {n_fft}; reduce n_mels or raise n_fft"
            ),
            Self::FrameLongerThanSignal { n_fft, n_samples } => {
                write!(f, "n_fft = {n_fft} is larger than the signal of {n_samples} samples, which is padded")
            }
            Self::DeltaWiderThanSignal { width, n_frames } => write!(
                f,
                "delta width {width} is larger than the signal of {n_frames} frames; a narrower window is used"
            ),
        }
    }
}

impl FeatureSpec {
    /// What of a valid specification does not fit a signal of `n_samples` samples; at most one warning of each kind.
    #[must_use]
    pub fn warnings(&self, n_samples: usize) -> Vec<SpecWarning> {
        let frame = self.is_longer_than_signal(n_samples);
        [self.empty_mel_bands(), frame, self.narrowed_delta(n_samples)].into_iter().flatten().collect()
    }

    /// `librosa.filters.mel` warns: "Empty filters detected in mel frequency basis."
    fn empty_mel_bands(&self) -> Option<SpecWarning> {
        if !self.required_intermediates().contains(&Intermediate::Mel) {
            return None;
        }
        let n_empty = MelFilterBank::new(&self.mel_config()).n_empty();
        let Self { n_mels, n_fft, .. } = *self;
        (n_empty > 0).then_some(SpecWarning::EmptyMelBands { n_empty, n_mels, n_fft })
    }

    /// `librosa.stft` warns: "n_fft=2048 is too large for input signal of length=500".
    fn is_longer_than_signal(&self, n_samples: usize) -> Option<SpecWarning> {
        let n_fft = self.n_fft;
        (n_fft > n_samples).then_some(SpecWarning::FrameLongerThanSignal { n_fft, n_samples })
    }

    /// `librosa.feature.delta` raises: "when mode='interp', width=9 cannot exceed data.shape[axis]=6".
    fn narrowed_delta(&self, n_samples: usize) -> Option<SpecWarning> {
        let is_delta = |kind: &FeatureKind| matches!(kind, FeatureKind::MfccDelta | FeatureKind::MfccDelta2);
        let (width, n_frames) = (self.delta.width, self.n_frames(n_samples));
        let is_wider = self.kinds.iter().any(is_delta) && width > n_frames;
        is_wider.then_some(SpecWarning::DeltaWiderThanSignal { width, n_frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kinds: &[FeatureKind]) -> FeatureSpec {
        FeatureSpec { kinds: kinds.to_vec(), ..FeatureSpec::default() }
    }

    #[test]
    fn librosas_defaults_and_the_course_have_no_warnings() {
        assert!(spec(FeatureKind::ALL).warnings(66_150).is_empty());
        assert!(FeatureSpec::course().warnings(66_150).is_empty());
    }

    /// `w = librosa.filters.mel(sr=22050, n_fft=256, n_mels=128); print((w.max(axis=1) == 0)[1:].sum())`, and 2048, 1024.
    #[test]
    fn empty_mel_bands_are_as_many_as_librosas() {
        for (n_fft, n_mels, n_empty) in [(256, 128, 19), (2048, 1024, 151)] {
            let spec = FeatureSpec { n_fft, n_mels, ..spec(&[FeatureKind::Mel]) };
            assert_eq!(spec.warnings(66_150), [SpecWarning::EmptyMelBands { n_empty, n_mels, n_fft }]);
            assert!(FeatureSpec { kinds: vec![FeatureKind::Rms], ..spec }.warnings(66_150).is_empty());
        }
    }

    #[test]
    fn frames_and_deltas_longer_than_the_signal_are_warned_of() {
        let spec = spec(&[FeatureKind::MfccDelta]);
        let delta = SpecWarning::DeltaWiderThanSignal { width: 9, n_frames: 6 };
        assert_eq!(spec.warnings(3000), [delta]);
        assert!(spec.warnings(4096).is_empty());
        let frame = SpecWarning::FrameLongerThanSignal { n_fft: 2048, n_samples: 500 };
        let delta = SpecWarning::DeltaWiderThanSignal { width: 9, n_frames: 1 };
        assert_eq!(spec.warnings(500), [frame, delta]);
        assert!(spec.warnings(500)[0].to_string().contains("n_fft = 2048"));
    }
}
