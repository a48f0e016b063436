//! What random numbers are drawn for: each purpose has a part of the key of its own, so that one more
//! purpose changes none of the others' numbers.

use cantus_random::text_key;

/// Which example of a class is heard.
pub(crate) const SAMPLING: u64 = text_key("balanced sampling");
/// With whom, and how much, an example is mixed.
pub(crate) const MIXUP: u64 = text_key("mixup");
/// Where a crop begins.
pub(crate) const CROP: u64 = text_key("crop");
/// Where the crop of the other example of a mixture begins.
pub(crate) const OTHER_CROP: u64 = text_key("crop of the other example");
/// Which stripes are masked.
pub(crate) const MASKS: u64 = text_key("masks");
