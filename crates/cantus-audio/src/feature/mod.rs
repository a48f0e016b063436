//! Features: what a network is given to hear, `[n_frames, n_bins]` row-major.
//!
//! ```text
//! stft ─▶ mel ─▶ decibel ─▶ mfcc
//!    │                  └─▶ onset ─▶ tempogram ─▶ tempo ─▶ beat
//!    └─▶ tuning ─▶ chroma_stft
//! cqt ─▶ chroma_cqt ─▶ tonnetz
//! ```
//!
//! One file per feature, and one line in the table of `kind`. [`FeatureSpec`] describes what is wanted,
//! [`FeatureExtractor`] is that description planned; what several kinds are made of is computed once, in `shared`.
//!
//! The numbers are librosa 0.11's. Over all frames of 100 tracks of music, the worst of the course's 13 MFCCs is
//! 5.5e-4 away from librosa's, the mean one 7e-6; `tests/gtzan.rs` says how to measure it. Pitch and rhythm are held
//! against librosa in `tests/tonal.rs`, all other kinds in `tests/librosa.rs`.
//!
//! librosa transforms in double precision, Cantus in single: bins more than 120 dB below the loudest of their frame are
//! rounding errors here. Nobody hears them, but what asks for the quietest bins does: in a band that is empty, as that just
//! below half the sample rate is after resampling, `spectral_contrast` is up to 5 dB from librosa's, `spectral_flatness` up to
//! 0.2 %; elsewhere they are within 1e-3 dB and 1e-5.

pub mod amplitude_envelope;
pub mod beat;
pub mod chroma_cqt;
pub mod chroma_stft;
mod cqt;
pub mod dct;
pub mod delta;
mod extractor;
mod frames;
mod hearing;
mod hpss;
mod kind;
pub mod mel;
mod mel_spectrogram;
pub mod mfcc;
pub mod onset;
pub mod pcen;
mod pitch_class;
pub mod rms;
mod shared;
mod spec;
pub mod spectral_bandwidth;
pub mod spectral_centroid;
pub mod spectral_contrast;
pub mod spectral_flatness;
pub mod spectral_flux;
pub mod spectral_rolloff;
mod spectrogram;
pub mod spectrum;
mod sum;
pub mod tempo;
pub mod tempogram;
pub mod tonnetz;
pub mod tuning;
mod waveform;
mod whole;
mod zero_crossing;

pub use dct::{DctNorm, DctType};
pub use delta::DeltaConfig;
pub use extractor::FeatureExtractor;
pub use hearing::{Heard, Hearing, NothingToHear};
pub use kind::{Bins, FeatureKind, Quantity};
pub use mel::MelNorm;
pub use pcen::PcenConfig;
pub use spec::{FeatureSpec, Segments};
pub use spectral_bandwidth::BandwidthConfig;
pub use spectral_contrast::ContrastConfig;
pub use spectral_flatness::FlatnessConfig;
pub use spectral_rolloff::RolloffConfig;
pub use whole::{Axis, WHOLE, Whole, WholeKind};

/// A matrix of features: one row per frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// `[n_frames, n_bins]`, row-major.
    pub values: Vec<f32>,
    /// Number of rows.
    pub n_frames: usize,
    /// Number of columns.
    pub n_bins: usize,
}
