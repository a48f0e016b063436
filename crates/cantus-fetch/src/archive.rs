//! Extracts a zip archive to a folder: atomic, with limits on size and number of files, and safe paths.
//!
//! An untrusted archive can contain paths outside of the folder, decompress to any size ("zip bomb"), or be truncated. All
//! entries are checked before the first file is written; sizes are checked again while writing, since the declared ones can
//! be wrong. The reader verifies the CRC of every entry.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use cantus_audio::staging::Staging;
use cantus_audio::{atomic_file, regular_file};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::disk_space::check_free_space;
use crate::entry_path::{is_file_or_directory, relative_path};
use crate::{Error, Event, ProgressObserver};

/// Limits on the content of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Largest number of files and folders.
    pub max_entries: u64,
    /// Largest uncompressed size of all files, in bytes.
    pub max_bytes: u64,
}

/// Extracts `archive` to the folder `target`, which must not exist or be empty. `finish` may add files before the folder is renamed to
/// `target`.
///
/// # Errors
/// If the archive is truncated, damaged, over a limit or has an unsafe path, the disk is too small, a file cannot be
/// written, another process extracts to the same folder, or the work is cancelled. Then `target` does not exist.
pub fn unpack(
    archive: &Path,
    target: &Path,
    limits: ArchiveLimits,
    observer: &ProgressObserver<'_>,
    finish: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut unpacker = Unpacker::open(archive, limits)?;
    // Removes what a killed process has left, which takes space.
    let staging = Staging::begin(target)?;
    check_free_space(target.parent().unwrap_or(target), unpacker.n_bytes)?;
    unpacker.run(staging.folder(), observer)?;
    finish(staging.folder())?;
    atomic_file::sync_folders(staging.folder()).map_err(Error::io(target))?;
    Ok(staging.commit()?)
}

struct Unpacker<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<File>>,
    limits: ArchiveLimits,
    /// Sum of the declared uncompressed sizes.
    n_bytes: u64,
}

impl<'a> Unpacker<'a> {
    /// Opens an archive and checks its directory.
    fn open(path: &'a Path, limits: ArchiveLimits) -> Result<Self, Error> {
        let file = regular_file::open(path).map_err(Error::io(path))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(path, error))?;
        let mut unpacker = Self { path, zip, limits, n_bytes: 0 };
        unpacker.check_entries()?;
        Ok(unpacker)
    }

    fn check_entries(&mut self) -> Result<(), Error> {
        let n_entries = self.zip.len();
        if n_entries as u64 > self.limits.max_entries {
            return Err(self.over_limit("files", self.limits.max_entries));
        }
        for index in 0..n_entries {
            let entry = self.zip.by_index_raw(index).map_err(|error| unreadable(self.path, error))?;
            let name = entry.name().map_err(|error| unreadable(self.path, error))?;
            let rejected = if entry.encrypted() {
                Some("is encrypted")
            } else if !is_file_or_directory(entry.unix_mode()) {
                Some("is a link or a device")
            } else {
                relative_path(&name).err()
            };
            if let Some(reason) = rejected {
                let (path, entry) = (self.path.to_owned(), name.into_owned());
                return Err(Error::UnsafeArchive { path, entry, reason: reason.to_owned() });
            }
            self.n_bytes = self.n_bytes.saturating_add(entry.size());
        }
        if self.n_bytes > self.limits.max_bytes {
            return Err(self.over_limit("bytes", self.limits.max_bytes));
        }
        if self.zip.has_overlapping_files().map_err(|error| unreadable(self.path, error))? {
            let reason = "several of its entries overlap".to_owned();
            return Err(Error::Archive { path: self.path.to_owned(), reason });
        }
        Ok(())
    }

    fn over_limit(&self, what: &'static str, limit: u64) -> Error {
        Error::OverLimit { path: self.path.to_owned(), what, limit }
    }

    fn run(&mut self, folder: &Path, observer: &ProgressObserver<'_>) -> Result<(), Error> {
        let mut n_bytes = 0;
        for index in 0..self.zip.len() {
            n_bytes += self.unpack_entry(index, folder, n_bytes, observer)?;
        }
        Ok(())
    }

    /// Writes one entry and returns its size; `n_before` is the size of the entries written before.
    fn unpack_entry(
        &mut self,
        index: usize,
        folder: &Path,
        n_before: u64,
        observer: &ProgressObserver<'_>,
    ) -> Result<u64, Error> {
        let mut entry = self.zip.by_index(index).map_err(|error| unreadable(self.path, error))?;
        let name = entry.name().map_err(|error| unreadable(self.path, error))?.into_owned();
        let unsafe_path = |reason: &str| Error::UnsafeArchive {
            path: self.path.to_owned(),
            entry: name.clone(),
            reason: reason.to_owned(),
        };
        let path = folder.join(relative_path(&name).map_err(unsafe_path)?);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(Error::io(&path))?;
            return Ok(0);
        }
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
        let mut file = File::create_new(&path).map_err(Error::io(&path))?;
        let mut buffer = vec![0; 1 << 17];
        let mut n_bytes = 0;
        loop {
            observer.check_cancelled()?;
            let n = entry.read(&mut buffer).map_err(|error| Error::Archive {
                path: self.path.to_owned(),
                reason: format!("{name}: {error}"),
            })?;
            if n == 0 {
                break;
            }
            n_bytes += n as u64;
            if n_before + n_bytes > self.limits.max_bytes {
                return Err(Error::OverLimit {
                    path: self.path.to_owned(),
                    what: "bytes",
                    limit: self.limits.max_bytes,
                });
            }
            file.write_all(&buffer[..n]).map_err(Error::io(&path))?;
            observer.report(Event::Unpacked { n_bytes: n_before + n_bytes, total: self.n_bytes });
        }
        file.sync_all().map_err(Error::io(&path))?;
        Ok(n_bytes)
    }
}

fn unreadable(path: &Path, error: ZipError) -> Error {
    match error {
        ZipError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => Error::io(path)(source),
        error => Error::Archive { path: path.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    const LIMITS: ArchiveLimits = ArchiveLimits { max_entries: 100, max_bytes: 1 << 20 };

    /// Result of unpacking an archive, and the names of all files and folders above the target afterwards.
    fn try_unpack(
        bytes: &[u8],
        limits: ArchiveLimits,
    ) -> (Result<(), String>, Vec<String>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.zip"), bytes).unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let (cancelled, on_event) = (AtomicBool::new(false), |_| {});
        let observer = ProgressObserver { cancelled: &cancelled, on_event: &on_event };
        let target = dir.path().join("in/out");
        let result = unpack(&dir.path().join("a.zip"), &target, limits, &observer, |_| Ok(()));
        let mut names: Vec<String> = ["", "in"]
            .iter()
            .flat_map(|below| fs::read_dir(dir.path().join(below)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        (result.map_err(|error| error.to_string()), names, dir)
    }

    fn zip(write: impl FnOnce(&mut ZipWriter<io::Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        write(&mut zip);
        zip.finish().unwrap().into_inner()
    }

    fn deflated() -> SimpleFileOptions {
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
    }

    fn with_file(name: &str, content: &[u8]) -> Vec<u8> {
        zip(|zip| {
            zip.start_file(name, deflated()).unwrap();
            zip.write_all(content).unwrap();
        })
    }

    #[track_caller]
    fn assert_rejected(bytes: &[u8], limits: ArchiveLimits, why: &str) {
        let (result, names, _dir) = try_unpack(bytes, limits);
        let message = result.unwrap_err();
        assert!(message.contains(why), "{message}");
        assert_eq!(names, ["a.zip", "in"], "files were left behind");
    }

    #[test]
    fn files_and_empty_folders_are_extracted() {
        let bytes = zip(|zip| {
            zip.add_directory("empty/", SimpleFileOptions::default()).unwrap();
            zip.start_file("a/b/deflated.txt", deflated()).unwrap();
            zip.write_all(&[7; 300_000]).unwrap();
            zip.start_file(
                "a/stored.txt",
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
            )
            .unwrap();
            zip.write_all(b"as it is").unwrap();
        });
        let (result, names, dir) = try_unpack(&bytes, LIMITS);
        result.unwrap();
        assert_eq!(names, ["a.zip", "in", "out"]);
        let out = dir.path().join("in/out");
        assert!(out.join("empty").is_dir());
        assert_eq!(fs::read(out.join("a/b/deflated.txt")).unwrap(), [7; 300_000]);
        assert_eq!(fs::read(out.join("a/stored.txt")).unwrap(), b"as it is");
    }

    #[test]
    fn unsafe_paths_are_rejected() {
        for name in ["../x", "a/../../x", "/x", "..\\x", "C:/x", "a/..", "."] {
            assert_rejected(&with_file(name, b"x"), LIMITS, "not unpacked, its entry");
        }
    }

    #[test]
    fn symbolic_links_are_rejected() {
        let link = zip(|zip| {
            zip.add_symlink("a", "/etc", SimpleFileOptions::default()).unwrap();
            zip.start_file("a/passwd", deflated()).unwrap();
        });
        assert_rejected(&link, LIMITS, "is a link or a device");
    }

    #[test]
    fn an_archive_over_a_limit_is_rejected_before_writing() {
        let bytes = with_file("zeros", &vec![0; 2 << 20]);
        assert!(bytes.len() < 1 << 14, "it should be small");
        assert_rejected(&bytes, LIMITS, "more than 1048576 bytes");
        let many = zip(|zip| (0..101).for_each(|i| zip.start_file(format!("{i}"), deflated()).unwrap()));
        assert_rejected(&many, LIMITS, "more than 100 files");
    }

    #[test]
    fn a_wrong_declared_size_does_not_bypass_the_limit() {
        let mut bytes = with_file("zeros", &vec![0; 2 << 20]);
        // The uncompressed size stands at 22 in the local header and at 24 in the central one (APPNOTE 4.3.7, 4.3.12).
        let size = (2_u32 << 20).to_le_bytes();
        let central = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        for at in [22, central + 24] {
            if bytes[at..at + 4] == size {
                bytes[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
            }
        }
        assert_eq!(bytes[central + 24..central + 28], 100_u32.to_le_bytes());
        let (result, names, _dir) = try_unpack(&bytes, LIMITS);
        assert!(result.is_err());
        assert_eq!(names, ["a.zip", "in"]);
    }

    #[test]
    fn a_damaged_or_truncated_archive_leaves_no_files() {
        // Linear congruential generator: incompressible data.
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let noise: Vec<u8> =
            std::iter::successors(Some(1_u32), next).map(|state| (state >> 24) as u8).take(100_000).collect();
        let mut bytes = with_file("a/noise", &noise);
        assert_rejected(&bytes[..bytes.len() / 2], LIMITS, "not a whole zip archive");
        assert_rejected(b"", LIMITS, "not a whole zip archive");
        bytes[5000] ^= 1;
        assert_rejected(&bytes, LIMITS, "not a whole zip archive: a/noise");
    }

    #[test]
    fn an_entry_below_a_file_is_an_error() {
        let bytes = zip(|zip| {
            zip.start_file("a", deflated()).unwrap();
            zip.start_file("a/b", deflated()).unwrap();
        });
        let (result, names, _dir) = try_unpack(&bytes, LIMITS);
        assert!(result.is_err());
        assert_eq!(names, ["a.zip", "in"]);
    }

    #[test]
    fn the_incomplete_folder_of_a_killed_process_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.zip"), with_file("new", b"x")).unwrap();
        fs::create_dir(dir.path().join(".out.partial")).unwrap();
        fs::write(dir.path().join(".out.partial/old"), "half").unwrap();
        let cancelled = AtomicBool::new(false);
        let observer = ProgressObserver { cancelled: &cancelled, on_event: &|_| {} };
        unpack(&dir.path().join("a.zip"), &dir.path().join("out"), LIMITS, &observer, |_| Ok(())).unwrap();
        assert!(dir.path().join("out/new").exists() && !dir.path().join("out/old").exists());
    }
}
