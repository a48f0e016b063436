//! What a split keeps together: tracks, groups, or nothing.

use serde::{Deserialize, Serialize};

/// What a split keeps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Tracks: all segments of a track are in the same part.
    Track,
    /// Groups: all tracks of a group are in the same part; a track without a group is a group of its own.
    Group,
    /// Nothing: segments of a track may be in several parts. The lecture course's split, which leaks; for comparison only.
    Segment,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Group => "group",
            Self::Segment => "segment",
        }
    }
}
