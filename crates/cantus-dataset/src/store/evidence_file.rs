//! `audit-00000.json`: what the audit found out about the tracks of the part of that number, kept beside it, so that an
//! extraction that goes on, or is run again, need not hear them again to know which are copies.

use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use crate::Error;
use crate::audit::Subject;

/// The file that goes with a part.
pub(crate) struct EvidenceFile {
    path: PathBuf,
}

impl EvidenceFile {
    pub(crate) fn of_part(dir: &Path, number: usize) -> Self {
        Self { path: dir.join(format!("audit-{number:05}.json")) }
    }

    /// What it says of exactly these tracks; none if it does not, and they have to be heard again.
    pub(crate) fn read<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Option<Vec<Subject>> {
        let subjects: Vec<Subject> = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        paths.eq(subjects.iter().map(|subject| subject.path.as_str())).then_some(subjects)
    }

    pub(crate) fn write(&self, subjects: &[Subject]) -> Result<(), Error> {
        let failed = |error| Error::Io { path: self.path.clone(), source: std::io::Error::other(error) };
        let bytes = serde_json::to_vec(subjects).map_err(failed)?;
        atomic_file::write(&self.path, &bytes).map_err(Error::io(&self.path))
    }

    /// Removes those from the part of that number on.
    pub(crate) fn remove_from(dir: &Path, mut number: usize) -> Result<(), Error> {
        loop {
            let Self { path } = Self::of_part(dir, number);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                removed => removed.map_err(Error::io(&path))?,
            }
            number += 1;
        }
    }
}

/// Whether a file name is that of evidence.
pub(super) fn is_evidence(name: &str) -> bool {
    name.starts_with("audit-") && name.ends_with(".json")
}
