//! `audit-00000.json`: the audit's analyses of the tracks of a part, cached so that a continued or repeated extraction can
//! find duplicates without decoding the files again.
//!
//! The analyses of stores that were written before version 2, with another hash and another fingerprint, cannot be compared
//! with new ones: they count as absent.

use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use serde::{Deserialize, Serialize};

use super::file_names::analysis_path;
use crate::Error;
use crate::audit::AuditedFile;

/// Version of the file's content. Version 1 is the list of analyses alone.
const VERSION: u32 = 2;

/// The cached analyses of a part.
pub(crate) struct AnalysisCache {
    path: PathBuf,
}

/// Content of a file of the current version.
#[derive(Serialize, Deserialize)]
struct Current<Files> {
    version: u32,
    files: Files,
}

/// What is read of an analysis of an earlier version.
#[derive(Deserialize)]
struct AuditedPath {
    path: String,
}

impl AnalysisCache {
    /// The cache of the part of that index.
    pub(crate) fn of_part(dir: &Path, index: usize) -> Self {
        Self { path: analysis_path(dir, index) }
    }

    /// The analyses, if they are of exactly these tracks and of the current version.
    pub(crate) fn read<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Option<Vec<AuditedFile>> {
        let bytes = regular_file::read(&self.path).ok()?;
        let Current::<Vec<AuditedFile>> { version, files } = serde_json::from_slice(&bytes).ok()?;
        (version == VERSION && paths.eq(files.iter().map(|file| file.path.as_str()))).then_some(files)
    }

    /// Whether the file is of exactly these tracks, in any version.
    pub(crate) fn is_intact<'a>(&self, paths: impl Iterator<Item = &'a str> + Clone) -> bool {
        let earlier = || -> Option<Vec<AuditedPath>> {
            serde_json::from_slice(&regular_file::read(&self.path).ok()?).ok()
        };
        self.read(paths.clone()).is_some()
            || earlier().is_some_and(|files| paths.eq(files.iter().map(|file| file.path.as_str())))
    }

    /// Writes the analyses.
    pub(crate) fn write(&self, files: &[AuditedFile]) -> Result<(), Error> {
        let failed = |error| Error::Io { path: self.path.clone(), source: std::io::Error::other(error) };
        let bytes = serde_json::to_vec(&Current { version: VERSION, files }).map_err(failed)?;
        atomic_file::write(&self.path, &bytes).map_err(Error::io(&self.path))
    }

    /// Removes the caches of all parts from that index on.
    pub(crate) fn remove_from(dir: &Path, mut index: usize) -> Result<(), Error> {
        loop {
            let Self { path } = Self::of_part(dir, index);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                removed => removed.map_err(Error::io(&path))?,
            }
            index += 1;
        }
    }
}
