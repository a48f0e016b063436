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
        let path = path.display().to_string();
        let reason = error.to_string();
        let reason = reason.strip_prefix(&format!("{path}: ")).unwrap_or(&reason).to_owned();
        Self { path, reason }
    }
}
