//! What sound is, before anything is computed of it: the tenth lecture as functions.
//!
//! ```text
//! Sine ─▶ sample (at a rate) ─▶ quantize (at a bit depth) ─▶ numbers ─▶ partials: the sines again
//! ```
//!
//! A tone is a [`Sine`]; all other sound is a sum of them. [`conversion`] turns it into numbers, as the converter behind a
//! microphone does, and tells what is lost; [`aliasing`] tells what is heard of a tone that is too high to be
//! sampled; [`partials`] takes numbers apart into the sines that they are a sum of.
//!
//! Everything here is in f64 and in the plainest form, to be read and to measure by. What features are computed with is in
//! [`cantus_audio::transform`].

pub mod aliasing;
pub mod conversion;
pub mod partials;
mod sine;

pub use sine::Sine;
