//! What an operation that writes a store has written.

use super::header::Header;
use super::writer::Finished;

/// Result of an operation that writes a store from others.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StoreSummary {
    /// Number of parts.
    pub n_parts: usize,
    /// Number of tracks with segments.
    pub n_tracks: usize,
    /// Number of segments, without those of augmented copies.
    pub n_segments: usize,
    /// Number of recordings that could not be used.
    pub n_failures: usize,
    /// Number of tracks of the stores that were left out.
    pub n_left_out: usize,
}

impl StoreSummary {
    pub(super) fn new(finished: &Finished, n_left_out: usize) -> Self {
        let Header { n_parts, n_tracks, n_segments, n_failures, .. } = finished.header;
        Self { n_parts, n_tracks, n_segments, n_failures, n_left_out }
    }
}
