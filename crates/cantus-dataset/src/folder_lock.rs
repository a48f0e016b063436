//! One at a time: whoever writes to a folder holds a lock on it.
//!
//! The lock is the operating system's, on an empty file in the folder; it is gone with the process that holds it, however
//! that ends. The file stays: another process may already have opened it, and would lock a file that is no more.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Held while a folder is written to.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the file at `path`, which is made if it is not there; none if another process has it. A file system that knows
    /// no locks is written to without one.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = File::create(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Self { _file: file })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_free_again_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".lock");
        let lock = FolderLock::try_take(&path).unwrap().unwrap();
        assert!(FolderLock::try_take(&path).unwrap().is_none());
        drop(lock);
        assert!(FolderLock::try_take(&path).unwrap().is_some());
    }
}
