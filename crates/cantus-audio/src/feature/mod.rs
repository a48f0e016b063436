//! Features: matrices `[n_frames, n_bins]`, row-major, computed from segments of samples.
//!
//! ```text
//! stft ─▶ mel ─▶ decibel ─▶ mfcc
//!    │                  └─▶ onset ─▶ tempogram ─▶ tempo ─▶ beat
//!    └─▶ tuning ─▶ chroma_stft
//! cqt ─▶ chroma_cqt ─▶ tonnetz
//! ```
//!
//! [`FeatureSpec`] specifies the features and their parameters; [`FeatureExtractor`] computes them, and
//! [`Segmenter`] applies it to recordings, [`TrackSegmenter`] to as many segments of a file as a training needs.
//!
//! # Files
//! Each uses only files to its left:
//!
//! ```text
//! dct, mel, mfcc ─▶ frame_params ─▶ spectrogram_input ─▶ front_end, rows ─▶ frame_level, track_level ─▶ registry/* ─▶ registry/mod
//!     ─▶ summary, embedding ─▶ spec ─▶ extractor ─▶ segmenter
//! ```
//!
//! A specification gives one row per frame, or, with a `summary` or an embedding, one row per segment.
//!
//! `frame_params` are the parameters that all features share, `front_end` the intermediates that are computed once per
//! segment, `frame_level` and `track_level` the traits, `registry/*` one file per feature, `registry/mod` their tables.
//!
//! # Adding a feature
//! 1. Write `registry/NAME.rs` with a type that implements `Feature` (one row per frame) or `TrackLevel` (one result per
//!    recording). Its `Config` is `()` or a type of its own, with serde's derives and `Default`.
//! 2. In `registry/mod.rs`, add `mod NAME;` and a line in `frame_features!` or `track_features!`.
//! 3. If it has settings, add to `spec.rs` a field of [`FeatureSpec`], its default, and a line in `configs!`.
//!
//! Specifications, stores, tables, pictures and the command line take it from the registry.
//!
//! # Accuracy
//! The numbers are librosa 0.11's. Over all frames of 100 tracks of music, the maximum error of the course's 13 MFCCs
//! is 5.5e-4, the mean error 7e-6; `tests/gtzan.rs` describes the measurement. Pitch and rhythm are compared with librosa in
//! `tests/tonal.rs`, all other features in `tests/librosa.rs`.
//!
//! librosa computes transforms in double precision, Cantus in single: bins more than 120 dB below the maximum of their
//! frame are rounding errors. This is inaudible, but of tones and band-limited sound it is measured by features that take
//! ratios or logarithms of nearly empty bins: up to 20 dB of `spectral_contrast`, 20 % of `spectral_bandwidth`, 1 % of
//! `spectral_flatness`, and 10 dB of levels without `top_db`. These three features, and everything if `top_db` is `None` or
//! over 80 dB, are computed from a transform in double precision; all others were within 1e-4 of their largest value.

pub mod dct;
mod embedding;
mod extractor;
mod frame_level;
mod frame_params;
mod framing;
mod front_end;
mod lane_sum;
pub mod mel;
pub mod mfcc;
mod pitch_class;
mod range_check;
mod registry;
mod rows;
mod segmenter;
mod spec;
mod spectrogram_input;
mod summary;
mod track_level;
pub mod tuning;

pub use dct::{DctNorm, DctType};
pub use embedding::{
    Compression, Embedding, EmbeddingDescription, EmbeddingGraph, EmbeddingInput, EmbeddingOutput, InputAxis,
    MelInput, Patch, PatchExtractor, PatchPooling, PlannedGraph,
};
pub use extractor::FeatureExtractor;
pub use frame_level::{Bins, Quantity};
pub use mel::MelNorm;
pub use registry::delta::DeltaConfig;
pub use registry::pcen::PcenConfig;
pub use registry::spectral_bandwidth::BandwidthConfig;
pub use registry::spectral_contrast::{ContrastBand, ContrastConfig};
pub use registry::spectral_flatness::FlatnessConfig;
pub use registry::spectral_rolloff::RolloffConfig;
pub use registry::{
    FeatureKind, TrackFeatureKind, amplitude_envelope, beat, chroma_cqt, chroma_stft, delta, onset, pcen,
    rms, spectral_bandwidth, spectral_centroid, spectral_contrast, spectral_flatness, spectral_flux,
    spectral_rolloff, spectrum, tempo, tempogram, tonnetz,
};
pub use segmenter::{SegmentError, SegmentFeatures, Segmenter, TrackSegmenter, segment_file};
pub use spec::{FeatureSpec, SegmentPadding, SegmentWindows, Segments, SpecWarning};
pub use spectrogram_input::SpectrogramInput;
pub use summary::Summary;
pub use track_level::{Axis, TrackFeature};

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
