//! Exclusive lock on a folder, so that one process at a time writes to it.
//!
//! An operating system lock on an empty file in the folder, released when the process ends for any reason. The file is not
//! removed: another process may have opened it, and would then lock a deleted file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// An exclusive lock, released on drop.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Creates and locks the file at `path`; `None` if another process has locked it. On a file system without locks, it
    /// succeeds without locking.
    ///
    /// # Errors
    /// If the file cannot be created or locked.
    pub fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
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
    fn a_lock_is_exclusive_and_released_on_drop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".lock");
        let lock = FolderLock::try_acquire(&path).unwrap().unwrap();
        assert!(FolderLock::try_acquire(&path).unwrap().is_none());
        drop(lock);
        assert!(FolderLock::try_acquire(&path).unwrap().is_some());
    }
}
