//! Functions of the lecture on digital sound: sines, sampling, quantisation, aliasing, Fourier decomposition.
//!
//! ```text
//! Sine ─▶ sample (at a rate) ─▶ quantize (at a bit depth) ─▶ numbers ─▶ partials (sines)
//! ```
//!
//! A tone is a [`Sine`]; other sounds are sums of sines. [`conversion`] samples and quantises, with the resulting error;
//! [`aliasing`] computes the alias frequency of a tone above the Nyquist frequency; [`partials`] decomposes samples into sines.
//!
//! All functions are in f64 and written for clarity. The transforms for feature extraction are in
//! [`cantus_audio::transform`].

pub mod aliasing;
pub mod conversion;
pub mod partials;
mod sine;

pub use sine::Sine;
