//! The kinds of feature: a table with a line for each, and what a kind has to say about itself.
//!
//! A new kind is one file that implements [`Feature`], and one line in [`kinds!`] below: specifications, files, tables,
//! pictures and the command line learn of it from there. A parameter of its own is a field of
//! [`FeatureSpec`](super::FeatureSpec) besides. What several kinds are made of is computed once, in
//! [`shared`](super::shared).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::shared::{Intermediate, Sound};
use crate::Error;

/// What the bins of a kind are.
#[derive(Debug, Clone, PartialEq)]
pub enum Bins {
    /// One number per frame.
    One,
    /// Counted from 0, with the name of what is counted.
    Numbered(&'static str),
    /// Frequencies in Hz, one per bin, ascending.
    Hertz(Vec<f64>),
    /// With a name each, such as pitch classes, and the name of what is named.
    Named(&'static str, Vec<String>),
}

/// What the numbers of a kind measure, as far as one has to know in order to draw them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// Something that is drawn as it is.
    Plain,
    /// An amplitude raised to this exponent: 1 for amplitudes, 2 for powers. It is looked at in dB.
    Strength(f32),
    /// Coefficients of which each has a size of its own.
    Coefficients,
}

/// One kind of feature, planned: a segment in, a row of numbers for each frame out.
///
/// Once [`Self::validate`] has passed, nothing can fail. Every kind has the frames of the STFT: as many, and at the
/// same places, so that kinds can stand side by side.
pub(super) trait Feature: fmt::Debug + Clone + Sized {
    /// The name in specifications, files and tables: that of the variant of [`FeatureKind`], in snake case.
    const NAME: &'static str;
    /// What it is, for the heading of a picture.
    const TITLE: &'static str;
    /// Unit of the numbers; empty if they have none.
    const UNIT: &'static str;
    /// What it is made of, besides the samples.
    const NEEDS: &'static [Intermediate];
    /// The intermediate that it is, as it stands.
    const IS: Option<Intermediate> = None;

    /// Number of bins: one, unless it says otherwise.
    fn n_bins(_spec: &FeatureSpec) -> usize {
        1
    }

    /// What the bins are.
    fn bins(_spec: &FeatureSpec) -> Bins {
        Bins::One
    }

    /// What the numbers measure.
    fn quantity(_spec: &FeatureSpec) -> Quantity {
        Quantity::Plain
    }

    /// Checks the parameters that this kind alone has.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first that is out of range.
    fn validate(_spec: &FeatureSpec) -> Result<(), Error> {
        Ok(())
    }

    /// Plans it; the specification is valid.
    fn plan(spec: &FeatureSpec) -> Self;

    /// Writes a row for each frame.
    ///
    /// # Shapes
    /// - `rows`: `[sound.n_frames, n_bins]`, zeros
    fn compute(&mut self, sound: &Sound<'_>, rows: Rows<'_>);
}

/// The columns in which one kind stands, frame by frame.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    values: &'a mut [f32],
    /// Bins of all kinds together.
    stride: usize,
    first: usize,
    n_bins: usize,
}

impl<'a> Rows<'a> {
    /// The columns from `first` of a matrix of rows of `stride` values.
    pub fn new(values: &'a mut [f32], stride: usize, first: usize, n_bins: usize) -> Self {
        Self { values, stride, first, n_bins }
    }

    /// The rows from first to last, each `[n_bins]`.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let columns = self.first..self.first + self.n_bins;
        self.values.chunks_exact_mut(self.stride.max(1)).map(move |row| &mut row[columns.clone()])
    }

    /// Copies a matrix `[n_frames, n_bins]` in.
    pub fn copy_from(&mut self, matrix: &[f32]) {
        let n_bins = self.n_bins.max(1);
        self.iter_mut()
            .zip(matrix.chunks_exact(n_bins))
            .for_each(|(row, source)| row.copy_from_slice(source));
    }

    /// One number for each frame, of the frame's part of `matrix`, which has `width` columns.
    pub fn fill_from(&mut self, matrix: &[f32], width: usize, mut measure: impl FnMut(&[f32]) -> f32) {
        self.iter_mut()
            .zip(matrix.chunks_exact(width.max(1)))
            .for_each(|(row, frame)| row[0] = measure(frame));
    }
}

/// Makes [`FeatureKind`] and [`Plan`] of the table.
macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident => $Feature:ty,)*) => {
        /// One kind of feature.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FeatureKind {
            $($(#[$doc])* $Kind,)*
        }

        impl FeatureKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// The name under which it is written in a specification.
            pub fn name(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::NAME,)* }
            }

            /// What it is, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::TITLE,)* }
            }

            /// Unit of its numbers; empty if they have none.
            pub fn unit(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::UNIT,)* }
            }

            /// Number of bins.
            pub fn n_bins(self, spec: &FeatureSpec) -> usize {
                match self { $(Self::$Kind => <$Feature>::n_bins(spec),)* }
            }

            /// What its bins are; of a specification that is valid.
            pub fn bins(self, spec: &FeatureSpec) -> Bins {
                match self { $(Self::$Kind => <$Feature>::bins(spec),)* }
            }

            /// What its numbers measure.
            pub fn quantity(self, spec: &FeatureSpec) -> Quantity {
                match self { $(Self::$Kind => <$Feature>::quantity(spec),)* }
            }

            pub(super) fn needs(self) -> &'static [Intermediate] {
                match self { $(Self::$Kind => <$Feature>::NEEDS,)* }
            }

            /// The intermediate that it is, if it is one.
            pub(super) fn intermediate(self) -> Option<Intermediate> {
                match self { $(Self::$Kind => <$Feature>::IS,)* }
            }

            pub(super) fn validate(self, spec: &FeatureSpec) -> Result<(), Error> {
                match self { $(Self::$Kind => <$Feature>::validate(spec),)* }
            }

            pub(super) fn plan(self, spec: &FeatureSpec) -> Plan {
                match self { $(Self::$Kind => Plan::$Kind(<$Feature>::plan(spec)),)* }
            }
        }

        /// A kind of feature, planned.
        #[derive(Debug, Clone)]
        pub(super) enum Plan {
            $($Kind($Feature),)*
        }

        impl Plan {
            pub fn compute(&mut self, sound: &Sound<'_>, rows: Rows<'_>) {
                match self { $(Self::$Kind(feature) => feature.compute(sound, rows),)* }
            }
        }
    };
}

kinds! {
    /// Mel-frequency cepstral coefficients, `n_mfcc` bins.
    Mfcc => super::mfcc::MfccKind,
    /// Mel spectrogram, `n_mels` bins.
    Mel => super::mel_spectrogram::Mel,
    /// Mel spectrogram in dB, `n_mels` bins.
    LogMel => super::mel_spectrogram::LogMel,
    /// Magnitude of the STFT, `n_fft / 2 + 1` bins.
    Stft => super::spectrogram::Magnitude,
    /// Magnitude of the STFT to the `power`, `n_fft / 2 + 1` bins.
    Spectrogram => super::spectrogram::Spectrogram,
    /// Magnitude of the STFT in dB, `n_fft / 2 + 1` bins.
    SpectrogramDb => super::spectrogram::SpectrogramDb,
    /// Mel spectrogram with automatic gain control, `n_mels` bins.
    Pcen => super::pcen::Pcen,
    /// First derivative of the MFCCs over time, `n_mfcc` bins.
    MfccDelta => super::delta::MfccDelta,
    /// Second derivative of the MFCCs over time, `n_mfcc` bins.
    MfccDelta2 => super::delta::MfccDelta2,
    /// Largest sample of each frame.
    AmplitudeEnvelope => super::amplitude_envelope::AmplitudeEnvelope,
    /// Root mean square of each frame.
    Rms => super::rms::Rms,
    /// Crossings of zero per sample.
    ZeroCrossingRate => super::zero_crossing::ZeroCrossingRate,
    /// Centre of mass of the spectrum, in Hz.
    SpectralCentroid => super::spectral_centroid::SpectralCentroid,
    /// Spread of the spectrum about its centroid, in Hz.
    SpectralBandwidth => super::spectral_bandwidth::SpectralBandwidth,
    /// Frequency below which most of the spectrum lies, in Hz.
    SpectralRolloff => super::spectral_rolloff::SpectralRolloff,
    /// Geometric over arithmetic mean of the power spectrum.
    SpectralFlatness => super::spectral_flatness::SpectralFlatness,
    /// Peaks above valleys in each octave, `contrast.n_bands + 1` bins, in dB.
    SpectralContrast => super::spectral_contrast::SpectralContrast,
    /// Change of the spectrum from frame to frame.
    SpectralFlux => super::spectral_flux::SpectralFlux,
    /// Pitch classes by the STFT, `chroma_stft.n_chroma` bins.
    ChromaStft => super::chroma_stft::ChromaStftKind,
    /// Pitch classes by the constant-Q transform, `chroma_cqt.n_chroma` bins.
    ChromaCqt => super::chroma_cqt::ChromaCqtKind,
    /// Magnitude of the constant-Q transform, `cqt.n_bins` bins.
    Cqt => super::cqt::CqtKind,
    /// Tonal centroid, 6 bins.
    Tonnetz => super::tonnetz::TonnetzKind,
    /// How much louder it gets.
    OnsetStrength => super::onset::OnsetKind,
    /// Autocorrelation of onset strength, `tempogram.win_length` bins.
    Tempogram => super::tempogram::TempogramKind,
    /// Magnitude of what lasts, `n_fft / 2 + 1` bins.
    Harmonic => super::hpss::Harmonic,
    /// Magnitude of what strikes, `n_fft / 2 + 1` bins.
    Percussive => super::hpss::Percussive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_under_its_name() {
        for &kind in FeatureKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn bins_are_described_one_by_one() {
        let spec = FeatureSpec::default();
        for &kind in FeatureKind::ALL {
            let n_described = match kind.bins(&spec) {
                Bins::One => 1,
                Bins::Numbered(_) => kind.n_bins(&spec),
                Bins::Hertz(hertz) => hertz.len(),
                Bins::Named(_, names) => names.len(),
            };
            assert_eq!(n_described, kind.n_bins(&spec), "{kind:?}");
        }
    }

    #[test]
    fn rows_are_the_columns_of_one_kind() {
        let mut values = [0.0; 6];
        Rows::new(&mut values, 3, 1, 2).copy_from(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(values, [0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
    }
}
