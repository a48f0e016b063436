//! Windows, Fourier and constant-Q transforms, harmonic-percussive separation, and decibels.
//!
//! ```text
//! samples ─▶ window ─▶ fourier ─▶ stft [n_frames, n_fft / 2 + 1] ─▶ decibel
//!        │                           └─▶ hpss
//!        └─▶ cqt [n_frames, n_notes]
//! ```

pub(crate) mod autocorrelation;
pub mod cqt;
pub mod decibel;
mod dft;
pub(crate) mod exponential;
pub mod fourier;
pub mod hpss;
pub(crate) mod logarithm;
mod median;
pub mod norm;
pub mod padding;
mod real_fft_f64;
mod real_fft_split;
pub mod stft;
pub(crate) mod stft_f64;
pub mod window;

pub use cqt::{Cqt, CqtConfig};
pub use fourier::Complex32;
pub use hpss::{Hpss, HpssConfig};
pub use norm::Norm;
pub use padding::PadMode;
pub use stft::{Stft, StftConfig};
pub use window::Window;
