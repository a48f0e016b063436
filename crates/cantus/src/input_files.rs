//! The recordings that paths stand for: files as they are, folders with all that lies in them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Error;

/// The files behind a list of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Recordings, in the order of the paths and sorted within a folder.
    pub files: Vec<PathBuf>,
    /// What could not be looked at.
    pub failed: Vec<Failed>,
    /// Files in folders that hold sound, but are not named so, and so were passed over.
    pub misnamed: Vec<String>,
}

impl Listing {
    /// A word on what was passed over.
    pub fn remark(&self) -> Option<String> {
        misnamed_remark(&self.misnamed)
    }
}

/// A word on files that hold sound and are not named so.
pub fn misnamed_remark(paths: &[String]) -> Option<String> {
    let (first, others) = paths.split_first()?;
    let named = match others {
        [] => format!("{first} holds sound, but is"),
        [second] => format!("{first} and {second} hold sound, but are"),
        others => format!("{first} and {} others hold sound, but are", others.len()),
    };
    Some(format!("{named} not named as a recording is, and passed over; give it an extension such as .mp3"))
}

/// A file of which nothing could be made, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Failed {
    /// The failure of `path`; the reason does not say the path again.
    pub fn new(path: &Path, error: &Error) -> Self {
        let reason = error.to_string();
        // The error may know the file by its whole path.
        let names = [Some(path.to_owned()), path.canonicalize().ok()];
        let mut said = names.iter().flatten().map(|name| format!("{}: ", name.display()));
        let reason = said.find_map(|said| reason.strip_prefix(&said)).unwrap_or(&reason).to_owned();
        Self { path: path.display().to_string(), reason }
    }
}

const NO_SUCH_PATH: &str = "no such file or folder";

/// The recordings behind some paths: a file as it is, whatever its name; a folder with all recordings in it. A path
/// behind which there is nothing is a failure, and does not stop the others.
///
/// # Errors
/// If the paths are folders without a single recording.
pub fn recordings(paths: &[PathBuf]) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    for path in paths {
        if path.is_dir() {
            let found = cantus_dataset::Recordings::in_folder(path);
            let failed =
                |failure: cantus_dataset::Failure| Failed { path: failure.path, reason: failure.reason };
            listing.files.extend(found.files);
            listing.misnamed.extend(found.misnamed);
            listing.failed.extend(found.failures.into_iter().map(failed));
        } else if path.exists() {
            listing.files.push(path.clone());
        } else {
            listing.failed.push(Failed { path: path.display().to_string(), reason: NO_SUCH_PATH.to_owned() });
        }
    }
    if listing.files.is_empty() && listing.failed.is_empty() {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Error::NothingFound { reason: format!("{}: no audio files found", names.join(", ")) });
    }
    Ok(listing)
}
