//! `audit-00000.json`: the audit's analyses of the tracks of a part, cached so that a continued or repeated extraction can
//! find duplicates without decoding the files again.

use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;
use cantus_audio::regular_file;

use super::file_names::analysis_path;
use crate::Error;
use crate::audit::AuditedFile;

/// The cached analyses of a part.
pub(crate) struct AnalysisCache {
    path: PathBuf,
}

impl AnalysisCache {
    /// The cache of the part of that index.
    pub(crate) fn of_part(dir: &Path, index: usize) -> Self {
        Self { path: analysis_path(dir, index) }
    }

    /// The analyses, if they are of exactly these tracks.
    pub(crate) fn read<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Option<Vec<AuditedFile>> {
        let files: Vec<AuditedFile> = serde_json::from_slice(&regular_file::read(&self.path).ok()?).ok()?;
        paths.eq(files.iter().map(|file| file.path.as_str())).then_some(files)
    }

    /// Writes the analyses.
    pub(crate) fn write(&self, files: &[AuditedFile]) -> Result<(), Error> {
        let failed = |error| Error::Io { path: self.path.clone(), source: std::io::Error::other(error) };
        let bytes = serde_json::to_vec(files).map_err(failed)?;
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
