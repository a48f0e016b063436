//! Features: what a network is given to hear, `[n_frames, n_bins]` row-major.

mod spec;

pub use spec::{FeatureKind, FeatureSpec, MelNorm, Segments};

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
