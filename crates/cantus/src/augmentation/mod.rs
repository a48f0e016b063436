//! Augmentation: more to learn from than was recorded, made of what was.
//!
//! | when | what | where |
//! |---|---|---|
//! | at extraction | altered copies of each recording: pitch, tempo, noise, filters … | `cantus_audio::augment` |
//! | in every epoch | masks over time and frequency | [`SpecAugment`] |
//! | in every epoch | mixtures of two examples | [`Mixup`] |
//!
//! Only the training part is augmented. What is drawn depends on the seed, the epoch and the example, and on nothing
//! else: neither on threads nor on whether a training was interrupted.

pub(crate) mod copies;
mod mixup;
mod spec_augment;

use std::path::Path;

use cantus_audio::augment::{AudioAugmentation, AugmentSpec};
use serde::{Deserialize, Serialize};

pub use mixup::Mixup;
pub use spec_augment::SpecAugment;

/// The `[augmentation]` table of a recipe.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// How many altered copies of each training track are heard beside the track itself.
    pub copies: usize,
    /// Seed of the copies. Not the seed of the training: copies are made at extraction, once for all trainings.
    pub seed: u64,
    /// What is done to the sound of a copy, in this order.
    pub audio: Vec<AudioAugmentation>,
    /// Masks over time and frequency, other ones in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec_augment: Option<SpecAugment>,
    /// Mixtures of two examples, other ones in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<Mixup>,
}

impl Augmentation {
    /// The part that extraction does.
    pub fn copy_spec(&self) -> AugmentSpec {
        AugmentSpec { copies: self.copies, seed: self.seed, audio: self.audio.clone() }
    }

    /// Lets relative paths of noises and rooms begin at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        let mut copies = self.copy_spec();
        copies.resolve_paths(folder);
        self.audio = copies.audio;
    }

    /// What makes no sense, in words; none if all does.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Err(error) = self.copy_spec().validate() {
            return Some(error.to_string());
        }
        self.mixup.and_then(Mixup::problem)
    }
}
