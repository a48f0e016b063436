//! What chance decides in a training: each purpose draws numbers of its own, so that one more purpose changes none of
//! the others' numbers.

/// Which example of a class is heard.
pub(crate) const SAMPLING: u64 = 0;
/// With whom, and how much, an example is mixed.
pub(crate) const MIXUP: u64 = 1;
/// Where a crop begins.
pub(crate) const CROP: u64 = 2;
/// Where the crop of the other example of a mixture begins.
pub(crate) const OTHER_CROP: u64 = 3;
/// Which stripes are masked.
pub(crate) const MASKS: u64 = 4;
