//! Exclusive lock on a folder, so that one process at a time writes to it.
//!
//! An operating system lock on an empty file in the folder, released when the process ends for any reason. The folder may be
//! renamed or removed by the process that has the lock: one that has opened the file meanwhile does not take it for the lock.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::{atomic_file, regular_file};

/// Number of times that the folder may be renamed or removed by another process while it is being locked.
const MAX_ATTEMPTS: usize = 100;

/// An exclusive lock, released on drop.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Creates and locks the file at `path`, in its folder, which is created if it does not exist; `None` if another process has
    /// locked it. On a file system without locks, it succeeds without locking.
    ///
    /// # Errors
    /// If the folder or the file cannot be created, or the file cannot be locked.
    pub fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for _ in 0..MAX_ATTEMPTS {
            match Self::attempt(path) {
                // The process that had the lock has removed or renamed the folder or the file.
                Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
                result => return result,
            }
        }
        Err(last)
    }

    fn attempt(path: &Path) -> io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            atomic_file::create_folder(folder)?;
        }
        let file = File::create(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(error);
            }
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        match regular_file::is_at(&file, path)? {
            true => Ok(Some(Self { _file: file })),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_lock_is_exclusive_and_released_on_drop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder/.lock");
        let lock = FolderLock::try_acquire(&path).unwrap().unwrap();
        assert!(FolderLock::try_acquire(&path).unwrap().is_none());
        drop(lock);
        assert!(FolderLock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn a_folder_is_locked_by_one_of_several_threads_although_it_is_removed_by_each() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, n_locks) = (dir.path().join("folder"), AtomicUsize::new(0));
        let lock_often = || {
            for _ in 0..300 {
                if let Ok(Some(lock)) = FolderLock::try_acquire(&folder.join(".lock")) {
                    assert_eq!(n_locks.fetch_add(1, Ordering::SeqCst), 0, "two locks at the same time");
                    n_locks.fetch_sub(1, Ordering::SeqCst);
                    let _ = fs::remove_dir_all(&folder);
                    drop(lock);
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(lock_often))));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_cannot_be_created_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/nowhere/lock", dir.path().join(".lock")).unwrap();
        let error = FolderLock::try_acquire(&dir.path().join(".lock")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
