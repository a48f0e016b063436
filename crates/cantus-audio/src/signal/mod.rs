//! Windows, Fourier transforms and decibels: from samples over time to strength over frequency.
//!
//! ```text
//! samples ─▶ window ─▶ fourier ─▶ stft [n_frames, n_fft / 2 + 1] ─▶ decibel
//! ```

pub mod decibel;
pub mod fourier;
pub mod logarithm;
pub mod padding;
pub mod stft;
pub mod window;

pub use fourier::Complex32;
pub use padding::PadMode;
pub use stft::{Stft, StftConfig};
pub use window::Window;
