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
        Self::from_entries(Path::new(ORIGIN), Entries::listed(recordings)?)
    }

    /// The same with the recordings of a folder, of any depth, as the class [`BACKGROUND_LABEL`](crate::BACKGROUND_LABEL) ("none of
    /// these"). Their paths are absolute; recordings of the list that lie in the folder change their class.
    ///
    /// # Errors
    /// Those of [`from_recordings`](Self::from_recordings); if the folder does not exist or has no audio files.
    pub fn from_recordings_with_background(
        recordings: Vec<ListedRecording>,
        background: &Path,
    ) -> Result<Self, Error> {
        let mut entries = Entries::listed(recordings)?;
        entries.retain_outside(background);
        entries.add_background(background)?;
        Self::from_entries(Path::new(ORIGIN), entries)
    }
}

/// What errors name in place of a folder or manifest.
const ORIGIN: &str = "the list of recordings";

impl Entries {
    fn listed(recordings: Vec<ListedRecording>) -> Result<Self, Error> {
        let mut paths = BTreeSet::new();
        if let Some(repeated) = recordings.iter().find(|recording| !paths.insert(recording.path.as_str())) {
            return Err(Error::ListedTwice { path: PathBuf::from(&repeated.path) });
        }
        let entries = recordings.into_iter().map(CatalogEntry::from).collect();
        Ok(Self { root: PathBuf::new(), entries, is_tagged: false, ignored: Ignored::default() })
    }

    /// Removes the recordings that lie in a folder, by whatever path they are listed.
    fn retain_outside(&mut self, folder: &Path) {
        let Ok(folder) = folder.canonicalize() else { return };
        let is_inside =
            |path: &str| Path::new(path).canonicalize().is_ok_and(|path| path.starts_with(&folder));
        self.entries.retain(|entry| !is_inside(&entry.path));
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
    use crate::catalog::tests::folder_with;

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
    fn a_folder_of_background_is_a_class_beside_those_of_the_list() {
        let dir = folder_with(&["noise/1.wav", "noise/deep/2.wav", "noise/text.txt", "a.wav"]);
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        // A recording of the list in the folder changes its class, whatever its path.
        let list = vec![recording(&path("a.wav"), "a"), recording(&path("noise/deep/../1.wav"), "b")];
        let open =
            |folder: &str| Catalog::from_recordings_with_background(list.clone(), &dir.path().join(folder));
        let catalog = open("noise").unwrap();
        assert_eq!(catalog.labels, [crate::BACKGROUND_LABEL, "a"]);
        let names: Vec<_> = catalog.tracks.iter().map(|track| catalog.path_of(track)).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|path| path.is_absolute() && path.is_file()), "{names:?}");
        assert!(matches!(open("none"), Err(Error::NotFound { .. })));
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
