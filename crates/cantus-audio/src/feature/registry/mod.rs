//! Registry of features: two tables with one line per feature, and the enums made from them.
//!
//! `frame_features!` lists the features with one row per frame, which a specification may contain;
//! `track_features!` those of a whole recording.

pub mod amplitude_envelope;
pub mod beat;
pub mod chroma_cqt;
pub mod chroma_stft;
mod cqt;
pub mod delta;
mod hpss;
mod mel_spectrogram;
mod mfcc;
pub mod onset;
pub mod pcen;
pub mod rms;
pub mod spectral_bandwidth;
pub mod spectral_centroid;
pub mod spectral_contrast;
pub mod spectral_flatness;
pub mod spectral_flux;
pub mod spectral_rolloff;
mod spectrogram;
pub mod spectrum;
pub mod tempo;
pub mod tempogram;
pub mod tonnetz;
mod waveform;
mod zero_crossing;

use serde::{Deserialize, Serialize};

use super::frame_level::{Bins, Feature, Quantity};
use super::frame_params::FrameParams;
use super::front_end::{FrameInput, Intermediate};
use super::rows::Rows;
use super::track_level::{Axis, TrackFeature, TrackLevel};
use crate::Error;

/// A source of settings of type `C`: a feature specification.
pub(super) trait ConfigSource<C> {
    /// The settings.
    fn config(&self) -> C;
}

/// Makes [`FeatureKind`], [`FramePlan`] and [`FrameConfigs`] from the table.
macro_rules! frame_features {
    ($($(#[$doc:meta])* $Kind:ident => $Feature:ty,)*) => {
        /// A frame-level feature.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FeatureKind {
            $($(#[$doc])* $Kind,)*
            /// The values of the specification's embedding models, one row per segment. It is not in [`Self::ALL`], because
            /// it needs a model.
            Embedding,
        }

        /// A source of the settings of every frame-level feature.
        pub(super) trait FrameConfigs: $(ConfigSource<<$Feature as Feature>::Config> +)* {}

        impl<T> FrameConfigs for T where T: $(ConfigSource<<$Feature as Feature>::Config> +)* {}

        impl FeatureKind {
            /// All frame-level features.
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// The name in a specification, in snake case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::NAME,)* Self::Embedding => "embedding" }
            }

            /// The name in the heading of a picture.
            pub fn title(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::TITLE,)* Self::Embedding => "Embedding" }
            }

            /// Unit of the values; empty for none.
            pub fn unit(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::UNIT,)* Self::Embedding => "" }
            }

            /// What it is computed from, besides the samples.
            pub(super) fn needs(self) -> &'static [Intermediate] {
                match self { $(Self::$Kind => <$Feature>::NEEDS,)* Self::Embedding => &[] }
            }

            /// The intermediate that it is equal to, if any.
            pub(super) fn equals(self) -> Option<Intermediate> {
                match self { $(Self::$Kind => <$Feature>::EQUALS,)* Self::Embedding => None }
            }

            /// Number of bins of a frame; 0 for embeddings, which have none.
            pub(super) fn n_bins_with(self, configs: &impl FrameConfigs, params: &FrameParams) -> usize {
                match self { $(Self::$Kind => <$Feature>::n_bins(&configs.config(), params),)* Self::Embedding => 0 }
            }

            pub(super) fn bins_with(self, configs: &impl FrameConfigs, params: &FrameParams) -> Bins {
                match self {
                    $(Self::$Kind => <$Feature>::bins(&configs.config(), params),)*
                    Self::Embedding => Bins::Numbered("value"),
                }
            }

            pub(super) fn quantity_with(self, params: &FrameParams) -> Quantity {
                match self {
                    $(Self::$Kind => <$Feature>::quantity(params),)*
                    Self::Embedding => Quantity::Coefficients,
                }
            }

            pub(super) fn validate(
                self,
                configs: &impl FrameConfigs,
                params: &FrameParams,
            ) -> Result<(), Error> {
                match self {
                    $(Self::$Kind => <$Feature>::validate(&configs.config(), params),)*
                    Self::Embedding => Ok(()),
                }
            }

            /// Plans the feature; `None` for embeddings, which have no frames.
            pub(super) fn plan(self, configs: &impl FrameConfigs, params: &FrameParams) -> Option<FramePlan> {
                match self {
                    $(Self::$Kind => Some(FramePlan::$Kind(<$Feature>::plan(&configs.config(), params))),)*
                    Self::Embedding => None,
                }
            }
        }

        /// A planned frame-level feature.
        #[derive(Debug, Clone)]
        pub(super) enum FramePlan {
            $($Kind($Feature),)*
        }

        impl FramePlan {
            /// Writes one row per frame; see [`Feature::compute`].
            pub fn compute(&mut self, input: &FrameInput<'_>, rows: Rows<'_>) {
                match self { $(Self::$Kind(feature) => feature.compute(input, rows),)* }
            }
        }
    };
}

/// Makes [`TrackFeatureKind`] and [`TrackConfigs`] from the table.
macro_rules! track_features {
    ($($(#[$doc:meta])* $Kind:ident => $Feature:ty,)*) => {
        /// A track-level feature.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum TrackFeatureKind {
            $($(#[$doc])* $Kind,)*
        }

        /// A source of the settings of every track-level feature.
        pub(super) trait TrackConfigs: $(ConfigSource<<$Feature as TrackLevel>::Config> +)* {}

        impl<T> TrackConfigs for T where T: $(ConfigSource<<$Feature as TrackLevel>::Config> +)* {}

        impl TrackFeatureKind {
            /// All track-level features.
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// The name in files and on the command line, in snake case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::NAME,)* }
            }

            /// The name in the heading of a picture.
            pub fn title(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::TITLE,)* }
            }

            /// Unit of the values; empty for none.
            pub fn unit(self) -> &'static str {
                match self { $(Self::$Kind => <$Feature>::UNIT,)* }
            }

            /// The axis of the values.
            pub fn axis(self) -> Axis {
                match self { $(Self::$Kind => <$Feature>::AXIS,)* }
            }

            pub(super) fn compute_with(
                self,
                samples: &[f32],
                configs: &impl TrackConfigs,
                params: &FrameParams,
            ) -> Result<TrackFeature, Error> {
                match self { $(Self::$Kind => <$Feature>::compute(samples, &configs.config(), params),)* }
            }
        }
    };
}

frame_features! {
    /// Mel-frequency cepstral coefficients, `n_mfcc` bins.
    Mfcc => mfcc::MfccFeature,
    /// Mel spectrogram, `n_mels` bins.
    Mel => mel_spectrogram::Mel,
    /// Mel spectrogram in dB, `n_mels` bins.
    LogMel => mel_spectrogram::LogMel,
    /// Magnitude of the STFT, `n_fft / 2 + 1` bins.
    Stft => spectrogram::Magnitude,
    /// Magnitude of the STFT to the `power`, `n_fft / 2 + 1` bins.
    Spectrogram => spectrogram::Spectrogram,
    /// Magnitude of the STFT in dB, `n_fft / 2 + 1` bins.
    SpectrogramDb => spectrogram::SpectrogramDb,
    /// Mel spectrogram with automatic gain control, `n_mels` bins.
    Pcen => pcen::Pcen,
    /// First derivative of the MFCCs over time, `n_mfcc` bins.
    MfccDelta => delta::MfccDelta<1>,
    /// Second derivative of the MFCCs over time, `n_mfcc` bins.
    MfccDelta2 => delta::MfccDelta<2>,
    /// Largest sample of each frame.
    AmplitudeEnvelope => amplitude_envelope::AmplitudeEnvelope,
    /// Root mean square of each frame.
    Rms => rms::Rms,
    /// Zero crossings per sample.
    ZeroCrossingRate => zero_crossing::ZeroCrossingRate,
    /// Centre of mass of the spectrum, in Hz.
    SpectralCentroid => spectral_centroid::SpectralCentroid,
    /// Spread of the spectrum about its centroid, in Hz.
    SpectralBandwidth => spectral_bandwidth::SpectralBandwidth,
    /// Frequency below which a share of the spectrum lies, in Hz.
    SpectralRolloff => spectral_rolloff::SpectralRolloff,
    /// Geometric over arithmetic mean of the power spectrum.
    SpectralFlatness => spectral_flatness::SpectralFlatness,
    /// Peaks above valleys per octave, `contrast.n_bands + 1` bins, in dB.
    SpectralContrast => spectral_contrast::SpectralContrast,
    /// Distance of successive spectra.
    SpectralFlux => spectral_flux::SpectralFlux,
    /// Pitch classes of the STFT, `chroma_stft.n_chroma` bins.
    ChromaStft => chroma_stft::ChromaStftFeature,
    /// Pitch classes of the constant-Q transform, `chroma_cqt.n_chroma` bins.
    ChromaCqt => chroma_cqt::ChromaCqtFeature,
    /// Magnitude of the constant-Q transform, `cqt.n_bins` bins.
    Cqt => cqt::CqtFeature,
    /// Tonal centroid, 6 bins.
    Tonnetz => tonnetz::TonnetzFeature,
    /// Mean increase in level since the last frame, in dB.
    OnsetStrength => onset::OnsetFeature,
    /// Autocorrelation of onset strength, `tempogram.win_length` bins.
    Tempogram => tempogram::TempogramFeature,
    /// Harmonic part of the magnitude spectrogram, `n_fft / 2 + 1` bins.
    Harmonic => hpss::Harmonic,
    /// Percussive part of the magnitude spectrogram, `n_fft / 2 + 1` bins.
    Percussive => hpss::Percussive,
}

track_features! {
    /// The samples over time.
    Waveform => waveform::Waveform,
    /// Magnitude spectrum up to half the sample rate.
    Spectrum => spectrum::MagnitudeSpectrum,
    /// Magnitude spectrum up to the sample rate.
    SpectrumFull => spectrum::FullMagnitudeSpectrum,
    /// Power spectrum up to half the sample rate.
    PowerSpectrum => spectrum::PowerSpectrum,
    /// Power spectrum up to the sample rate.
    PowerSpectrumFull => spectrum::FullPowerSpectrum,
    /// Tempo, in beats per minute.
    Tempo => tempo::TrackTempo,
    /// Times of the beats, in seconds.
    Beats => beat::TrackBeats,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_serialised_under_its_name() {
        for &kind in FeatureKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn names_are_unique() {
        let frame_level = FeatureKind::ALL.iter().map(|kind| kind.name());
        let names = frame_level.chain(TrackFeatureKind::ALL.iter().map(|kind| kind.name()));
        let unique: std::collections::BTreeSet<&str> = names.clone().collect();
        assert_eq!(unique.len(), names.count());
    }
}
