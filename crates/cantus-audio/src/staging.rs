//! Output folders that appear complete or not at all: written beside the target under a hidden name, then renamed.
//!
//! A process that is killed leaves the hidden folder `.NAME.partial`, which the next one with the same target removes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::atomic_file;
use crate::folder_lock::FolderLock;

/// Name of the lock in the folder while it is written.
const LOCK: &str = ".writing";

/// Why an output folder cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// It exists and is not an empty folder.
    #[error("{}: exists already; choose another name", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// Another process is writing it.
    #[error("{}: another process is writing it", path.display())]
    Locked {
        /// The target.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

/// A folder that is being written. Dropped without [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    folder: PathBuf,
    lock: Option<FolderLock>,
    is_committed: bool,
}

impl Staging {
    /// Creates the hidden folder beside `target`, which must not exist, or be an empty folder.
    ///
    /// # Errors
    /// If the target exists, its parent folder does not or is not writable, or another process writes the same target.
    pub fn begin(target: &Path) -> Result<Self, StagingError> {
        check_free(target)?;
        let name = target.file_name().ok_or_else(|| StagingError::Exists { path: target.to_owned() })?;
        let folder = target.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        let lock = FolderLock::try_acquire(&folder.join(LOCK)).map_err(failed(target))?;
        let lock = Some(lock.ok_or_else(|| StagingError::Locked { path: target.to_owned() })?);
        let staging = Self { target: target.to_owned(), folder, lock, is_committed: false };
        // Another process may have completed it before the folder was locked.
        check_free(target)?;
        remove_all_but_lock(&staging.folder).map_err(failed(target))?;
        Ok(staging)
    }

    /// The folder to write to.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Renames the folder to its target.
    ///
    /// # Errors
    /// If it cannot be renamed; then it is removed.
    pub fn commit(mut self) -> Result<(), StagingError> {
        if cfg!(not(unix)) {
            // A folder with an open file cannot be renamed there.
            self.lock = None;
        }
        atomic_file::sync_folder_of(&self.folder.join(LOCK)).map_err(failed(&self.target))?;
        if self.target.exists() {
            fs::remove_dir(&self.target).map_err(failed(&self.target))?;
        }
        atomic_file::rename(&self.folder, &self.target).map_err(failed(&self.target))?;
        self.is_committed = true;
        // Only now: without its file, the folder would not be locked for another process.
        let lock = self.target.join(LOCK);
        fs::remove_file(&lock).map_err(failed(&lock))?;
        atomic_file::sync_folder_of(&lock).map_err(failed(&self.target))
    }
}

impl Drop for Staging {
    /// Removes what was not committed.
    fn drop(&mut self) {
        if !self.is_committed {
            // An error is ignored: the next command with this target removes the folder.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// An error of the operating system, with its path.
fn failed(path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    |source| StagingError::Io { path: path.to_owned(), source }
}

/// Fails if the target exists and is not an empty folder.
fn check_free(target: &Path) -> Result<(), StagingError> {
    let is_empty = || fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
    match target.exists() && !is_empty() {
        true => Err(StagingError::Exists { path: target.to_owned() }),
        false => Ok(()),
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
        assert!(matches!(Staging::begin(&target), Err(StagingError::Exists { .. })));
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
    fn threads_that_write_one_target_leave_the_complete_folder_of_one() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let target = dir.path().join(format!("out-{round}"));
            let write = |number: usize| {
                let Ok(staging) = Staging::begin(&target) else { return false };
                for part in 0..5 {
                    fs::write(staging.folder().join(part.to_string()), number.to_string()).unwrap();
                }
                staging.commit().is_ok()
            };
            let n_written = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || write(number))).collect();
                threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
            });
            assert_eq!(n_written, 1, "round {round}");
            let first = fs::read(target.join("0")).unwrap();
            assert!(
                (0..5).all(|part| fs::read(target.join(part.to_string())).unwrap() == first),
                "round {round}"
            );
            assert_eq!((names(&target).len(), names(dir.path()).len()), (5, round + 1));
        }
    }

    #[test]
    fn two_processes_do_not_write_one_target() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let first = Staging::begin(&target).unwrap();
        assert!(matches!(Staging::begin(&target), Err(StagingError::Locked { .. })));
        assert!(first.folder().exists());
    }
}
