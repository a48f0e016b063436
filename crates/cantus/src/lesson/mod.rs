//! Lessons: the lecture course as short programs.
//!
//! The lessons themselves are examples under the crate that each of them teaches (`crates/*/examples/lessons`); `cantus lesson`
//! runs the same files. Here is what they share: the [`Sheet`] on which a lesson writes its words, its numbers and its
//! pictures, and the [`Material`] that the later ones learn from.

mod material;
mod sheet;
mod sums;

pub use material::{Material, Music, Part};
pub use sheet::Sheet;
pub use sums::{random_pairs, train_test_split};
