//! Augmentation: altered copies of a recording, so that there is more to learn from than was recorded.
//!
//! ```text
//! samples ─▶ pitch_shift ─▶ noise ─▶ … (the list of the recipe, in its order) ─▶ samples
//! ```
//!
//! A [`CopySpec`] says what is done, how often and how strongly; [`CopySpec::plan`] makes an [`Augmenter`] of it, which
//! reads whatever files are needed and cannot fail afterwards, not even on an empty recording. What is drawn for a copy
//! depends on the seed, on the recording's name and on the copy's number: other recordings, more copies or more threads
//! change nothing of it.
//!
//! Only what is learnt from is ever augmented; what is judged is heard as it was recorded.
//!
//! Damage as MP3 and its like do it is not here: it takes an encoder, and there is no well-kept one in Rust.

pub mod filter;
pub mod gain;
pub mod noise;
mod pick;
#[cfg(test)]
mod pitch;
pub mod pitch_shift;
pub mod polarity;
pub mod random_crop;
mod recordings;
pub mod reverb;
mod time_map;
pub mod time_stretch;
mod transient;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use cantus_random::KeyedRng;
pub use pick::Augmenter;

use crate::Error;
use filter::{HighPass, LowPass};
use gain::Gain;
use noise::Noise;
use pitch_shift::PitchShift;
use polarity::Polarity;
use random_crop::RandomCrop;
use reverb::Reverb;
use time_stretch::TimeStretch;

/// The most copies of a recording that are accepted.
const MAX_COPIES: usize = 1000;

/// The altered copies that are made of each recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopySpec {
    /// How many; 0 for none.
    pub copies: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// What is done to each, in this order.
    pub audio: Vec<AudioAugmentation>,
}

/// One thing that is done to the sound, as `{ type = "pitch_shift", probability = 0.5, range = [-2, 2] }`.
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

/// Without a probability, it is always done.
fn always() -> f32 {
    1.0
}

impl AudioAugmentation {
    /// Its name in a recipe.
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

    /// How often it is done, in [0, 1].
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

    /// What is drawn, the least and the most that it may be, and in which unit; nothing is drawn for a polarity.
    fn range(&self) -> Option<([f32; 2], [f32; 2], &'static str)> {
        Some(match self {
            Self::PitchShift(PitchShift { range, .. }) => (*range, [-24.0, 24.0], "semitones"),
            Self::TimeStretch(TimeStretch { range, .. }) => (*range, [0.25, 4.0], "times as fast"),
            Self::Noise(Noise { range, .. }) => (*range, [-100.0, 100.0], "dB"),
            Self::Gain(Gain { range, .. }) => (*range, [-100.0, 100.0], "dB"),
            Self::Polarity(_) => return None,
            Self::RandomCrop(RandomCrop { range, .. }) => (*range, [0.01, 1.0], "of the recording"),
            Self::LowPass(LowPass { range, .. }) => (*range, [1.0, 384_000.0], "Hz"),
            Self::HighPass(HighPass { range, .. }) => (*range, [1.0, 384_000.0], "Hz"),
            Self::Reverb(Reverb { range, .. }) => (*range, [0.0, 1.0], "of the sound"),
        })
    }

    /// What makes no sense, in words; none if all does.
    fn problem(&self) -> Option<String> {
        let (name, probability) = (self.name(), self.probability());
        if !(0.0..=1.0).contains(&probability) {
            return Some(format!("{name}: probability = {probability}: must be from 0 to 1"));
        }
        let ([low, high], [least, most], unit) = self.range()?;
        // Written so that what is no number is refused too.
        let sound = least <= low && low <= high && high <= most;
        (!sound).then(|| {
            format!(
                "{name}: range = [{low}, {high}]: wanted the lower end first, from {least} to {most} {unit}"
            )
        })
    }

    /// The path that it reads from, where it does.
    fn path_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Noise(Noise { source, .. }) if source != "white" && source != "pink" => Some(source),
            Self::Reverb(Reverb { impulse_response, .. }) => Some(impulse_response),
            _ => None,
        }
    }
}

impl CopySpec {
    /// What makes no sense, in words; none if all does.
    pub fn problem(&self) -> Option<String> {
        let copies = self.copies;
        if copies > MAX_COPIES {
            return Some(format!("copies = {copies}: at most {MAX_COPIES}"));
        }
        if (copies > 0) == self.audio.is_empty() {
            let lacks = if copies > 0 {
                "audio says nothing of how they differ"
            } else {
                "audio has nothing to alter"
            };
            return Some(format!("copies = {copies}, but {lacks}; set both, or neither"));
        }
        self.audio.iter().find_map(AudioAugmentation::problem)
    }

    /// Lets relative paths begin at a folder, such as that of the recipe.
    pub fn resolve_paths(&mut self, folder: &Path) {
        for path in self.audio.iter_mut().filter_map(AudioAugmentation::path_mut) {
            *path = folder.join(&*path).to_string_lossy().into_owned();
        }
    }

    /// Plans the copies of recordings at this rate: reads noises and rooms.
    ///
    /// # Errors
    /// [`Error::InvalidAugmentation`] if a setting makes no sense; if a recording that others are mixed with cannot be
    /// read.
    pub fn plan(&self, sample_rate: u32) -> Result<Augmenter, Error> {
        match self.problem() {
            Some(reason) => Err(Error::InvalidAugmentation { reason }),
            None => Augmenter::new(self, sample_rate),
        }
    }
}
