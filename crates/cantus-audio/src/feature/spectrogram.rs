//! The spectrogram: how strong each frequency is over time.
//!
//! # Reference
//! `librosa.stft` 0.11.

use super::FeatureSpec;
use super::kind::{Bins, Feature, Quantity, Rows};
use super::shared::{Intermediate, Sound};
use crate::signal::fourier::{self, fft_frequencies};

/// `|STFT|`: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(super) struct Magnitude;

impl Feature for Magnitude {
    const NAME: &'static str = "stft";
    const TITLE: &'static str = "Spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        fourier::n_bins(spec.n_fft)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        fft_bins(spec)
    }

    fn quantity(_spec: &FeatureSpec) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        rows.copy_from(&sound.shared.magnitude);
    }
}

/// The frequencies of the bins of the FFT.
fn fft_bins(spec: &FeatureSpec) -> Bins {
    Bins::Hertz(fft_frequencies(spec.sample_rate, spec.n_fft))
}
