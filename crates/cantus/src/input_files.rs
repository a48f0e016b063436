//! Lists the audio files behind paths: files as given, folders recursively.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Error;

/// The files behind a list of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Recordings, in the order of the paths and sorted within a folder.
    pub files: Vec<PathBuf>,
    /// Files and folders that could not be read.
    pub failed: Vec<Failed>,
    /// Audio files in folders that were skipped, since their names lack an audio extension.
    pub misnamed: Vec<String>,
}

impl Listing {
    /// A remark on the skipped files.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        misnamed_remark(&self.misnamed)
    }
}

/// A remark on audio files whose names lack an audio extension.
#[must_use]
pub fn misnamed_remark(paths: &[String]) -> Option<String> {
    let (first, others) = paths.split_first()?;
    let named = match others {
        [] => format!("{first} holds sound, but is"),
        [second] => format!("{first} and {second} hold sound, but are"),
        others => format!("{first} and {} others hold sound, but are", others.len()),
    };
    Some(format!("{named} not named as a recording is, and passed over; give it an extension such as .mp3"))
}

/// A file that could not be processed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Failed {
    /// The failure of `path`; the path is removed from the start of the reason.
    #[must_use]
    pub fn new(path: &Path, error: &Error) -> Self {
        let reason = error.to_string();
        // The error may contain the canonical path.
        let names = [Some(path.to_owned()), path.canonicalize().ok()];
        let mut prefixes = names.iter().flatten().map(|name| format!("{}: ", name.display()));
        let reason = prefixes.find_map(|prefix| reason.strip_prefix(&prefix)).unwrap_or(&reason).to_owned();
        Self { path: path.display().to_string(), reason }
    }
}

const NO_SUCH_PATH: &str = "no such file or folder";

/// The recordings behind paths: a file as given, whatever its name; a folder with all recordings in it that were not listed
/// before. A path that does not exist is listed as a failure and does not stop the others.
///
/// # Errors
/// If the paths are folders without any recording.
pub fn recordings(paths: &[PathBuf]) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let mut listed = HashSet::new();
    let mut is_new = |file: &PathBuf| listed.insert(in_resolved_folder(file));
    for path in paths {
        if path.is_dir() {
            let found = cantus_dataset::Recordings::in_folder(path);
            let failed =
                |failure: cantus_dataset::Failure| Failed { path: failure.path, reason: failure.reason };
            // A link to another recording is a file of its own; a folder given twice, or in another, adds nothing.
            listing.files.extend(found.files.into_iter().filter(|file| is_new(file)));
            listing.misnamed.extend(found.misnamed);
            listing.failed.extend(found.failures.into_iter().map(failed));
        } else if path.exists() {
            is_new(path);
            listing.files.push(path.clone());
        } else {
            listing.failed.push(Failed { path: path.display().to_string(), reason: NO_SUCH_PATH.to_owned() });
        }
    }
    if listing.files.is_empty() && listing.failed.is_empty() {
        return Err(Error::NothingFound { paths: paths.to_vec() });
    }
    Ok(listing)
}

/// The path of a file, without links to the folder that it is in.
fn in_resolved_folder(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    file.file_name().map_or_else(|| file.to_owned(), |name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_overlapping_folders_is_listed_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["a/1.wav", "a/b/2.wav"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let all = [dir.path().join("a/1.wav"), dir.path().join("a/b/2.wav")];
        let listed = |paths: &[PathBuf]| recordings(paths).unwrap().files;
        assert_eq!(listed(&[dir.path().join("a"), folder.clone(), dir.path().join("a/../a")]), all);
        assert_eq!(listed(&[all[1].clone(), dir.path().join("a")]), [all[1].clone(), all[0].clone()]);
    }
}
