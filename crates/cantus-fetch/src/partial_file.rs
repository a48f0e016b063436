//! A download in the making: its bytes under a hidden name, and beside them what they are a part of.
//!
//! `gtzan.zip` is `.gtzan.zip.partial` until it is whole, as with everything that Cantus writes; other than there, a stop
//! leaves the bytes, to go on behind them. `.gtzan.zip.resume` says which version of the file they are of. It is written
//! before the first of them, so that bytes without it are of no use and are dropped.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cantus_audio::pending_file;
use serde::{Deserialize, Serialize};

use super::Error;
use super::checksum::Checksums;

/// What a server says of a file: which version it is, and what it will be when it is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub url: String,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub n_bytes: Option<u64>,
    pub checksums: Checksums,
}

/// From where a download goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resume {
    /// Number of bytes that are there.
    pub n_bytes: u64,
    /// For `if-range`: the version that they are of.
    pub validator: String,
}

pub(super) struct Partial {
    target: PathBuf,
    path: PathBuf,
    file: File,
    n_bytes: u64,
    identity: Option<Identity>,
}

impl Identity {
    /// By what the server will know the version again: a strong entity tag, or else its date (RFC 9110, 13.1.5).
    fn validator(&self) -> Option<&String> {
        let strong = self.etag.as_ref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_ref())
    }

    /// Whether a part that comes now is of the same version.
    pub fn is_same_version(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        same(&self.etag, &other.etag)
            && same(&self.last_modified, &other.last_modified)
            && (self.n_bytes.is_none() || other.n_bytes.is_none() || self.n_bytes == other.n_bytes)
    }
}

impl Partial {
    /// What is there of `target`, or nothing yet; no other process may have it open.
    pub fn open(target: &Path, url: &str) -> Result<Self, Error> {
        let path = pending_file::pending_path(target);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path }),
            Err(TryLockError::Error(source)) => return Err(Error::Io { path, source }),
        }
        let n_bytes = file.metadata().map_err(Error::io(&path))?.len();
        let mut partial = Self { target: target.to_owned(), path, file, n_bytes, identity: None };
        partial.identity = partial.remembered().filter(|identity| identity.url == url);
        if partial.resume().is_none() {
            partial.forget()?;
        }
        Ok(partial)
    }

    fn remembered(&self) -> Option<Identity> {
        serde_json::from_slice(&fs::read(resume_path(&self.target)).ok()?).ok()
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        self.target.parent().unwrap_or(&self.target)
    }

    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// From where to go on, if there is something to go on from.
    pub fn resume(&self) -> Option<Resume> {
        let validator = self.identity.as_ref()?.validator()?.clone();
        (self.n_bytes > 0).then_some(Resume { n_bytes: self.n_bytes, validator })
    }

    /// Drops all bytes.
    pub fn forget(&mut self) -> Result<(), Error> {
        self.identity = None;
        self.n_bytes = 0;
        self.file.set_len(0).map_err(Error::io(&self.path))
    }

    /// Begins a file of this identity, from its first byte.
    pub fn begin(&mut self, identity: Identity) -> Result<(), Error> {
        self.forget()?;
        let path = resume_path(&self.target);
        let text = serde_json::to_vec(&identity).map_err(|error| Error::io(&path)(error.into()))?;
        pending_file::write(&path, &text).map_err(Error::io(&path))?;
        self.identity = Some(identity);
        Ok(())
    }

    /// Writes the next bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(self.n_bytes))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(Error::io(&self.path))?;
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Holds the whole file against what the server said of it, and gives it its name. What is not as it was said is
    /// removed.
    pub fn commit(mut self) -> Result<(), Error> {
        if let Some(error) = self.fault()? {
            self.forget()?;
            return Err(error);
        }
        self.file.sync_all().map_err(Error::io(&self.path))?;
        fs::rename(&self.path, &self.target).map_err(Error::io(&self.target))?;
        let _ = fs::remove_file(resume_path(&self.target));
        Ok(())
    }

    fn fault(&mut self) -> Result<Option<Error>, Error> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let corrupt =
            |what, expected, found| Error::Corrupt { path: self.target.clone(), what, expected, found };
        if let Some(expected) = identity.n_bytes.filter(|expected| *expected != self.n_bytes) {
            return Ok(Some(corrupt("the size", expected.to_string(), self.n_bytes.to_string())));
        }
        let mismatch = self.file.rewind().and_then(|()| identity.checksums.check(&mut self.file));
        let mismatch = mismatch.map_err(Error::io(&self.path))?;
        Ok(mismatch.map(|mismatch| corrupt(mismatch.what, mismatch.expected, mismatch.found)))
    }
}

/// Nothing to go on from is not kept.
impl Drop for Partial {
    fn drop(&mut self) {
        if self.n_bytes == 0 {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(resume_path(&self.target));
        }
    }
}

fn resume_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.resume"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(etag: &str) -> Identity {
        Identity {
            url: "https://x/y".to_owned(),
            etag: Some(etag.to_owned()),
            n_bytes: Some(6),
            ..Identity::default()
        }
    }

    #[test]
    fn bytes_go_on_where_they_ended_and_the_name_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        let mut partial = Partial::open(&target, "https://x/y").unwrap();
        partial.begin(identity("\"1\"")).unwrap();
        partial.append(b"abc").unwrap();
        assert!(matches!(Partial::open(&target, "https://x/y"), Err(Error::InUse { .. })));
        drop(partial);
        let mut partial = Partial::open(&target, "https://x/y").unwrap();
        assert_eq!(partial.resume(), Some(Resume { n_bytes: 3, validator: "\"1\"".to_owned() }));
        partial.append(b"def").unwrap();
        assert!(!target.exists());
        partial.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abcdef");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn bytes_of_another_address_or_of_no_known_version_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        for (known, asked) in [(identity("\"1\""), "https://x/z"), (identity("W/\"1\""), "https://x/y")] {
            let mut partial = Partial::open(&target, "https://x/y").unwrap();
            partial.begin(known).unwrap();
            partial.append(b"abc").unwrap();
            drop(partial);
            assert_eq!(Partial::open(&target, asked).unwrap().n_bytes(), 0);
        }
        fs::write(pending_file::pending_path(&target), "bytes of who knows what").unwrap();
        assert_eq!(Partial::open(&target, "https://x/y").unwrap().n_bytes(), 0);
    }

    #[test]
    fn a_file_that_is_not_as_it_was_said_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        for content in ["abcde", "abcdeX"] {
            let mut partial = Partial::open(&target, "https://x/y").unwrap();
            let md5 = Some("6AtRdByQZm3f2MvXeEPDbQ==".to_owned());
            let checksums = Checksums { crc32c: None, md5 };
            partial.begin(Identity { checksums, ..identity("\"1\"") }).unwrap();
            partial.append(content.as_bytes()).unwrap();
            assert!(matches!(partial.commit(), Err(Error::Corrupt { .. })));
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
