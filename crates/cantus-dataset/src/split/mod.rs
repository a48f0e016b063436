//! Splits of a data set into training, validation and test, and cross-validation folds.
//!
//! Whole tracks, or whole groups of tracks, are assigned to a part before they are cut into segments, so that no two
//! segments of one track and no two duplicates of one recording are in different parts. The lecture course's split by
//! segment ([`Unit::Segment`]) leaks and is for comparison only.
//!
//! Splits are stratified by label as far as groups allow, depend on the seed and on track paths, and not on the order of
//! the tracks.

mod cluster;
mod folds;
mod iterative_stratification;
mod known_groups;
mod leakage;
mod lists;
mod random_split;
mod spec;
mod stratification;
mod unit;

pub use folds::Folds;
pub use known_groups::{GroupChoice, KnownGroups, assign_known_groups};
pub use leakage::duplicates_across_split;
pub use lists::{ListReport, assign_parts};
pub use spec::{Split, SplitSpec};
pub use unit::Unit;

#[cfg(test)]
mod tests;
