//! Partially downloaded file that can be resumed.
//!
//! `gtzan.zip` is downloaded to `.gtzan.zip.partial` and renamed when it is complete and verified. `.gtzan.zip.resume` stores
//! which version of the file the bytes belong to. It is written before the first byte, so bytes without it are discarded.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cantus_audio::{atomic_file, regular_file};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::checksum::Checksums;

/// Version, size and checksums of a file as the server sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileVersion {
    pub url: String,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub n_bytes: Option<u64>,
    pub checksums: Checksums,
}

/// Where to resume a download.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resume {
    /// Number of bytes downloaded so far.
    pub n_bytes: u64,
    /// Value of the header `if-range`.
    pub validator: String,
}

/// The partial file, locked against other processes.
pub(crate) struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    file: File,
    n_bytes: u64,
    version: Option<FileVersion>,
}

impl FileVersion {
    /// Validator of this version: a strong entity tag, or else the modification date (RFC 9110, section 13.1.5).
    fn validator(&self) -> Option<&String> {
        let strong = self.etag.as_ref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_ref())
    }

    /// Whether both are the same version; values that one of them lacks are not compared.
    pub fn is_same_version(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        same(&self.etag, &other.etag)
            && same(&self.last_modified, &other.last_modified)
            && (self.n_bytes.is_none() || other.n_bytes.is_none() || self.n_bytes == other.n_bytes)
    }
}

impl PartialFile {
    /// Opens or creates the partial file of `target` and locks it. Bytes of another URL or version are discarded.
    pub fn open(target: &Path, url: &str) -> Result<Self, Error> {
        let path = partial_path(target);
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
        let mut partial = Self { target: target.to_owned(), path, file, n_bytes, version: None };
        partial.version = partial.read_version().filter(|version| version.url == url);
        if partial.resume().is_none() {
            partial.clear()?;
        }
        Ok(partial)
    }

    fn read_version(&self) -> Option<FileVersion> {
        serde_json::from_slice(&regular_file::read(&resume_path(&self.target)).ok()?).ok()
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The folder of the target.
    pub fn folder(&self) -> &Path {
        self.target.parent().unwrap_or(&self.target)
    }

    pub fn version(&self) -> Option<&FileVersion> {
        self.version.as_ref()
    }

    /// Where to resume; `None` if there are no bytes or their version has no validator.
    pub fn resume(&self) -> Option<Resume> {
        let validator = self.version.as_ref()?.validator()?.clone();
        (self.n_bytes > 0).then_some(Resume { n_bytes: self.n_bytes, validator })
    }

    /// Discards all bytes.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.version = None;
        self.n_bytes = 0;
        self.file.set_len(0).map_err(Error::io(&self.path))
    }

    /// Starts a download of this version from its first byte.
    pub fn start(&mut self, version: FileVersion) -> Result<(), Error> {
        self.clear()?;
        let path = resume_path(&self.target);
        let text = serde_json::to_vec(&version).map_err(|error| Error::io(&path)(error.into()))?;
        atomic_file::write(&path, &text).map_err(Error::io(&path))?;
        self.version = Some(version);
        Ok(())
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(self.n_bytes))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(Error::io(&self.path))?;
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Verifies size and checksums and renames the file to its target; a file that differs is removed.
    pub fn commit(mut self) -> Result<(), Error> {
        if let Some(error) = self.mismatch()? {
            self.clear()?;
            return Err(error);
        }
        self.file.sync_all().map_err(Error::io(&self.path))?;
        atomic_file::rename(&self.path, &self.target).map_err(Error::io(&self.target))?;
        let _ = fs::remove_file(resume_path(&self.target));
        Ok(())
    }

    fn mismatch(&mut self) -> Result<Option<Error>, Error> {
        let Some(version) = &self.version else { return Ok(None) };
        let corrupt =
            |what, expected, found| Error::Corrupt { path: self.target.clone(), what, expected, found };
        if let Some(expected) = version.n_bytes.filter(|expected| *expected != self.n_bytes) {
            return Ok(Some(corrupt("the size", expected.to_string(), self.n_bytes.to_string())));
        }
        let mismatch = self.file.rewind().and_then(|()| version.checksums.verify(&mut self.file));
        let mismatch = mismatch.map_err(Error::io(&self.path))?;
        Ok(mismatch.map(|mismatch| corrupt(mismatch.what, mismatch.expected, mismatch.found)))
    }
}

/// Removes the files if there is nothing to resume.
impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.n_bytes == 0 {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(resume_path(&self.target));
        }
    }
}

/// The temporary name of a download; fixed, so that it can be resumed.
fn partial_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.partial"))
}

fn resume_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.resume"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(etag: &str) -> FileVersion {
        FileVersion {
            url: "https://x/y".to_owned(),
            etag: Some(etag.to_owned()),
            n_bytes: Some(6),
            ..FileVersion::default()
        }
    }

    #[test]
    fn a_download_is_resumed_and_renamed_when_complete() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        let mut partial = PartialFile::open(&target, "https://x/y").unwrap();
        partial.start(version("\"1\"")).unwrap();
        partial.append(b"abc").unwrap();
        assert!(matches!(PartialFile::open(&target, "https://x/y"), Err(Error::InUse { .. })));
        drop(partial);
        let mut partial = PartialFile::open(&target, "https://x/y").unwrap();
        assert_eq!(partial.resume(), Some(Resume { n_bytes: 3, validator: "\"1\"".to_owned() }));
        partial.append(b"def").unwrap();
        assert!(!target.exists());
        partial.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abcdef");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn bytes_of_another_url_or_without_a_validator_are_discarded() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        for (known, requested) in [(version("\"1\""), "https://x/z"), (version("W/\"1\""), "https://x/y")] {
            let mut partial = PartialFile::open(&target, "https://x/y").unwrap();
            partial.start(known).unwrap();
            partial.append(b"abc").unwrap();
            drop(partial);
            assert_eq!(PartialFile::open(&target, requested).unwrap().n_bytes(), 0);
        }
        fs::write(partial_path(&target), "bytes of unknown origin").unwrap();
        assert_eq!(PartialFile::open(&target, "https://x/y").unwrap().n_bytes(), 0);
    }

    #[test]
    fn a_file_with_a_wrong_size_or_checksum_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        for content in ["abcde", "abcdeX"] {
            let mut partial = PartialFile::open(&target, "https://x/y").unwrap();
            let md5 = Some("6AtRdByQZm3f2MvXeEPDbQ==".to_owned());
            let checksums = Checksums { crc32c: None, md5 };
            partial.start(FileVersion { checksums, ..version("\"1\"") }).unwrap();
            partial.append(content.as_bytes()).unwrap();
            assert!(matches!(partial.commit(), Err(Error::Corrupt { .. })));
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
