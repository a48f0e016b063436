//! Functions compiled for several instruction sets, one of which is selected at run time.
//!
//! ```
//! use cantus_simd::multiversion;
//!
//! /// The largest value, or `least`.
//! #[multiversion]
//! fn largest(values: &[f32], least: f32) -> f32 {
//!     values.iter().fold(least, |largest, value| if *value > largest { *value } else { largest })
//! }
//!
//! assert_eq!(largest(&[1.0, 3.0, 2.0], 0.0), 3.0);
//! ```
//!
//! - [`macro@multiversion`] compiles a function for AVX-512, AVX2 and the baseline of the architecture, and calls the version for
//!   [`InstructionSet::current`]. What the function calls has to be inlined into it (`#[inline(always)]`) to be compiled with it.
//! - [`InstructionSet`] is the set in use: the largest of the processor, or the one that the environment variable [`VARIABLE`]
//!   names.
//!
//! Rust neither contracts multiplications and additions nor reorders sums, so all versions return the same bits.

mod instruction_set;

pub use cantus_simd_macros::multiversion;
pub use instruction_set::{Error, InstructionSet, VARIABLE};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
