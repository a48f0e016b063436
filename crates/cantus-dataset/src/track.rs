//! A track and what can be said against it.

use serde::{Deserialize, Serialize};

use crate::split::Part;

/// One recording of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Path relative to the catalogue's root, with `/` between its parts on every system.
    pub path: String,
    /// Indices into the catalogue's labels, ascending: one, or where labels are tags none or several, too.
    pub labels: Vec<usize>,
    /// Artist tag of the file, once it was read.
    pub artist: Option<String>,
    /// What must stay on one side of a split, such as the artist; a track without one is a group of its own.
    pub group: Option<String>,
    /// Part of the split that the manifest or a list gives.
    pub part: Option<Part>,
    /// Fold of a cross-validation that the manifest gives.
    pub fold: Option<String>,
    /// The recording that it is one of several copies of, where an audit found that; copies stay on one side of every
    /// split.
    pub recording: Option<String>,
}

/// A file that was lost, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Path relative to the catalogue's root.
    pub path: String,
    /// What was wrong with it.
    pub reason: String,
}

/// Damage that cost less than the file, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Path relative to the catalogue's root.
    pub path: String,
    /// What was wrong with it.
    pub reason: String,
}
