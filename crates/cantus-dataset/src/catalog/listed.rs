//! Catalog of recordings that a program lists, instead of a folder or a manifest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Catalog, CatalogEntry, Entries, Ignored};
use crate::Error;

/// A recording with its class, for [`Catalog::from_recordings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecording {
    /// Its file: the name of the track in the feature store, and with a relative path relative to the current folder.
    pub path: String,
    /// Its class.
    pub label: String,
    /// Group that a split by group keeps whole, if it is known.
    pub group: Option<String>,
}

impl Catalog {
    /// The catalog of recordings that may be anywhere. A missing file is a failure of the extraction, as in a manifest.
    ///
    /// ```
    /// use cantus_dataset::{Catalog, ListedRecording};
    ///
    /// let recording = |path: &str, label: &str| ListedRecording { path: path.into(), label: label.into(), group: None };
    /// let catalog = Catalog::from_recordings(vec![recording("b.wav", "rock"), recording("a.wav", "jazz")])?;
    /// assert_eq!(catalog.labels, ["jazz", "rock"]);
    /// # Ok::<(), cantus_dataset::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a path is listed twice, or there are fewer than two classes.
    pub fn from_recordings(recordings: Vec<ListedRecording>) -> Result<Self, Error> {
        let mut paths = BTreeSet::new();
        if let Some(repeated) = recordings.iter().find(|recording| !paths.insert(recording.path.as_str())) {
            return Err(Error::ListedTwice { path: PathBuf::from(&repeated.path) });
        }
        let entries = recordings.into_iter().map(CatalogEntry::from).collect();
        let entries =
            Entries { root: PathBuf::new(), entries, is_tagged: false, ignored: Ignored::default() };
        Self::from_entries(Path::new("the list of recordings"), entries)
    }
}

impl From<ListedRecording> for CatalogEntry {
    fn from(ListedRecording { path, label, group }: ListedRecording) -> Self {
        Self { labels: vec![label], path, group, part: None, fold: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(path: &str, label: &str) -> ListedRecording {
        ListedRecording { path: path.to_owned(), label: label.to_owned(), group: Some("g".to_owned()) }
    }

    #[test]
    fn listed_recordings_are_sorted_by_label_and_path_as_those_of_a_folder() {
        let list = vec![recording("/x/2.wav", "b"), recording("/y/3.wav", "a"), recording("/x/1.wav", "b")];
        let catalog = Catalog::from_recordings(list).unwrap();
        let tracks: Vec<_> =
            catalog.tracks.iter().map(|track| (track.path.as_str(), track.labels.clone())).collect();
        assert_eq!(tracks, [("/y/3.wav", vec![0]), ("/x/1.wav", vec![1]), ("/x/2.wav", vec![1])]);
        assert_eq!(catalog.path_of(&catalog.tracks[0]), Path::new("/y/3.wav"));
        assert!(catalog.tracks.iter().all(|track| track.group.as_deref() == Some("g")));
    }

    #[test]
    fn a_path_listed_twice_and_a_single_class_are_refused() {
        let message = |list| Catalog::from_recordings(list).unwrap_err().to_string();
        let twice = message(vec![recording("1.wav", "a"), recording("1.wav", "b")]);
        assert_eq!(twice, "1.wav: listed twice; list each recording once");
        let one = message(vec![recording("1.wav", "a"), recording("2.wav", "a")]);
        assert!(one.starts_with("the list of recordings: "), "{one}");
    }
}
