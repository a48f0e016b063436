//! From a sound file to features.
//!
//! ```text
//! file ─▶ decode ─▶ resample ─▶ (augment) ─▶ transform ─▶ feature [n_frames, n_bins]
//! ```
//!
//! The modules stand in the order in which sound passes through them, and each uses only those before it.
//! Nothing here learns, prints or opens a network connection; only [`decode`], the planning of [`augment`], the WAV
//! writer and [`pending_file`] touch files.

#[cfg(test)]
mod assert_close;
mod audio;
pub mod augment;
pub mod decode;
mod error;
pub mod feature;
pub mod fingerprint;
pub mod level;
pub mod pending_file;
pub mod resample;
pub mod transform;
mod wav;

pub use audio::Audio;
pub use error::Error;
pub use wav::write_wav;
