//! What the same recipe scores without the leak of the course's split: the honest figure beside the kind one.

use serde::{Deserialize, Serialize};

use super::Report;
use cantus_metrics::Interval;

/// The scores of the same recipe, seed and shares on a split by track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutLeak {
    /// Segments that were judged.
    pub n_segments: usize,
    /// Tracks that they were cut from.
    pub n_tracks: usize,
    /// Share of right segments.
    pub accuracy: f64,
    /// Bootstrap over tracks.
    pub accuracy_interval: Option<Interval>,
    /// Share of right tracks.
    pub track_accuracy: f64,
    /// As everywhere: over groups where they are known, over tracks otherwise.
    pub track_accuracy_interval: Interval,
}

impl WithoutLeak {
    /// What the report of the run on the split by track says.
    pub fn of(report: &Report) -> Self {
        let scores = &report.scores;
        Self {
            n_segments: scores.n_segments,
            n_tracks: scores.n_tracks,
            accuracy: scores.accuracy,
            accuracy_interval: scores.accuracy_interval,
            track_accuracy: scores.track_accuracy,
            track_accuracy_interval: scores.track_interval(),
        }
    }
}
