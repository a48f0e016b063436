//! Data augmentation of recordings: randomly altered copies for the training set.
//!
//! ```text
//! samples ─▶ pitch_shift ─▶ noise ─▶ … (the list of the recipe, in its order) ─▶ samples
//! ```
//!
//! An [`AugmentSpec`] lists the augmentations, their probabilities and ranges; [`AugmentSpec::plan`] reads the files that
//! they need and returns an [`Augmenter`], which cannot fail, not even on an empty recording. The random values of a copy
//! depend only on the seed, the recording's name and the copy's number, not on other recordings, the number of copies or
//! the number of threads.
//!
//! Only the training set is augmented, never validation or test data.
//!
//! Artefacts of lossy codecs are not simulated: there is no maintained MP3 encoder in Rust.

mod augmenter;
pub mod filter;
pub mod gain;
pub mod noise;
mod onset;
pub mod pitch_shift;
pub mod polarity;
pub mod random_crop;
mod recording_files;
pub mod reverb;
#[cfg(test)]
mod test_tone;
pub mod time_stretch;
mod time_warp;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use augmenter::Augmenter;
pub use cantus_random::KeyedRng;

use crate::Error;
use filter::{HighPass, LowPass};
use gain::Gain;
use noise::Noise;
use pitch_shift::PitchShift;
use polarity::Polarity;
use random_crop::RandomCrop;
use reverb::Reverb;
use time_stretch::TimeStretch;

/// Limit on the copies of a recording.
const MAX_COPIES: usize = 1000;

/// The augmented copies that are made of each recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentSpec {
    /// Number of copies, from 0 to 1000.
    pub copies: usize,
    /// Seed of the random values.
    pub seed: u64,
    /// The augmentations of each copy, in order; empty if there are no copies.
    pub audio: Vec<AudioAugmentation>,
}

/// One augmentation, such as `{ type = "pitch_shift", probability = 0.5, range = [-2, 2] }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is documented at the type of its name")]
pub enum AudioAugmentation {
    PitchShift(PitchShift),
    TimeStretch(TimeStretch),
    Noise(Noise),
    Gain(Gain),
    Polarity(Polarity),
    RandomCrop(RandomCrop),
    LowPass(LowPass),
    HighPass(HighPass),
    Reverb(Reverb),
}

/// The probability where none is given.
fn default_probability() -> f32 {
    1.0
}

/// The range from which a parameter is drawn, the limits of that range, and its unit.
struct ParameterRange {
    low: f32,
    high: f32,
    limits: [f32; 2],
    unit: &'static str,
}

impl ParameterRange {
    /// False also for NaN.
    fn is_valid(&self) -> bool {
        self.limits[0] <= self.low && self.low <= self.high && self.high <= self.limits[1]
    }
}

impl AudioAugmentation {
    /// Its name in a recipe.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PitchShift(_) => "pitch_shift",
            Self::TimeStretch(_) => "time_stretch",
            Self::Noise(_) => "noise",
            Self::Gain(_) => "gain",
            Self::Polarity(_) => "polarity",
            Self::RandomCrop(_) => "random_crop",
            Self::LowPass(_) => "low_pass",
            Self::HighPass(_) => "high_pass",
            Self::Reverb(_) => "reverb",
        }
    }

    /// Probability that it is applied to a copy, in [0, 1].
    #[must_use]
    pub fn probability(&self) -> f32 {
        match self {
            Self::PitchShift(PitchShift { probability, .. })
            | Self::TimeStretch(TimeStretch { probability, .. })
            | Self::Noise(Noise { probability, .. })
            | Self::Gain(Gain { probability, .. })
            | Self::Polarity(Polarity { probability })
            | Self::RandomCrop(RandomCrop { probability, .. })
            | Self::LowPass(LowPass { probability, .. })
            | Self::HighPass(HighPass { probability, .. })
            | Self::Reverb(Reverb { probability, .. }) => *probability,
        }
    }

    /// The parameter that is drawn; `None` for polarity, which has none.
    fn range(&self) -> Option<ParameterRange> {
        let range = |[low, high]: [f32; 2], limits, unit| Some(ParameterRange { low, high, limits, unit });
        match self {
            Self::PitchShift(PitchShift { range: drawn, .. }) => range(*drawn, [-24.0, 24.0], "semitones"),
            Self::TimeStretch(TimeStretch { range: drawn, .. }) => {
                range(*drawn, [0.25, 4.0], "times the tempo")
            }
            Self::Noise(Noise { range: drawn, .. }) => range(*drawn, [-100.0, 100.0], "dB"),
            Self::Gain(Gain { range: drawn, .. }) => range(*drawn, [-100.0, 100.0], "dB"),
            Self::Polarity(_) => None,
            Self::RandomCrop(RandomCrop { range: drawn, .. }) => {
                range(*drawn, [0.01, 1.0], "of the recording")
            }
            Self::LowPass(LowPass { range: drawn, .. }) => range(*drawn, [1.0, 384_000.0], "Hz"),
            Self::HighPass(HighPass { range: drawn, .. }) => range(*drawn, [1.0, 384_000.0], "Hz"),
            Self::Reverb(Reverb { range: drawn, .. }) => range(*drawn, [0.0, 1.0], "of the signal"),
        }
    }

    fn validate(&self) -> Result<(), Error> {
        let probability = self.probability();
        if !(0.0..=1.0).contains(&probability) {
            return Err(self.invalid("probability", probability, "0 to 1"));
        }
        match self.range() {
            Some(range) if !range.is_valid() => {
                let ParameterRange { low, high, limits: [min, max], unit } = range;
                let expected = format!("[low, high] from {min} to {max} {unit}");
                Err(self.invalid("range", format!("[{low}, {high}]"), expected))
            }
            _ => Ok(()),
        }
    }

    fn invalid(&self, parameter: &str, found: impl ToString, expected: impl Into<String>) -> Error {
        let parameter = format!("{}.{parameter}", self.name());
        Error::InvalidAugmentation { parameter, found: found.to_string(), expected: expected.into() }
    }

    /// The path of its recordings; `None` if it reads none.
    fn path_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Noise(Noise { source, .. }) if source != "white" && source != "pink" => Some(source),
            Self::Reverb(Reverb { impulse_response, .. }) => Some(impulse_response),
            _ => None,
        }
    }
}

impl AugmentSpec {
    /// Checks the number of copies and every augmentation.
    ///
    /// # Errors
    /// [`Error::InvalidAugmentation`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let expected = match (self.copies, self.audio.is_empty()) {
            (copies, _) if copies > MAX_COPIES => format!("0 to {MAX_COPIES}"),
            (1.., true) => "0, as audio lists no augmentation".into(),
            (0, false) => "at least 1, as audio lists augmentations".into(),
            _ => return self.audio.iter().try_for_each(AudioAugmentation::validate),
        };
        let (parameter, found) = ("copies".into(), self.copies.to_string());
        Err(Error::InvalidAugmentation { parameter, found, expected })
    }

    /// Makes relative paths relative to `folder`, such as that of the recipe.
    pub fn resolve_paths(&mut self, folder: &Path) {
        for path in self.audio.iter_mut().filter_map(AudioAugmentation::path_mut) {
            *path = folder.join(&*path).to_string_lossy().into_owned();
        }
    }

    /// Plans the copies of recordings at `sample_rate` Hz: reads noise recordings and impulse responses.
    ///
    /// # Errors
    /// [`Error::InvalidAugmentation`] if a parameter is out of range; the errors of [`crate::decode::load`] if a noise
    /// recording or impulse response cannot be read.
    pub fn plan(&self, sample_rate: u32) -> Result<Augmenter, Error> {
        self.validate()?;
        Augmenter::new(self, sample_rate)
    }
}
