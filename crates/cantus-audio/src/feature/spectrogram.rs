//! The spectrogram: how strong each frequency is over time, as magnitude, as power, or in dB.
//!
//! # Reference
//! `np.abs(librosa.stft(…))`, the same to the `power`, and `librosa.amplitude_to_db` of it, librosa 0.11.

use super::FeatureSpec;
use super::kind::{Bins, Feature, Quantity, Rows};
use super::shared::{Intermediate, Sound};
use crate::transform::decibel::{Decibel, amplitude_to_db};
use crate::transform::fourier::{self, fft_frequencies};

/// `|STFT|`: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(super) struct Magnitude;

impl Feature for Magnitude {
    const NAME: &'static str = "stft";
    const TITLE: &'static str = "Spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];
    const IS: Option<Intermediate> = Some(Intermediate::Magnitude);

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

/// `|STFT|^power`: `[n_frames, n_fft / 2 + 1]`; with `power = 2` the power spectrogram.
#[derive(Debug, Clone)]
pub(super) struct Spectrogram;

impl Feature for Spectrogram {
    const NAME: &'static str = "spectrogram";
    const TITLE: &'static str = "Power spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        fourier::n_bins(spec.n_fft)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        fft_bins(spec)
    }

    fn quantity(spec: &FeatureSpec) -> Quantity {
        Quantity::Strength(spec.power)
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let magnitude = sound.shared.magnitude.chunks_exact(fourier::n_bins(sound.spec.n_fft));
        for (row, magnitude) in rows.iter_mut().zip(magnitude) {
            let bins = row.iter_mut().zip(magnitude);
            match sound.spec.power {
                2.0 => bins.for_each(|(slot, x)| *slot = x * x),
                power => bins.for_each(|(slot, x)| *slot = x.powf(power)),
            }
        }
    }
}

/// The spectrogram in dB, at most `top_db` below the loudest bin of the segment: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(super) struct SpectrogramDb {
    /// `[n_frames, n_fft / 2 + 1]`: working space.
    levels: Vec<f32>,
}

impl Feature for SpectrogramDb {
    const NAME: &'static str = "spectrogram_db";
    const TITLE: &'static str = "Spectrogram";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        fourier::n_bins(spec.n_fft)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        fft_bins(spec)
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self { levels: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        self.levels.clear();
        self.levels.extend_from_slice(&sound.shared.magnitude);
        amplitude_to_db(&mut self.levels, &Decibel { top_db: sound.spec.top_db, ..Decibel::AMPLITUDE });
        rows.copy_from(&self.levels);
    }
}

/// The frequencies of the bins of the FFT.
fn fft_bins(spec: &FeatureSpec) -> Bins {
    Bins::Hertz(fft_frequencies(spec.sample_rate, spec.n_fft))
}
