//! One recording of a data set, with its labels and what a split needs of it.

use super::Part;

/// One recording of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Path relative to the catalog's root, separated by `/` on every system.
    pub path: String,
    /// Indices into the catalog's labels, ascending: exactly one class, or any number of tags.
    pub labels: Vec<usize>,
    /// Artist tag of the file; `None` if absent or not read yet.
    pub artist: Option<String>,
    /// Group that must not be divided by a split, such as the artist; without one, the track is a group of its own.
    pub group: Option<String>,
    /// Part of the split that the manifest or a split list specifies.
    pub part: Option<Part>,
    /// Cross-validation fold that the manifest specifies.
    pub fold: Option<String>,
    /// Key shared by all duplicates of one recording, if an audit found duplicates; no split separates them.
    pub recording: Option<String>,
}
