//! A keyed random number generator for reproducible programs: a stream depends only on its key.
//!
//! A key consists of one or more integers: a seed, a purpose, an epoch, an example. Streams of different keys are independent,
//! also those of neighbouring seeds (0, 1, 2, …). Thus a result does not depend on the number of threads or on earlier draws,
//! and there is no state to save.
//!
//! ```
//! use cantus_random::KeyedRng;
//!
//! const SHUFFLE: u64 = 1;
//! let (seed, epoch) = (0, 3);
//! let mut order: Vec<usize> = (0..5).collect();
//! KeyedRng::new([seed, SHUFFLE, epoch]).shuffle(&mut order);
//!
//! let mut again: Vec<usize> = (0..5).collect();
//! KeyedRng::new([seed, SHUFFLE, epoch]).shuffle(&mut again);
//! assert_eq!(order, again);
//! ```
//!
//! - [`KeyedRng`] is a stream: uniform, normal and whole numbers, choices, shuffles.
//! - [`key`] and [`bits`] are hashes, for numbers that are recomputed where they are needed (a dropout mask).
//! - [`text_key`] hashes a text to a part of a key.
//!
//! Integers are the same on every machine and in every version; tests pin them to literal values. So are floating-point
//! numbers, except those that are computed with a logarithm, an exponential or a cosine ([`KeyedRng::normal`],
//! [`KeyedRng::log_uniform`]), whose last bit is that of the platform's mathematical library.
//!
//! Not for cryptography: from a few numbers of a stream, the others can be computed.

mod hash;
mod rng;
mod text;

pub use hash::{bits, key};
pub use rng::KeyedRng;
pub use text::text_key;
