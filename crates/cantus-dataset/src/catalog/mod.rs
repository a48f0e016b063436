//! Catalog of a data set: which recordings it has, and the labels of each.
//!
//! A catalog is read from a folder, `DIR/<label>/**/<audio file>`, or from a CSV manifest. Labels and paths are sorted
//! bytewise, so that the order does not depend on the file system. No file is decoded here: whether a file holds audio is
//! determined by its content, at extraction.

mod background;
pub(crate) mod csv_table;
mod folder_scan;
mod groups;
mod listed;
mod manifest;
mod part;
pub mod tags;
mod track;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use background::BACKGROUND_LABEL;
pub use folder_scan::Recordings;
pub use groups::{GroupReport, Grouping, assign_groups};
pub use listed::ListedRecording;
pub use manifest::{ManifestEntry, is_manifest, read_manifest};
pub use part::Part;
pub use track::Track;

pub(crate) use groups::artist_key;

use crate::Error;
use crate::failure::Failure;
use folder_scan::{AUDIO_EXTENSIONS, FolderScan};

/// The tracks of a data set and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Folder that the tracks' paths are relative to.
    pub root: PathBuf,
    /// Names of the classes or tags, sorted bytewise.
    pub labels: Vec<String>,
    /// Whether labels are tags (multi-label: a track may have none or several) and not classes (exactly one each).
    pub is_tagged: bool,
    /// The tracks, sorted by label and then by path.
    pub tracks: Vec<Track>,
    /// Files and folders that are not tracks.
    pub ignored: Ignored,
}

/// Files and folders of a data set that are not tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Files without an audio extension, sorted. Hidden files and `__MACOSX` are not listed.
    pub not_audio: Vec<String>,
    /// Files of `not_audio` whose content is audio.
    pub misnamed: Vec<String>,
    /// Recordings and folders that cannot be used, sorted: no label, an unreadable folder, a name that is not UTF-8.
    pub failures: Vec<Failure>,
}

impl Catalog {
    /// Reads the catalog of a folder of label folders, or of a manifest (`.csv` or `.tsv`).
    ///
    /// # Errors
    /// If the path does not exist, or is neither a folder nor a manifest; a folder has no audio files, no label
    /// folders, a label of spaces, or only one label; or the manifest is malformed (with the line).
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::from_entries(path, Entries::read(path)?)
    }

    /// The same, but for recordings that are added to others: they may be of one class, or all have the same tags.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) but for a single label.
    pub fn open_further(path: &Path) -> Result<Self, Error> {
        Self::numbered(path, Entries::read(path)?)
    }

    /// The same with the recordings of a folder, of any depth, as the class [`BACKGROUND_LABEL`] ("none of these"); where
    /// labels are tags, as tracks without a tag.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); if the folder `background` does not exist or has no audio files.
    pub fn open_with_background(path: &Path, background: &Path) -> Result<Self, Error> {
        let mut entries = Entries::read(path)?;
        entries.add_background(background)?;
        Self::from_entries(path, entries)
    }

    /// The catalog of entries, of which not all have the same labels; `origin` is the path that errors name.
    fn from_entries(origin: &Path, entries: Entries) -> Result<Self, Error> {
        let catalog = Self::numbered(origin, entries)?;
        match &catalog.labels[..] {
            [label] if !catalog.is_tagged => {
                Err(Error::OneClass { path: origin.to_owned(), label: label.clone() })
            }
            // A single tag can be learned if some tracks are without it.
            _ if catalog.is_tagged
                && catalog.tracks.windows(2).all(|pair| pair[0].labels == pair[1].labels) =>
            {
                Err(Error::SameTags { path: origin.to_owned() })
            }
            _ => Ok(catalog),
        }
    }

    /// Sorts the entries and replaces label names by indices.
    fn numbered(origin: &Path, entries: Entries) -> Result<Self, Error> {
        let Entries { root, mut entries, is_tagged, ignored } = entries;
        entries.iter_mut().for_each(|entry| entry.labels.sort());
        entries.sort_by(|a, b| (&a.labels, &a.path).cmp(&(&b.labels, &b.path)));
        let label_indices: BTreeMap<String, usize> = entries
            .iter()
            .flat_map(|entry| entry.labels.iter().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .enumerate()
            .map(|(index, label)| (label, index))
            .collect();
        if label_indices.keys().any(|label| label.trim().is_empty()) {
            return Err(Error::BlankLabel { path: origin.to_owned() });
        }
        let tracks = entries.into_iter().map(|entry| entry.into_track(&label_indices)).collect();
        Ok(Self { root, labels: label_indices.into_keys().collect(), is_tagged, tracks, ignored })
    }

    /// Path of a track's file.
    #[must_use]
    pub fn path_of(&self, track: &Track) -> PathBuf {
        self.root.join(&track.path)
    }
}

/// The content of a folder or manifest, before its labels are numbered.
#[derive(Debug)]
struct Entries {
    root: PathBuf,
    entries: Vec<CatalogEntry>,
    is_tagged: bool,
    ignored: Ignored,
}

impl Entries {
    fn read(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            Self::of_folder(path)
        } else if !path.exists() {
            Err(Error::NotFound { path: path.to_owned() })
        } else if is_manifest(path) {
            manifest::read(path)
        } else {
            Err(Error::NotADataset { path: path.to_owned() })
        }
    }

    fn of_folder(root: &Path) -> Result<Self, Error> {
        let FolderScan { labelled, n_unlabelled, ignored } = FolderScan::of(root);
        if labelled.is_empty() {
            return Err(match n_unlabelled {
                0 => Error::NoAudio {
                    path: root.to_owned(),
                    found: describe(&ignored),
                    extensions: &AUDIO_EXTENSIONS,
                },
                n_files => Error::NoLabels { path: root.to_owned(), n_files },
            });
        }
        let entry =
            |(label, path)| CatalogEntry { labels: vec![label], path, group: None, part: None, fold: None };
        let entries = labelled.into_iter().map(entry).collect();
        Ok(Self { root: root.to_owned(), entries, is_tagged: false, ignored })
    }
}

/// A track whose labels are names and not yet indices.
#[derive(Debug)]
struct CatalogEntry {
    /// Exactly one class, or any number of tags.
    labels: Vec<String>,
    path: String,
    group: Option<String>,
    part: Option<Part>,
    fold: Option<String>,
}

impl CatalogEntry {
    fn into_track(self, label_indices: &BTreeMap<String, usize>) -> Track {
        Track {
            labels: self.labels.iter().filter_map(|label| label_indices.get(label).copied()).collect(),
            path: self.path,
            artist: None,
            group: self.group,
            part: self.part,
            fold: self.fold,
            recording: None,
        }
    }
}

/// "it is empty", or how many files of which extensions there are.
fn describe(ignored: &Ignored) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in &ignored.not_audio {
        let extension =
            Path::new(path).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        *counts
            .entry(extension.map_or("no extension".to_owned(), |extension| format!(".{extension}")))
            .or_default() += 1;
    }
    let mut kinds: Vec<String> = counts.into_iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    if let Some(first) = ignored.failures.first() {
        kinds.push(format!(
            "{} unreadable, such as {}: {}",
            ignored.failures.len(),
            first.path,
            first.reason
        ));
    }
    if kinds.is_empty() { "it is empty".to_owned() } else { format!("found instead: {}", kinds.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    pub(super) fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn paths(catalog: &Catalog) -> Vec<&str> {
        catalog.tracks.iter().map(|track| track.path.as_str()).collect()
    }

    #[test]
    fn labels_are_the_first_level_folders_and_sorted() {
        let dir = folder_with(&[
            "rock/b.mp3",
            "rock/live/1999/a.FLAC",
            "Jazz/x.Wav",
            "pop music/z.au",
            "empty/n.txt",
        ]);
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(catalog.labels, ["Jazz", "pop music", "rock"]);
        assert_eq!(paths(&catalog), ["Jazz/x.Wav", "pop music/z.au", "rock/b.mp3", "rock/live/1999/a.FLAC"]);
        assert_eq!(catalog.tracks.iter().map(|track| track.labels[0]).collect::<Vec<_>>(), [0, 1, 2, 2]);
        assert_eq!(catalog.ignored.not_audio, ["empty/n.txt"]);
    }

    #[test]
    fn hidden_files_are_skipped_and_others_listed() {
        let dir = folder_with(&[
            "a/1.wav",
            "b/1.wav",
            "b/._1.wav",
            "__MACOSX/b/1.wav",
            ".git/x.wav",
            "b/cover.jpg",
            "2.wav",
        ]);
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(paths(&catalog), ["a/1.wav", "b/1.wav"]);
        assert_eq!(catalog.ignored.not_audio, ["b/cover.jpg"]);
        assert_eq!(catalog.ignored.failures.len(), 1);
        assert_eq!(catalog.ignored.failures[0].path, "2.wav");
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_to_an_ancestor_is_reported_and_not_followed() {
        let dir = folder_with(&["a/1.wav", "b/1.wav"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/again")).unwrap();
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(paths(&catalog), ["a/1.wav", "b/1.wav"]);
        assert!(catalog.ignored.failures[0].reason.contains("leads back"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_name_that_is_not_utf8_is_a_failure() {
        use std::os::unix::ffi::OsStrExt;
        let dir = folder_with(&["a/1.wav", "b/1.wav"]);
        fs::write(dir.path().join("b").join(std::ffi::OsStr::from_bytes(b"\xff.wav")), "").unwrap();
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(catalog.tracks.len(), 2);
        assert!(catalog.ignored.failures[0].reason.contains("UTF-8"));
    }

    #[test]
    fn a_folder_that_is_no_data_set_is_a_one_line_error() {
        let message = |files: &[&str]| Catalog::open(folder_with(files).path()).unwrap_err().to_string();
        assert!(message(&[]).contains("no audio files found (it is empty)"));
        assert!(message(&["a/1.txt", "a/2.TXT", "b/c"]).contains("found instead: 2 .txt, 1 no extension"));
        assert!(message(&["1.wav", "2.mp3"]).contains("2 audio files lie directly in the folder"));
        assert!(message(&["rock/1.wav", "rock/2.mp3"]).contains("only one class, 'rock'"));
        let dir = folder_with(&["file.wav"]);
        assert!(
            Catalog::open(&dir.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("no such file or folder")
        );
        assert!(
            Catalog::open(&dir.path().join("file.wav")).unwrap_err().to_string().contains("neither a folder")
        );
    }
}
