//! The feature specification: which features are computed, and with which parameters.
//!
//! A [`FeatureSpec`] is stored with everything computed from it: feature stores, runs, model files. Prediction plans the
//! extraction from the model's specification, so that it computes the features of training.

mod columns;
mod segments;
mod top_db;
mod validate;
mod warnings;

pub use segments::{SegmentPadding, SegmentWindows, Segments};
pub use warnings::SpecWarning;

use serde::{Deserialize, Serialize};

use super::dct::{DctNorm, DctType};
use super::embedding::Embedding;
use super::frame_params::FrameParams;
use super::mel::{MelConfig, MelNorm};
use super::registry::beat::BeatConfig;
use super::registry::chroma_cqt::ChromaCqtConfig;
use super::registry::chroma_stft::ChromaConfig;
use super::registry::delta::DeltaConfig;
use super::registry::onset::OnsetConfig;
use super::registry::pcen::PcenConfig;
use super::registry::spectral_bandwidth::BandwidthConfig;
use super::registry::spectral_contrast::ContrastConfig;
use super::registry::spectral_flatness::FlatnessConfig;
use super::registry::spectral_rolloff::RolloffConfig;
use super::registry::tempo::TempoConfig;
use super::registry::tempogram::TempogramConfig;
use super::registry::{ConfigSource, FeatureKind};
use super::summary::Summary;
use crate::Error;
use crate::transform::{CqtConfig, HpssConfig, PadMode, StftConfig, Window};

/// The features to compute and their parameters, with librosa's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSpec {
    /// The features of each frame, concatenated along the bins in this order.
    pub kinds: Vec<FeatureKind>,
    /// Sample rate to which recordings are resampled, in Hz.
    pub sample_rate: u32,
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Hop from one frame to the next, in samples.
    pub hop_length: usize,
    /// Length of the window, in samples; `n_fft` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_length: Option<usize>,
    /// Shape of the window.
    pub window: Window,
    /// Whether frame `t` is centred on sample `t * hop_length`.
    pub center: bool,
    /// Padding beyond the ends of a segment, if centred.
    pub pad_mode: PadMode,
    /// Exponent of the magnitude before the mel filters: 2 is power.
    pub power: f32,
    /// Number of mel bands.
    pub n_mels: usize,
    /// Lower edge of the lowest mel band, in Hz.
    pub f_min: f32,
    /// Upper edge of the highest mel band, in Hz; half the sample rate if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_max: Option<f32>,
    /// Whether the mel scale is HTK's instead of Slaney's.
    pub htk: bool,
    /// Mel filters of equal area (`slaney`), equal height (`none`), or unit norm (`l1`, `l2`, `inf`).
    pub norm: MelNorm,
    /// Dynamic range of decibels below the maximum of the segment, in dB; unlimited if `None`, written `"none"`.
    #[serde(with = "top_db")]
    pub top_db: Option<f32>,
    /// Number of cepstral coefficients.
    pub n_mfcc: usize,
    /// Type of the cosine transform, 1 to 4.
    pub dct_type: DctType,
    /// Scaling of the cosine transform.
    #[serde(skip_serializing_if = "is_default")]
    pub dct_norm: DctNorm,
    /// Cepstral lifter; 0 for none.
    pub lifter: f32,
    /// Parameters of [`FeatureKind::MfccDelta`] and [`FeatureKind::MfccDelta2`].
    #[serde(skip_serializing_if = "is_default")]
    pub delta: DeltaConfig,
    /// Parameters of [`FeatureKind::Pcen`].
    #[serde(skip_serializing_if = "is_default")]
    pub pcen: PcenConfig,
    /// Parameters of [`FeatureKind::SpectralBandwidth`].
    #[serde(skip_serializing_if = "is_default")]
    pub bandwidth: BandwidthConfig,
    /// Parameters of [`FeatureKind::SpectralRolloff`].
    #[serde(skip_serializing_if = "is_default")]
    pub rolloff: RolloffConfig,
    /// Parameters of [`FeatureKind::SpectralFlatness`].
    #[serde(skip_serializing_if = "is_default")]
    pub flatness: FlatnessConfig,
    /// Parameters of [`FeatureKind::SpectralContrast`].
    #[serde(skip_serializing_if = "is_default")]
    pub contrast: ContrastConfig,
    /// Parameters of [`FeatureKind::Cqt`].
    #[serde(skip_serializing_if = "is_default")]
    pub cqt: CqtConfig,
    /// Parameters of [`FeatureKind::ChromaStft`].
    #[serde(skip_serializing_if = "is_default")]
    pub chroma_stft: ChromaConfig,
    /// Parameters of [`FeatureKind::ChromaCqt`] and [`FeatureKind::Tonnetz`].
    #[serde(skip_serializing_if = "is_default")]
    pub chroma_cqt: ChromaCqtConfig,
    /// Parameters of [`FeatureKind::OnsetStrength`], and of the tempogram, tempo and beats, which are computed from it.
    #[serde(skip_serializing_if = "is_default")]
    pub onset: OnsetConfig,
    /// Parameters of [`FeatureKind::Tempogram`].
    #[serde(skip_serializing_if = "is_default")]
    pub tempogram: TempogramConfig,
    /// Parameters of the tempo.
    #[serde(skip_serializing_if = "is_default")]
    pub tempo: TempoConfig,
    /// Parameters of the beats.
    #[serde(skip_serializing_if = "is_default")]
    pub beat: BeatConfig,
    /// Parameters of [`FeatureKind::Harmonic`] and [`FeatureKind::Percussive`].
    #[serde(skip_serializing_if = "is_default")]
    pub hpss: HpssConfig,
    /// Segmentation of tracks.
    pub segments: Segments,
    /// Statistics over the frames of a segment, in place of the frames; absent for one row per frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The models of [`FeatureKind::Embedding`], whose values are concatenated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<Embedding>,
}

/// Parameters at their defaults are not serialised.
fn is_default<T: Default + PartialEq>(parameters: &T) -> bool {
    *parameters == T::default()
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
            window: Window::Hann,
            center: true,
            pad_mode: PadMode::Constant,
            power: 2.0,
            n_mels: 128,
            f_min: 0.0,
            f_max: None,
            htk: false,
            norm: MelNorm::Slaney,
            top_db: Some(80.0),
            n_mfcc: 20,
            dct_type: DctType::II,
            dct_norm: DctNorm::Ortho,
            lifter: 0.0,
            delta: DeltaConfig::default(),
            pcen: PcenConfig::default(),
            bandwidth: BandwidthConfig::default(),
            rolloff: RolloffConfig::default(),
            flatness: FlatnessConfig::default(),
            contrast: ContrastConfig::default(),
            cqt: CqtConfig::default(),
            chroma_stft: ChromaConfig::default(),
            chroma_cqt: ChromaCqtConfig::default(),
            onset: OnsetConfig::default(),
            tempogram: TempogramConfig::default(),
            tempo: TempoConfig::default(),
            beat: BeatConfig::default(),
            hpss: HpssConfig::default(),
            segments: Segments::default(),
            summary: None,
            embeddings: Vec::new(),
        }
    }
}

impl FeatureSpec {
    /// The specification of the lecture course: 13 MFCCs of 30 s tracks at 22 050 Hz, in ten segments of 130 frames.
    pub fn course() -> Self {
        Self { n_mfcc: 13, ..Self::default() }
    }

    /// Number of rows of `n_samples` samples: one per frame, or one with a summary or an embedding; 0 if there is no frame.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        let has_frames = self.kinds.iter().any(|&kind| kind != FeatureKind::Embedding);
        let n_frames = if has_frames { self.stft_config().n_frames(n_samples) } else { n_samples };
        if self.has_one_row() { n_frames.min(1) } else { n_frames }
    }

    /// Whether a segment has one row instead of one per frame.
    pub fn has_one_row(&self) -> bool {
        self.summary.is_some() || self.kinds.contains(&FeatureKind::Embedding)
    }

    /// Checks that a recording is long enough for a frame; [`FeatureExtractor::extract`](super::FeatureExtractor::extract) of a
    /// shorter one gives no frames.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names `n_fft`, if frames are not centred and the recording is shorter than one.
    pub fn validate_length(&self, n_samples: usize) -> Result<(), Error> {
        self.frame_params().validate_length(n_samples)
    }

    /// The parameters of the STFT.
    pub fn stft_config(&self) -> StftConfig {
        StftConfig {
            n_fft: self.n_fft,
            hop_length: self.hop_length,
            win_length: self.win_length,
            window: self.window,
            center: self.center,
            pad_mode: self.pad_mode,
        }
    }

    /// The parameters of the mel filter bank.
    pub fn mel_config(&self) -> MelConfig {
        MelConfig {
            sample_rate: self.sample_rate,
            n_fft: self.n_fft,
            n_mels: self.n_mels,
            f_min: self.f_min,
            f_max: self.f_max,
            htk: self.htk,
            norm: self.norm,
        }
    }

    /// The parameters of onset strength, with the FFT length, hop and centring of the specification.
    pub fn onset_config(&self) -> OnsetConfig {
        let Self { n_fft, hop_length, center, .. } = *self;
        OnsetConfig { n_fft, hop_length, center, ..self.onset.clone() }
    }

    /// The parameters of STFT chroma, with the sample rate and FFT length of the specification.
    pub fn chroma_stft_config(&self) -> ChromaConfig {
        ChromaConfig { sample_rate: self.sample_rate, n_fft: self.n_fft, ..self.chroma_stft.clone() }
    }

    /// The parameters that all features share.
    pub(super) fn frame_params(&self) -> FrameParams {
        FrameParams {
            sample_rate: self.sample_rate,
            stft: self.stft_config(),
            power: self.power,
            mel: self.mel_config(),
            top_db: self.top_db,
            n_mfcc: self.n_mfcc,
            dct_type: self.dct_type,
            dct_norm: self.dct_norm,
            lifter: self.lifter,
            segment_samples: self.segment_samples(),
        }
    }
}

/// The settings of each feature, by their type; those that the specification as a whole determines are filled in.
macro_rules! configs {
    ($($Config:ty: |$spec:ident| $config:expr,)*) => {
        $(impl ConfigSource<$Config> for FeatureSpec {
            fn config(&self) -> $Config {
                let $spec = self;
                $config
            }
        })*
    };
}

configs! {
    DeltaConfig: |spec| spec.delta,
    PcenConfig: |spec| spec.pcen,
    BandwidthConfig: |spec| spec.bandwidth,
    RolloffConfig: |spec| spec.rolloff,
    FlatnessConfig: |spec| spec.flatness,
    ContrastConfig: |spec| spec.contrast,
    HpssConfig: |spec| spec.hpss.clone(),
    OnsetConfig: |spec| spec.onset_config(),
    ChromaConfig: |spec| spec.chroma_stft_config(),
    CqtConfig: |spec| {
        let FeatureSpec { sample_rate, hop_length, window, pad_mode, .. } = *spec;
        CqtConfig { sample_rate, hop_length, window, pad_mode, ..spec.cqt.clone() }
    },
    ChromaCqtConfig: |spec| {
        let FeatureSpec { sample_rate, hop_length, .. } = *spec;
        ChromaCqtConfig { sample_rate, hop_length, ..spec.chroma_cqt.clone() }
    },
    TempogramConfig: |spec| spec.tempogram.clone(),
    TempoConfig: |spec| {
        let FeatureSpec { sample_rate, hop_length, .. } = *spec;
        TempoConfig { sample_rate, hop_length, ..spec.tempo.clone() }
    },
    BeatConfig: |spec| BeatConfig { tempo: spec.config(), ..spec.beat.clone() },
}

/// Features without settings.
impl ConfigSource<()> for FeatureSpec {
    fn config(&self) {}
}

/// Features computed from another feature have its settings and their own.
impl<A, B> ConfigSource<(A, B)> for FeatureSpec
where
    Self: ConfigSource<A> + ConfigSource<B>,
{
    fn config(&self) -> (A, B) {
        (self.config(), self.config())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::Norm;

    #[test]
    fn a_specification_survives_serialisation() {
        let unusual = FeatureSpec {
            kinds: vec![FeatureKind::LogMel, FeatureKind::Mfcc],
            win_length: Some(1000),
            window: Window::BlackmanHarris,
            pad_mode: PadMode::Reflect,
            norm: MelNorm::None,
            f_max: Some(8000.5),
            top_db: None,
            dct_type: DctType::III,
            dct_norm: DctNorm::None,
            pcen: PcenConfig { b: Some(0.025), ..PcenConfig::default() },
            contrast: ContrastConfig { n_bands: 4, ..ContrastConfig::default() },
            cqt: CqtConfig { n_bins: 60, ..CqtConfig::default() },
            chroma_stft: ChromaConfig { tuning: Some(0.25), norm: Norm::L2, ..ChromaConfig::default() },
            onset: OnsetConfig { lag: 2, ..OnsetConfig::default() },
            ..FeatureSpec::default()
        };
        for spec in [FeatureSpec::course(), unusual] {
            let written = toml::to_string(&spec).unwrap();
            assert_eq!(toml::from_str::<FeatureSpec>(&written).unwrap(), spec, "{written}");
            let written = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<FeatureSpec>(&written).unwrap(), spec, "{written}");
        }
    }

    #[test]
    fn only_changed_parameters_of_a_feature_are_serialised() {
        let course = toml::to_string(&FeatureSpec::course()).unwrap();
        assert!(!course.contains("pcen") && !course.contains("contrast") && !course.contains("dct_norm"));
        let spec: FeatureSpec = toml::from_str("kinds = ['pcen']\n[pcen]\ngain = 0.8").unwrap();
        assert_eq!(spec.pcen, PcenConfig { gain: 0.8, ..PcenConfig::default() });
        assert!(toml::to_string(&spec).unwrap().contains("gain = 0.8"));
    }

    #[test]
    fn absent_fields_have_defaults() {
        let spec: FeatureSpec =
            toml::from_str("kinds = ['log_mel']\nn_mels = 64\ntop_db = 60\nwindow = 'hamming'").unwrap();
        let expected = FeatureSpec {
            kinds: vec![FeatureKind::LogMel],
            n_mels: 64,
            top_db: Some(60.0),
            window: Window::Hamming,
            ..FeatureSpec::default()
        };
        assert_eq!(spec, expected);
    }

    #[test]
    fn misspelt_fields_and_values_are_errors() {
        let refused = |text| toml::from_str::<FeatureSpec>(text).unwrap_err().to_string();
        assert!(refused("n_ftt = 1024").contains("n_ftt"));
        assert!(refused("top_db = 'never'").contains("\"none\""));
        assert!(refused("dct_type = 5").contains("1, 2, 3 or 4"));
        assert!(refused("pcen = { gian = 0.9 }").contains("gian"));
        assert!(refused("window = 'han'").contains("hann"));
    }
}
