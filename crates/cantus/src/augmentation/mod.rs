//! Data augmentation of the training part: altered copies, SpecAugment and mixup.
//!
//! | when | what | where |
//! |---|---|---|
//! | at extraction | altered copies of each recording: pitch, tempo, noise, filters … | `cantus_audio::augment` |
//! | in every epoch | masks over time and frequency | [`SpecAugment`] |
//! | in every epoch | mixtures of two examples | [`Mixup`] |
//!
//! Only the training part is augmented. Random draws depend on the seed, the epoch and the example only, not on the number
//! of threads nor on whether training was interrupted and resumed.

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
    /// Number of altered copies of each training track that are added to the training part.
    pub copies: usize,
    /// Seed of the copies; independent of the training's seed, since copies are made once, at extraction.
    pub seed: u64,
    /// Transformations of a copy's audio, applied in this order.
    pub audio: Vec<AudioAugmentation>,
    /// Masks over time and frequency, drawn anew in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec_augment: Option<SpecAugment>,
    /// Mixtures of two examples, drawn anew in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<Mixup>,
}

impl Augmentation {
    /// The part that is applied at extraction.
    #[must_use]
    pub fn copy_spec(&self) -> AugmentSpec {
        AugmentSpec { copies: self.copies, seed: self.seed, audio: self.audio.clone() }
    }

    /// Resolves relative paths of noise recordings and impulse responses against `folder`.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        let mut copies = self.copy_spec();
        copies.resolve_paths(folder);
        self.audio = copies.audio;
    }

    /// Error text for an invalid setting; `None` if all are valid.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Err(error) = self.copy_spec().validate() {
            return Some(error.to_string());
        }
        self.mixup.and_then(Mixup::problem)
    }
}
