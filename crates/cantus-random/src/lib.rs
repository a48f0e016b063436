//! A keyed random number generator for reproducible programs: the key decides the stream, and nothing else does.
//!
//! A key is one or more integers: a seed, what the numbers are for, an epoch, an example. Streams of different keys are
//! independent of each other, those of neighbouring seeds (0, 1, 2, …) too. So a result does not depend on the number of
//! threads, nor on what was drawn before, and there is no state to save.
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
//! - [`key`] and [`bits`] are hashes, for numbers that are computed anew wherever they are needed (a dropout mask).
//! - [`text_key`] makes a part of a key of a text.
//!
//! Integers are the same on every machine and in every version; tests pin them to literal values. So are floating-point
//! numbers, but for those that take a logarithm, an exponential or a cosine ([`KeyedRng::normal`],
//! [`KeyedRng::log_uniform`]), whose last bit is that of the platform's mathematical library.
//!
//! Not for cryptography: who sees a few numbers of a stream can compute the others.

mod hash;
mod rng;
mod text;

pub use hash::{bits, key};
pub use rng::KeyedRng;
pub use text::text_key;
