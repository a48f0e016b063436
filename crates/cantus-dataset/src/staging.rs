//! Output folders that appear complete or not at all: written beside the target under a hidden name, then renamed.
//!
//! A process that is killed leaves the hidden folder `.NAME.partial`, which the next one with the same target removes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use crate::{Error, FolderLock};

/// Name of the lock in the folder while it is written.
const LOCK: &str = ".writing";

/// A folder that is being written.
#[derive(Debug)]
pub(crate) struct Staging {
    target: PathBuf,
    folder: PathBuf,
    lock: Option<FolderLock>,
}

impl Staging {
    /// Creates the hidden folder beside `target`, which must not exist, or be an empty folder.
    ///
    /// # Errors
    /// If the target exists, its parent folder does not or is not writable, or another process writes the same target.
    pub(crate) fn begin(target: &Path) -> Result<Self, Error> {
        let exists = || Error::OutputExists { path: target.to_owned() };
        if target.exists() && !fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(exists());
        }
        let name = target.file_name().ok_or_else(exists)?;
        let folder = target.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let lock = FolderLock::try_acquire(&folder.join(LOCK)).map_err(Error::io(&folder))?;
        let lock = Some(lock.ok_or_else(|| Error::Locked { path: target.to_owned() })?);
        remove_all_but_lock(&folder).map_err(Error::io(&folder))?;
        Ok(Self { target: target.to_owned(), folder, lock })
    }

    /// The folder to write to.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Renames the folder to its target.
    ///
    /// # Errors
    /// If it cannot be renamed; then it is removed.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        let lock = self.folder.join(LOCK);
        // Closed before the rename, which some systems refuse for a folder with an open file.
        self.lock = None;
        fs::remove_file(&lock).map_err(Error::io(&lock))?;
        atomic_file::sync_folder_of(&lock).map_err(Error::io(&self.folder))?;
        if self.target.exists() {
            fs::remove_dir(&self.target).map_err(Error::io(&self.target))?;
        }
        atomic_file::rename(&self.folder, &self.target).map_err(Error::io(&self.target))
    }
}

impl Drop for Staging {
    /// Removes what was not committed.
    fn drop(&mut self) {
        // An error is ignored: the next command with this target removes the folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what a killed process left.
fn remove_all_but_lock(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != LOCK {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_folder_has_its_name_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let staging = Staging::begin(&target).unwrap();
        fs::write(staging.folder().join("part"), "1").unwrap();
        assert!(!target.exists());
        staging.commit().unwrap();
        assert_eq!((names(dir.path()), names(&target)), (vec!["out".to_owned()], vec!["part".to_owned()]));
        assert!(matches!(Staging::begin(&target), Err(Error::OutputExists { .. })));
    }

    #[test]
    fn an_abandoned_folder_is_removed_and_one_of_a_killed_process_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        drop(Staging::begin(&target).unwrap());
        assert!(names(dir.path()).is_empty());
        fs::create_dir_all(dir.path().join(".out.partial/inner")).unwrap();
        fs::write(dir.path().join(".out.partial/old"), "").unwrap();
        fs::create_dir(&target).unwrap();
        Staging::begin(&target).unwrap().commit().unwrap();
        assert_eq!((names(dir.path()), names(&target).len()), (vec!["out".to_owned()], 0));
    }

    #[test]
    fn two_processes_do_not_write_one_target() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let first = Staging::begin(&target).unwrap();
        assert!(matches!(Staging::begin(&target), Err(Error::Locked { .. })));
        assert!(first.folder().exists());
    }
}
