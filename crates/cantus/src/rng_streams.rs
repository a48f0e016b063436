//! Keys of the random streams of training and evaluation: each purpose has its own stream, so that a new one does not change the others.

use cantus_random::text_key;

/// Which example of a class is drawn.
pub(crate) const SAMPLING: u64 = text_key("balanced sampling");
/// The second example of a mixture, and λ.
pub(crate) const MIXUP: u64 = text_key("mixup");
/// The first frame of a crop.
pub(crate) const CROP: u64 = text_key("crop");
/// The first frame of the crop of a mixture's second example.
pub(crate) const OTHER_CROP: u64 = text_key("crop of the other example");
/// Position and width of masks.
pub(crate) const MASKS: u64 = text_key("masks");
/// The sounds of a report that belong to no class.
pub(crate) const REPORT_NOISE: u64 = text_key("sounds of no class in a report");
/// The sounds that the class `_background_` is trained on.
pub(crate) const TRAINING_NOISE: u64 = text_key("sounds of no class in a training part");
