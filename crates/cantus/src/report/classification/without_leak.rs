//! Scores of the same recipe on a split by track: the unbiased estimate beside that of the split by segment, which leaks.

use serde::{Deserialize, Serialize};

use cantus_metrics::{Interval, Scores};

/// The scores of the same recipe, seed and shares on a split by track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutLeak {
    /// Number of test segments.
    pub n_segments: usize,
    /// Number of their tracks.
    pub n_tracks: usize,
    /// Segment accuracy.
    pub accuracy: f64,
    /// Bootstrap over tracks.
    pub accuracy_interval: Option<Interval>,
    /// Track accuracy.
    pub track_accuracy: f64,
    /// Bootstrap over groups where they are known, over tracks otherwise.
    pub track_accuracy_interval: Interval,
}

impl WithoutLeak {
    /// From the scores of the run on the split by track.
    pub(crate) fn of(scores: &Scores) -> Self {
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
