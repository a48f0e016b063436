//! The one description of how sound becomes numbers.
//!
//! A [`FeatureSpec`] travels with everything that was made by it: the feature store, the run, the model file. Whoever
//! predicts plans the extraction from the model's own spec, so that features at prediction are the features of training.

use serde::{Deserialize, Serialize};

use super::dct::DctType;
use super::extractor::FeatureExtractor;
use super::mel::{MelConfig, MelNorm};
use crate::Error;
use crate::signal::{PadMode, StftConfig, Window, fourier};

/// The highest sample rate that is accepted, in Hz: twice that of the finest recordings.
const MAX_SAMPLE_RATE: u32 = 768_000;
/// The most mel bands that are accepted.
const MAX_N_MELS: usize = 4096;
/// The most values that a segment may have: 1 GiB of them.
const MAX_VALUES: usize = 1 << 28;
/// The longest track that is accepted, in seconds: a day.
const MAX_DURATION_S: f64 = 86_400.0;

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
    /// Mel bands of equal area (`slaney`) or of equal height (`none`).
    pub norm: MelNorm,
    /// Decibels are cut this far below the loudest value of the segment; never if `None`, written `"none"`.
    #[serde(with = "top_db")]
    pub top_db: Option<f32>,
    /// Number of cepstral coefficients.
    pub n_mfcc: usize,
    /// Type of the cosine transform, 1 to 3.
    pub dct_type: DctType,
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

    /// Checks that the features can be computed: an extractor of a valid specification cannot fail.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_kinds()?;
        let sr = self.sample_rate;
        require((1..=MAX_SAMPLE_RATE).contains(&sr), "sample_rate", sr, || {
            format!("from 1 to {MAX_SAMPLE_RATE} Hz")
        })?;
        self.stft_config().validate()?;
        self.validate_mel()?;
        self.validate_mfcc()?;
        self.segments.validate()?;
        self.validate_size()
    }

    fn validate_kinds(&self) -> Result<(), Error> {
        let expected = || "at least one of mfcc, mel, log_mel, stft".into();
        require(!self.kinds.is_empty(), "kinds", "[]", expected)?;
        for (i, kind) in self.kinds.iter().enumerate() {
            require(!self.kinds[..i].contains(kind), "kinds", kind.name(), || "each kind once".into())?;
        }
        Ok(())
    }

    fn validate_mel(&self) -> Result<(), Error> {
        let positive = || "a positive number".to_string();
        require(is_non_negative(self.power) && self.power > 0.0, "power", self.power, positive)?;
        let top_db = self.top_db.unwrap_or(0.0);
        require(is_non_negative(top_db), "top_db", top_db, || "0 or more dB, or \"none\"".into())?;
        require((1..=MAX_N_MELS).contains(&self.n_mels), "n_mels", self.n_mels, || {
            format!("from 1 to {MAX_N_MELS}")
        })?;
        let nyquist = self.sample_rate as f32 / 2.0;
        let f_max = self.f_max.unwrap_or(nyquist);
        require(f_max > 0.0 && f_max <= nyquist, "f_max", f_max, || {
            format!("above 0 and at most half the sample rate, {nyquist} Hz")
        })?;
        require(is_non_negative(self.f_min) && self.f_min < f_max, "f_min", self.f_min, || {
            format!("from 0 to below f_max = {f_max} Hz")
        })
    }

    /// `n_mfcc` is held against `n_mels` only where MFCCs are wanted: ten mel bands alone are a sound wish.
    fn validate_mfcc(&self) -> Result<(), Error> {
        let wanted = self.kinds.contains(&FeatureKind::Mfcc);
        let limit = if wanted { self.n_mels } else { MAX_N_MELS };
        require((1..=limit).contains(&self.n_mfcc), "n_mfcc", self.n_mfcc, || {
            format!("from 1 to n_mels = {limit}")
        })?;
        let enough_for_type = self.dct_type != DctType::I || self.n_mels > 1 || !wanted;
        require(enough_for_type, "dct_type", 1, || "type 1 needs at least two mel bands".into())?;
        require(is_non_negative(self.lifter), "lifter", self.lifter, || {
            "0 for none, or a positive number".into()
        })
    }

    fn validate_size(&self) -> Result<(), Error> {
        let n_frames = self.frames_per_segment();
        require(n_frames > 0, "n_segments", self.segments.n_segments, || {
            let samples = self.segment_samples();
            format!(
                "segments long enough for a frame of n_fft = {}; these have {samples} samples",
                self.n_fft
            )
        })?;
        let n_values = n_frames.saturating_mul(self.n_bins());
        require(n_values <= MAX_VALUES, "hop_length", self.hop_length, || {
            format!(
                "a segment of at most {MAX_VALUES} values; this one has {n_frames} frames of {} bins",
                self.n_bins()
            )
        })
    }
}

impl Segments {
    fn validate(&self) -> Result<(), Error> {
        let duration = self.track_duration_s;
        require(duration > 0.0 && duration <= MAX_DURATION_S, "track_duration_s", duration, || {
            format!("above 0 and at most {MAX_DURATION_S} s")
        })?;
        require(self.n_segments > 0, "n_segments", self.n_segments, || "at least 1".into())
    }
}

impl FeatureKind {
    /// Number of bins.
    pub fn n_bins(self, spec: &FeatureSpec) -> usize {
        match self {
            Self::Mfcc => spec.n_mfcc,
            Self::Mel | Self::LogMel => spec.n_mels,
            Self::Stft => fourier::n_bins(spec.n_fft),
        }
    }

    /// The name under which it is written in a specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mfcc => "mfcc",
            Self::Mel => "mel",
            Self::LogMel => "log_mel",
            Self::Stft => "stft",
        }
    }
}

/// An error that names the parameter, unless all is well.
fn require(
    holds: bool,
    parameter: &'static str,
    found: impl ToString,
    expected: impl FnOnce() -> String,
) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::InvalidSpec { parameter, found: found.to_string(), expected: expected() })
    }
}

fn is_non_negative(x: f32) -> bool {
    x.is_finite() && x >= 0.0
}

/// `top_db` as a number or `"none"`: an absent one is the default, so absence cannot say "never".
mod top_db {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "top_db is a number of decibels, or \"none\"")]
    enum TopDb {
        Decibels(f32),
        Never(Never),
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Never {
        None,
    }

    pub fn serialize<S: Serializer>(top_db: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
        top_db.map_or(TopDb::Never(Never::None), TopDb::Decibels).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
        Ok(match TopDb::deserialize(deserializer)? {
            TopDb::Decibels(top_db) => Some(top_db),
            TopDb::Never(Never::None) => None,
        })
    }
}
