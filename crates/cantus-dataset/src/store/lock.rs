//! One extraction at a time: whoever writes to a store holds a lock on it.
//!
//! The lock is the operating system's, on the empty file `.lock` in the store; it is gone with the process that holds it,
//! however that ends. The file stays: another process may already have opened it, and would lock a file that is no more.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

pub(super) const NAME: &str = ".lock";

/// Held while a store is written.
#[derive(Debug)]
pub(super) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Takes the lock, or says that another process has it. A file system that knows no locks is written to without one.
    pub(super) fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let file = File::create(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: dir.to_owned() }),
            Err(TryLockError::Error(error)) if error.kind() != std::io::ErrorKind::Unsupported => {
                Err(Error::Io { path, source: error })
            }
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { _file: file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_free_again_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let lock = StoreLock::take(dir.path()).unwrap();
        let refused = StoreLock::take(dir.path()).unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        drop(lock);
        StoreLock::take(dir.path()).unwrap();
    }
}
