//! The mel spectrogram: how strong each mel band is over time, as strength or in dB.
//!
//! # Reference
//! `librosa.feature.melspectrogram` and `librosa.power_to_db` 0.11.

use super::FeatureSpec;
use super::kind::{Bins, Feature, Quantity, Rows};
use super::mel::mel_frequencies;
use super::shared::{Intermediate, Sound};

/// `|STFT|^power` gathered into mel bands: `[n_frames, n_mels]`.
#[derive(Debug, Clone)]
pub(super) struct Mel;

impl Feature for Mel {
    const NAME: &'static str = "mel";
    const TITLE: &'static str = "Mel spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mel];
    const IS: Option<Intermediate> = Some(Intermediate::Mel);

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.n_mels
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        mel_bins(spec)
    }

    fn quantity(spec: &FeatureSpec) -> Quantity {
        Quantity::Strength(spec.power)
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        rows.copy_from(&sound.shared.mel);
    }
}

/// The mel spectrogram in dB, at most `top_db` below the loudest band of the segment: `[n_frames, n_mels]`.
#[derive(Debug, Clone)]
pub(super) struct LogMel;

impl Feature for LogMel {
    const NAME: &'static str = "log_mel";
    const TITLE: &'static str = "Mel spectrogram";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::LogMel];
    const IS: Option<Intermediate> = Some(Intermediate::LogMel);

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.n_mels
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        mel_bins(spec)
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        rows.copy_from(&sound.shared.log_mel);
    }
}

/// The centres of the bands.
pub(super) fn mel_bins(spec: &FeatureSpec) -> Bins {
    let f_max = spec.f_max.unwrap_or(spec.sample_rate as f32 / 2.0);
    let (low, high) = (f64::from(spec.f_min), f64::from(f_max));
    let corners = mel_frequencies(spec.n_mels + 2, low, high, spec.htk);
    Bins::Hertz(corners[1..=spec.n_mels].to_vec())
}
