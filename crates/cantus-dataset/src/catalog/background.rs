//! Background: recordings of "none of these", the class that collects sounds of no other class.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::folder_scan::{AUDIO_EXTENSIONS, Recordings};
use super::{CatalogEntry, Entries, Part, describe};
use crate::Error;

/// Label of the class that means "none of these": the name of a label folder, or a label in a manifest.
pub const BACKGROUND_LABEL: &str = "_background_";

impl Entries {
    /// Adds the recordings of a folder and its subfolders as the class [`BACKGROUND_LABEL`], or without a tag where labels
    /// are tags. Recordings of the data set that lie in the folder change their label.
    ///
    /// Where the manifest specifies parts, they are in the training part; where it specifies folds, they are dealt to the
    /// folds in turn.
    ///
    /// # Errors
    /// If the folder does not exist or has no audio files.
    pub(super) fn add_background(&mut self, folder: &Path) -> Result<(), Error> {
        if !folder.is_dir() {
            return Err(Error::NotFound { path: folder.to_owned() });
        }
        let Recordings { files, misnamed, failures } = Recordings::in_folder(folder);
        self.ignored.misnamed.extend(misnamed);
        self.ignored.failures.extend(failures);
        self.ignored.failures.sort_by(|a, b| a.path.cmp(&b.path));
        if files.is_empty() {
            let (path, found) = (folder.to_owned(), describe(&self.ignored));
            return Err(Error::NoAudio { path, found, extensions: &AUDIO_EXTENSIONS });
        }
        let (root, canonical_folder) = (canonical(&self.root), canonical(folder));
        let name = |below: &Path| {
            let path = canonical_folder.join(below);
            let path = path.strip_prefix(&root).unwrap_or(&path);
            path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
        };
        let inside = name(Path::new(""));
        let has_parts = self.entries.iter().any(|entry| entry.part.is_some());
        let folds = self.folds();
        self.entries.retain(|entry| !Path::new(&entry.path).starts_with(&inside));
        let others: HashSet<String> = self.entries.iter().map(|entry| entry.path.clone()).collect();
        let labels = if self.is_tagged { Vec::new() } else { vec![BACKGROUND_LABEL.to_owned()] };
        for (number, file) in files.iter().enumerate() {
            let path = name(file.strip_prefix(folder).unwrap_or(file));
            if others.contains(&path) {
                continue;
            }
            self.entries.push(CatalogEntry {
                labels: labels.clone(),
                path,
                group: None,
                part: has_parts.then_some(Part::Train),
                fold: (!folds.is_empty()).then(|| folds[number % folds.len()].clone()),
            });
        }
        Ok(())
    }

    /// The names of the folds that the manifest specifies, sorted.
    fn folds(&self) -> Vec<String> {
        let folds = self.entries.iter().filter_map(|entry| entry.fold.clone());
        folds.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The path without links, or as it is if it cannot be resolved.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Catalog;
    use crate::catalog::tests::folder_with;

    /// Label and path of each track.
    fn tracks(catalog: &Catalog) -> Vec<(&str, &str)> {
        let label = |track: &crate::Track| track.labels.first().map_or("", |&label| &catalog.labels[label]);
        catalog.tracks.iter().map(|track| (label(track), track.path.as_str())).collect()
    }

    fn open(dir: &Path, data: &str, background: &str) -> Catalog {
        Catalog::open_with_background(&dir.join(data), &dir.join(background)).unwrap()
    }

    #[test]
    fn the_recordings_of_a_folder_of_any_depth_are_of_the_class_background() {
        let dir =
            folder_with(&["data/a/1.wav", "noise/fan.wav", "noise/street/1/car.mp3", "noise/readme.txt"]);
        let catalog = open(dir.path(), "data", "noise");
        assert_eq!(catalog.labels, [BACKGROUND_LABEL, "a"], "one class beside the background is enough");
        for (track, name) in catalog.tracks.iter().zip(["noise/fan.wav", "noise/street/1/car.mp3", "a/1.wav"])
        {
            assert!(track.path.ends_with(name) && catalog.path_of(track).is_file(), "{}", track.path);
        }
    }

    #[test]
    fn a_background_inside_of_the_data_set_is_no_class_of_its_own() {
        let dir = folder_with(&["a/1.wav", "b/1.wav", "noise/1.wav", "noise/2/3.wav", "b/noise/4.wav"]);
        let catalog = open(dir.path(), "", "noise");
        let expected = [
            (BACKGROUND_LABEL, "noise/1.wav"),
            (BACKGROUND_LABEL, "noise/2/3.wav"),
            ("a", "a/1.wav"),
            ("b", "b/1.wav"),
            ("b", "b/noise/4.wav"),
        ];
        assert_eq!(tracks(&catalog), expected);
        assert_eq!(tracks(&open(dir.path(), "", "b/noise"))[0], (BACKGROUND_LABEL, "b/noise/4.wav"));
        // A folder around the data set has its recordings, too.
        let dir = folder_with(&["all/data/a/1.wav", "all/data/b/1.wav", "all/hum.wav"]);
        assert_eq!(open(dir.path(), "all/data", "all").tracks.len(), 3);
    }

    #[test]
    fn background_beside_a_manifest_is_in_its_training_part_or_in_all_of_its_folds() {
        let dir = folder_with(&["noise/1.wav", "noise/2.wav", "noise/3.wav"]);
        let manifest = |text: &str| fs::write(dir.path().join("m.csv"), text).unwrap();
        manifest("path,label,split\n1.wav,a,train\n2.wav,b,test\n");
        let catalog = open(dir.path(), "m.csv", "noise");
        assert!(catalog.tracks[..3].iter().all(|track| track.part == Some(Part::Train)));
        manifest("path,label,fold\n1.wav,a,x\n2.wav,b,y\n");
        let folds: Vec<String> =
            open(dir.path(), "m.csv", "noise").tracks.into_iter().filter_map(|track| track.fold).collect();
        assert_eq!(folds, ["x", "y", "x", "x", "y"]);
        manifest("path,labels\n1.wav,a\n2.wav,b\n");
        let catalog = open(dir.path(), "m.csv", "noise");
        assert_eq!(catalog.labels, ["a", "b"]);
        assert!(catalog.tracks[..3].iter().all(|track| track.labels.is_empty()));
    }

    #[test]
    fn a_background_without_recordings_is_an_error() {
        let dir = folder_with(&["data/a/1.wav", "data/b/1.wav", "noise/readme.txt"]);
        let error = |folder: &str| {
            Catalog::open_with_background(&dir.path().join("data"), &dir.path().join(folder)).unwrap_err()
        };
        assert!(error("noise").to_string().contains("no audio files found"));
        assert!(error("none").to_string().contains("no such file or folder"));
    }
}
