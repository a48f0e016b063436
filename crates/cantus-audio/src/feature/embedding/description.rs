//! The description of an embedding model: what its graph takes and gives, and where it is from. The contents of `model.toml`.

use serde::{Deserialize, Serialize};

use crate::feature::mel::{MelConfig, MelNorm};
use crate::transform::{PadMode, StftConfig, Window};

/// An embedding model: its input, its output, and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingDescription {
    /// Name of the model, such as `MusiCNN (MagnaTagATune)`.
    pub name: String,
    /// Where the weights are from: an address or a package.
    pub source: String,
    /// Licence of the weights.
    pub licence: String,
    /// The publication to cite.
    pub citation: String,
    /// Data sets that the model was trained on; recordings in them are not unseen.
    pub training_data: Vec<String>,
    /// SHA-256 of the graph's file, in hexadecimal; set when the graph is loaded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Whether feature stores and models contain the SHA-256 of the graph instead of the graph.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_reference: bool,
    /// The input of the graph.
    pub input: EmbeddingInput,
    /// How the input is cut into patches.
    pub patch: Patch,
    /// The output of the graph.
    pub output: EmbeddingOutput,
}

/// The input of an embedding model's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingInput {
    /// Name of the graph's input.
    pub name: String,
    /// Axes of the graph's input, in order: of samples `["patch", "sample"]`, of mel bands `["patch", "frame", "band"]`; `1`
    /// for an axis of one element. Without `patch`, the graph takes one patch at a time.
    pub shape: Vec<InputAxis>,
    /// Sample rate of the recordings, in Hz.
    pub sample_rate: u32,
    /// Factor of the samples, whose full scale is 1: 32768 for a model of 16-bit integers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub gain: f32,
    /// Coefficient a of the pre-emphasis `y[n] = x[n] - a x[n - 1]`; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub preemphasis: f32,
    /// The mel spectrogram that the graph takes; absent if it takes samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mel: Option<MelInput>,
}

/// An axis of a graph's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AxisText", into = "AxisText")]
pub enum InputAxis {
    /// Patches; only as the first axis.
    Patch,
    /// Samples of a patch.
    Sample,
    /// Frames of a patch.
    Frame,
    /// Mel bands of a frame.
    Band,
    /// An axis of one element.
    One,
}

/// An axis as it is written: a name, or the number 1.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AxisText {
    Name(String),
    Size(u64),
}

impl TryFrom<AxisText> for InputAxis {
    type Error = String;

    fn try_from(text: AxisText) -> Result<Self, Self::Error> {
        match text {
            AxisText::Size(1) => Ok(Self::One),
            AxisText::Size(size) => Err(format!("shape: {size}: expected 1 for an axis of one element")),
            AxisText::Name(name) => match name.as_str() {
                "patch" => Ok(Self::Patch),
                "sample" => Ok(Self::Sample),
                "frame" => Ok(Self::Frame),
                "band" => Ok(Self::Band),
                _ => {
                    Err(format!("shape: {name:?}: expected \"patch\", \"sample\", \"frame\", \"band\" or 1"))
                }
            },
        }
    }
}

impl InputAxis {
    /// The axis as it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Sample => "sample",
            Self::Frame => "frame",
            Self::Band => "band",
            Self::One => "1",
        }
    }
}

impl From<InputAxis> for AxisText {
    fn from(axis: InputAxis) -> Self {
        match axis {
            InputAxis::One => Self::Size(1),
            axis => Self::Name(axis.name().to_owned()),
        }
    }
}

/// A mel spectrogram as an embedding model was trained on; librosa's names and defaults where it has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelInput {
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Hop from one frame to the next, in samples.
    pub hop_length: usize,
    /// Length of the window, in samples; `n_fft` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub win_length: Option<usize>,
    /// Shape of the window.
    #[serde(default)]
    pub window: Window,
    /// Whether frame `t` is centred on sample `t * hop_length`.
    #[serde(default = "yes")]
    pub center: bool,
    /// Padding beyond the ends, if centred.
    #[serde(default)]
    pub pad_mode: PadMode,
    /// Exponent of the magnitude: 2 for power.
    #[serde(default = "two")]
    pub power: f32,
    /// Number of mel bands.
    pub n_mels: usize,
    /// Lower edge of the lowest band, in Hz.
    #[serde(default)]
    pub f_min: f32,
    /// Upper edge of the highest band, in Hz; half the sample rate if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_max: Option<f32>,
    /// Whether the mel scale is HTK's instead of Slaney's.
    #[serde(default)]
    pub htk: bool,
    /// Normalisation of the mel filters.
    #[serde(default = "slaney")]
    pub norm: MelNorm,
    /// Whether mel values are rounded to 16-bit floating point before compression.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half_precision: bool,
    /// Compression of the mel values.
    #[serde(default)]
    pub compression: Compression,
    /// Mean that is subtracted after compression.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mean: f32,
    /// Deviation that is divided by after compression.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub deviation: f32,
}

/// Compression of the range of mel values.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// `log10(factor * x + offset)`
    Log10 {
        /// Factor of the values.
        #[serde(default = "one")]
        factor: f32,
        /// What is added to them.
        offset: f32,
    },
    /// `ln(factor * x + offset)`
    Ln {
        /// Factor of the values.
        #[serde(default = "one")]
        factor: f32,
        /// What is added to them.
        offset: f32,
    },
    /// `10 log10(max(x, amin))`, of powers.
    Db {
        /// Smallest value.
        amin: f32,
        /// Dynamic range below the maximum of the patch's segment, in dB; unlimited if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top_db: Option<f32>,
    },
}

/// How the input of a segment is cut into patches: in frames of a mel spectrogram, in samples otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Length of a patch.
    pub length: usize,
    /// From one patch to the next.
    pub hop: usize,
    /// Number of patches of one run, for a graph that takes no other number; the last run is filled up with zeros.
    #[serde(default = "one_patch", skip_serializing_if = "is_one_patch")]
    pub per_run: usize,
}

/// The output of an embedding model's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingOutput {
    /// Name of the graph's output.
    pub name: String,
    /// Number of values of a patch: the last axis of the output. Further axes behind the patches, such as time, are averaged.
    pub size: usize,
    /// How the patches of a segment are pooled; several are concatenated.
    #[serde(default = "mean_and_deviation")]
    pub pooling: Vec<PatchPooling>,
}

/// A statistic of each value over the patches of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchPooling {
    /// Mean.
    Mean,
    /// Standard deviation, of the patches as a population.
    Deviation,
    /// Maximum.
    Max,
}

impl PatchPooling {
    /// The name in a description and in the names of columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Deviation => "deviation",
            Self::Max => "max",
        }
    }
}

fn yes() -> bool {
    true
}

fn one() -> f32 {
    1.0
}

fn two() -> f32 {
    2.0
}

fn is_one(x: &f32) -> bool {
    *x == 1.0
}

fn is_zero(x: &f32) -> bool {
    *x == 0.0
}

fn one_patch() -> usize {
    1
}

fn is_one_patch(n: &usize) -> bool {
    *n == 1
}

fn slaney() -> MelNorm {
    MelNorm::Slaney
}

fn mean_and_deviation() -> Vec<PatchPooling> {
    vec![PatchPooling::Mean, PatchPooling::Deviation]
}

impl EmbeddingDescription {
    /// Number of values of a segment: each statistic of each value of a patch.
    pub fn n_values(&self) -> usize {
        self.output.size.saturating_mul(self.output.pooling.len())
    }

    /// Number of mel bands of a frame; 1 for samples.
    pub(super) fn n_bands(&self) -> usize {
        self.input.mel.as_ref().map_or(1, |mel| mel.n_mels)
    }

    /// Number of values of a patch of the input.
    pub fn patch_values(&self) -> usize {
        self.patch.length.saturating_mul(self.n_bands())
    }

    /// The shape of the graph's input: that of one run.
    pub fn input_shape(&self) -> Vec<usize> {
        let n_bands = self.n_bands();
        let size = |axis: &InputAxis| match axis {
            InputAxis::Patch => self.patch.per_run,
            InputAxis::Sample | InputAxis::Frame => self.patch.length,
            InputAxis::Band => n_bands,
            InputAxis::One => 1,
        };
        self.input.shape.iter().map(size).collect()
    }

    /// Number of samples, at the model's sample rate, that a patch needs.
    pub fn patch_samples(&self) -> usize {
        match &self.input.mel {
            None => self.patch.length,
            // A centred spectrogram of n samples has 1 + n / hop frames; another one (n - n_fft) / hop + 1.
            Some(mel) if mel.center => (self.patch.length.saturating_sub(1)).saturating_mul(mel.hop_length),
            Some(mel) => {
                (self.patch.length.saturating_sub(1)).saturating_mul(mel.hop_length).saturating_add(mel.n_fft)
            }
        }
    }

    /// Duration of a patch, in seconds.
    pub fn patch_s(&self) -> f64 {
        self.patch_samples() as f64 / f64::from(self.input.sample_rate.max(1))
    }
}

impl MelInput {
    /// The parameters of the STFT.
    pub(super) fn stft_config(&self) -> StftConfig {
        let Self { n_fft, hop_length, win_length, window, center, pad_mode, .. } = *self;
        StftConfig { n_fft, hop_length, win_length, window, center, pad_mode }
    }

    /// The parameters of the mel filters.
    pub(super) fn mel_config(&self, sample_rate: u32) -> MelConfig {
        let Self { n_fft, n_mels, f_min, f_max, htk, norm, .. } = *self;
        MelConfig { sample_rate, n_fft, n_mels, f_min, f_max, htk, norm }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MEL_MODEL, WAVEFORM_MODEL, description};
    use super::*;

    #[test]
    fn a_description_survives_serialisation() {
        for text in [MEL_MODEL, WAVEFORM_MODEL] {
            let described = description(text);
            described.validate().unwrap();
            let written = toml::to_string(&described).unwrap();
            assert_eq!(description(&written), described, "{written}");
            let written = serde_json::to_string(&described).unwrap();
            assert_eq!(serde_json::from_str::<EmbeddingDescription>(&written).unwrap(), described);
        }
    }

    #[test]
    fn sizes_follow_the_description() {
        let mel = description(MEL_MODEL);
        assert_eq!((mel.input_shape(), mel.patch_values(), mel.n_values()), (vec![1, 20, 8], 160, 8));
        assert_eq!((mel.patch_samples(), mel.patch_s()), (19 * 256, 0.304));
        let waveform = description(WAVEFORM_MODEL);
        assert_eq!((waveform.input_shape(), waveform.n_values()), (vec![2, 1, 4000], 6));
        assert_eq!((waveform.patch_samples(), waveform.patch_s()), (4000, 0.5));
    }

    #[test]
    fn misspelt_axes_and_fields_are_errors() {
        let refused = |from: &str, to: &str| {
            let text = MEL_MODEL.replace(from, to);
            assert_ne!(text, MEL_MODEL);
            toml::from_str::<EmbeddingDescription>(&text).unwrap_err().to_string()
        };
        assert!(refused("\"band\"", "\"bands\"").contains("expected \"patch\""));
        assert!(refused("\"band\"", "2").contains("expected 1"));
        assert!(refused("n_mels", "n_mel").contains("n_mel"));
        assert!(refused("log10", "log").contains("log10"));
    }
}
