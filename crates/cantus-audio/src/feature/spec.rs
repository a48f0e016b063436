//! The one description of how sound becomes numbers.
//!
//! A [`FeatureSpec`] travels with everything that was made by it: the feature store, the run, the model file. Whoever
//! predicts plans the extraction from the model's own spec, so that features at prediction are the features of training.

mod top_db;
mod validate;

pub(super) use validate::require;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::beat::BeatConfig;
use super::chroma_cqt::ChromaCqtConfig;
use super::chroma_stft::ChromaConfig;
use super::dct::{DctNorm, DctType};
use super::delta::DeltaConfig;
use super::extractor::FeatureExtractor;
use super::kind::FeatureKind;
use super::mel::{MelConfig, MelNorm};
use super::onset::OnsetConfig;
use super::pcen::PcenConfig;
use super::spectral_bandwidth::BandwidthConfig;
use super::spectral_contrast::ContrastConfig;
use super::spectral_flatness::FlatnessConfig;
use super::spectral_rolloff::RolloffConfig;
use super::tempo::TempoConfig;
use super::tempogram::TempogramConfig;
use crate::Error;
use crate::transform::{CqtConfig, HpssConfig, PadMode, StftConfig, Window};

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
    /// Shape of the window.
    pub window: Window,
    /// Whether frame `t` is centred on sample `t * hop_length`.
    pub center: bool,
    /// What is heard beyond the ends of a segment, if centred.
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
    /// HTK's mel scale instead of Slaney's.
    pub htk: bool,
    /// Mel bands of equal area (`slaney`), of equal height (`none`), or of unit norm (`l1`, `l2`, `inf`).
    pub norm: MelNorm,
    /// Decibels are cut this far below the loudest value of the segment; never if `None`, written `"none"`.
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
    /// Parameters of [`FeatureKind::OnsetStrength`] and all that is made of it.
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
    /// How a track is cut into the segments that a network is given.
    pub segments: Segments,
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

/// Parameters that nobody has changed are not written: a specification shows what is meant.
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
        }
    }
}

impl Default for Segments {
    /// The course's: 30 s in ten pieces.
    fn default() -> Self {
        Self { track_duration_s: 30.0, n_segments: 10 }
    }
}

impl FeatureSpec {
    /// The lecture course's: 13 MFCCs of 30 s tracks at 22 050 Hz, cut into ten segments of 130 frames.
    pub fn course() -> Self {
        Self { n_mfcc: 13, ..Self::default() }
    }

    /// Plans the extraction.
    ///
    /// # Errors
    /// Those of [`Self::validate`].
    pub fn extractor(&self) -> Result<FeatureExtractor, Error> {
        FeatureExtractor::new(self.clone())
    }

    /// Number of bins: those of all kinds, side by side.
    pub fn n_bins(&self) -> usize {
        self.kinds.iter().map(|kind| kind.n_bins(self)).sum()
    }

    /// Each kind with the columns in which it stands.
    pub fn columns(&self) -> impl Iterator<Item = (FeatureKind, Range<usize>)> + '_ {
        self.kinds.iter().scan(0, |next, &kind| {
            let start = *next;
            *next += kind.n_bins(self);
            Some((kind, start..*next))
        })
    }

    /// Names of the bins, such as `mfcc_0`: the column names of a table of features.
    pub fn bin_names(&self) -> Vec<String> {
        let of_kind = |kind: &FeatureKind| {
            let name = kind.name();
            (0..kind.n_bins(self)).map(move |bin| format!("{name}_{bin}"))
        };
        self.kinds.iter().flat_map(of_kind).collect()
    }

    /// Number of samples of a segment: the course's arithmetic, `int(int(sample_rate * duration) / n_segments)`.
    pub fn segment_samples(&self) -> usize {
        let track_samples = (f64::from(self.sample_rate) * self.segments.track_duration_s) as usize;
        track_samples.checked_div(self.segments.n_segments).unwrap_or(0)
    }

    /// Number of frames of a sound of `n_samples`, which is 0 for an empty one.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.stft_config().n_frames(n_samples)
    }

    /// Number of frames of a whole segment.
    ///
    /// The course expects `ceil(segment_samples / hop_length)`, 130. A centred STFT has
    /// `1 + floor(segment_samples / hop_length)` frames: the same, unless the hop divides the segment, when it is one
    /// more. This is the number of frames that there really are.
    pub fn frames_per_segment(&self) -> usize {
        self.n_frames(self.segment_samples())
    }

    /// The part that describes the STFT.
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

    /// The part that describes the mel filters.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::Norm;

    #[test]
    fn the_course_has_ten_segments_of_130_frames_of_13_coefficients() {
        let course = FeatureSpec::course();
        assert_eq!(
            (course.segment_samples(), course.frames_per_segment(), course.n_bins()),
            (66_150, 130, 13)
        );
        // The lecture's math.ceil(samples_per_segment / hop_length)
        assert_eq!(course.segment_samples().div_ceil(course.hop_length), course.frames_per_segment());
    }

    #[test]
    fn a_hop_that_divides_the_segment_has_one_frame_more_than_the_course_would_expect() {
        let spec = FeatureSpec { hop_length: 441, ..FeatureSpec::course() };
        assert_eq!(spec.segment_samples().div_ceil(spec.hop_length), 150);
        assert_eq!(spec.frames_per_segment(), 151);
        let values = spec.extractor().unwrap().extract(&vec![0.0; spec.segment_samples()]);
        assert_eq!(values.n_frames, 151);
    }

    #[test]
    fn kinds_stand_side_by_side() {
        let kinds = vec![FeatureKind::Mfcc, FeatureKind::Stft, FeatureKind::LogMel];
        let spec = FeatureSpec { kinds, n_fft: 8, n_mels: 3, n_mfcc: 2, ..FeatureSpec::default() };
        let columns: Vec<_> = spec.columns().map(|(_, columns)| columns).collect();
        assert_eq!(columns, [0..2, 2..7, 7..10]);
        let names = spec.bin_names();
        assert_eq!(
            (names.len(), names[0].as_str(), names[9].as_str()),
            (spec.n_bins(), "mfcc_0", "log_mel_2")
        );
    }

    #[test]
    fn a_specification_comes_back_as_it_was_written() {
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
    fn parameters_of_one_kind_are_written_only_where_they_were_changed() {
        let course = toml::to_string(&FeatureSpec::course()).unwrap();
        assert!(!course.contains("pcen") && !course.contains("contrast") && !course.contains("dct_norm"));
        let spec: FeatureSpec = toml::from_str("kinds = ['pcen']\n[pcen]\ngain = 0.8").unwrap();
        assert_eq!(spec.pcen, PcenConfig { gain: 0.8, ..PcenConfig::default() });
        assert!(toml::to_string(&spec).unwrap().contains("gain = 0.8"));
    }

    #[test]
    fn a_person_writes_only_what_is_different() {
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
    fn misspelt_fields_and_values_are_refused() {
        let refused = |text| toml::from_str::<FeatureSpec>(text).unwrap_err().to_string();
        assert!(refused("n_ftt = 1024").contains("n_ftt"));
        assert!(refused("top_db = 'never'").contains("\"none\""));
        assert!(refused("dct_type = 5").contains("1, 2, 3 or 4"));
        assert!(refused("pcen = { gian = 0.9 }").contains("gian"));
        assert!(refused("window = 'han'").contains("hann"));
    }
}
