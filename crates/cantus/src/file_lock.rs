//! A lock on a file that is replaced while it is locked: two processes that change one recording do so one after the other.

use std::fs::File;
use std::io;
use std::path::Path;

use cantus_audio::regular_file;

/// An exclusive lock on the file that has a path, until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits for the lock on the file at `path`. On a file system without locks, it succeeds without locking.
    ///
    /// # Errors
    /// If the file cannot be opened or locked.
    pub(crate) fn acquire(path: &Path) -> io::Result<Self> {
        loop {
            let file = regular_file::open(path)?;
            match file.lock() {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
                _ => {}
            }
            // The process that had the lock may have replaced the file.
            if regular_file::is_at(&file, path)? {
                return Ok(Self { _file: file });
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Without the check of the path after the lock, a waiting thread would change what is no longer there.
    #[test]
    fn threads_that_replace_a_file_in_turn_lose_no_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("count");
        std::fs::write(&path, "0").unwrap();
        let add_one = || {
            let _lock = FileLock::acquire(&path).unwrap();
            let count: usize = std::fs::read_to_string(&path).unwrap().parse().unwrap();
            cantus_audio::atomic_file::write(&path, (count + 1).to_string().as_bytes()).unwrap();
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| add_one()));
            }
        });
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "100");
    }
}
