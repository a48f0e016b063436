//! Scores of the same recipe on a split that leaks less: by track beside a split by segment, by group beside one by track.

use serde::{Deserialize, Serialize};

use cantus_dataset::Unit;
use cantus_metrics::{Interval, Scores};

/// The scores of the same recipe, seed and shares on a split that keeps tracks or groups whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutLeak {
    /// What that split keeps whole: tracks, if the report is of a split by segment; groups, if of one by track.
    #[serde(default = "track")]
    pub by: Unit,
    /// Number of test segments.
    pub n_segments: usize,
    /// Number of their tracks.
    pub n_tracks: usize,
    /// Number of their groups; `None` if no group has two tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_groups: Option<usize>,
    /// Segment accuracy.
    pub accuracy: f64,
    /// Bootstrap over tracks.
    pub accuracy_interval: Option<Interval>,
    /// Track accuracy.
    pub track_accuracy: f64,
    /// Bootstrap over groups where they are known, over tracks otherwise.
    pub track_accuracy_interval: Interval,
}

/// What runs of earlier versions kept whole.
fn track() -> Unit {
    Unit::Track
}

impl WithoutLeak {
    /// From the scores of the run on the split that leaks less.
    pub(crate) fn of(scores: &Scores, by: Unit) -> Self {
        Self {
            by,
            n_segments: scores.n_segments,
            n_tracks: scores.n_tracks,
            n_groups: scores.n_groups,
            accuracy: scores.accuracy,
            accuracy_interval: scores.accuracy_interval,
            track_accuracy: scores.track_accuracy,
            track_accuracy_interval: scores.track_interval(),
        }
    }

    /// The unit as text.
    pub(in crate::report) fn unit(&self) -> &'static str {
        match self.by {
            Unit::Group => "group",
            Unit::Track | Unit::Segment => "track",
        }
    }
}
