//! A zip archive as a folder, whole or not there, and nothing outside of it.
//!
//! An archive from elsewhere can name files outside of the folder (`../x`, `/x`, links), hold petabytes in kilobytes, or be
//! cut. All of it is looked at before the first file is written; sizes once more while they are, since an archive can lie.
//! What is unpacked is complete: a CRC stands behind every entry, and the reader holds the bytes against it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::partial::partial_path;
use super::{Error, Event, Watch};

/// As much as an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of files and folders.
    pub n_entries: u64,
    /// Number of bytes, unpacked.
    pub n_bytes: u64,
}

/// Unpacks `archive` to the folder `target`, which must not be there yet. `finish` may add to the folder before it gets
/// its name.
///
/// # Errors
/// If the archive is cut, damaged, over a limit or would write elsewhere, there is no room, or a file cannot be written;
/// then there is no folder.
pub fn unpack(
    archive: &Path,
    target: &Path,
    limits: Limits,
    watch: &Watch<'_>,
    finish: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let folder = partial_path(target);
    remove(&folder)?;
    let unpacked = Unpacking::open(archive, limits).and_then(|mut unpacking| {
        check_room(target.parent().unwrap_or(target), unpacking.n_bytes)?;
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        unpacking.run(&folder, watch)?;
        finish(&folder)?;
        fs::rename(&folder, target).map_err(Error::io(target))
    });
    if unpacked.is_err() {
        let _ = fs::remove_dir_all(&folder);
    }
    unpacked
}

/// Removes what a killed process left.
fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

/// Whether the disk below a folder can take so many more bytes. Where the system does not say, it is taken to.
pub(super) fn check_room(folder: &Path, needed: u64) -> Result<(), Error> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(Error::NoRoom { path: folder.to_owned(), needed, free }),
        _ => Ok(()),
    }
}

struct Unpacking<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<File>>,
    limits: Limits,
    /// As the archive declares them, all in all.
    n_bytes: u64,
}

impl<'a> Unpacking<'a> {
    /// Opens an archive and looks at all that it says of its entries.
    fn open(path: &'a Path, limits: Limits) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(path, error))?;
        let mut unpacking = Self { path, zip, limits, n_bytes: 0 };
        unpacking.check()?;
        Ok(unpacking)
    }

    fn check(&mut self) -> Result<(), Error> {
        let n_entries = self.zip.len();
        if n_entries as u64 > self.limits.n_entries {
            return Err(self.over("files", self.limits.n_entries));
        }
        for number in 0..n_entries {
            let entry = self.zip.by_index_raw(number).map_err(|error| unreadable(self.path, error))?;
            let name = entry.name().map_err(|error| unreadable(self.path, error))?;
            let wrong = if entry.encrypted() {
                Some("is encrypted")
            } else if !is_plain(entry.unix_mode()) {
                Some("is a link or a device")
            } else {
                safe_path(&name).err()
            };
            if let Some(reason) = wrong {
                let (path, entry) = (self.path.to_owned(), name.into_owned());
                return Err(Error::UnsafeArchive { path, entry, reason: reason.to_owned() });
            }
            self.n_bytes = self.n_bytes.saturating_add(entry.size());
        }
        if self.n_bytes > self.limits.n_bytes {
            return Err(self.over("bytes", self.limits.n_bytes));
        }
        if self.zip.has_overlapping_files().map_err(|error| unreadable(self.path, error))? {
            let reason = "several of its entries share their bytes".to_owned();
            return Err(Error::Archive { path: self.path.to_owned(), reason });
        }
        Ok(())
    }

    fn over(&self, what: &'static str, limit: u64) -> Error {
        Error::OverLimit { path: self.path.to_owned(), what, limit }
    }

    fn run(&mut self, folder: &Path, watch: &Watch<'_>) -> Result<(), Error> {
        let mut n_bytes = 0;
        for number in 0..self.zip.len() {
            n_bytes += self.entry(number, folder, n_bytes, watch)?;
        }
        Ok(())
    }

    /// Writes one entry behind which `before` bytes are written; returns how many it has.
    fn entry(&mut self, number: usize, folder: &Path, before: u64, watch: &Watch<'_>) -> Result<u64, Error> {
        let mut entry = self.zip.by_index(number).map_err(|error| unreadable(self.path, error))?;
        let name = entry.name().map_err(|error| unreadable(self.path, error))?.into_owned();
        let wrong = |reason: &str| Error::UnsafeArchive {
            path: self.path.to_owned(),
            entry: name.clone(),
            reason: reason.to_owned(),
        };
        let path = folder.join(safe_path(&name).map_err(wrong)?);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(Error::io(&path))?;
            return Ok(0);
        }
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
        let mut file = File::create_new(&path).map_err(Error::io(&path))?;
        let mut piece = vec![0; 1 << 17];
        let mut n_bytes = 0;
        loop {
            watch.go_on()?;
            let n = entry.read(&mut piece).map_err(|error| Error::Archive {
                path: self.path.to_owned(),
                reason: format!("{name}: {error}"),
            })?;
            if n == 0 {
                break;
            }
            n_bytes += n as u64;
            if before + n_bytes > self.limits.n_bytes {
                return Err(Error::OverLimit {
                    path: self.path.to_owned(),
                    what: "bytes",
                    limit: self.limits.n_bytes,
                });
            }
            file.write_all(&piece[..n]).map_err(Error::io(&path))?;
            watch.tell(Event::Unpacks { n_bytes: before + n_bytes, total: self.n_bytes });
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

/// Whether the mode, if there is one, is that of a file or a folder (`S_IFMT` of `stat.h`).
fn is_plain(mode: Option<u32>) -> bool {
    matches!(mode.unwrap_or(0) & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// An entry's name as a path below the folder, on every system; or why it is none.
fn safe_path(name: &str) -> Result<PathBuf, &'static str> {
    if name.contains(['\\', ':', '\0']) {
        return Err("has a backslash, a colon or a NUL in its name");
    }
    if name.starts_with('/') {
        return Err("begins at the root of the disk");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("leads out of the folder");
    }
    if parts.is_empty() { Err("has no name") } else { Ok(parts.iter().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    const ENOUGH: Limits = Limits { n_entries: 100, n_bytes: 1 << 20 };

    /// What came of unpacking an archive, and the names that lie in the folder above the target by then.
    fn unpacked(bytes: &[u8], limits: Limits) -> (Result<(), String>, Vec<String>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.zip"), bytes).unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let (stop, tell) = (AtomicBool::new(false), |_| {});
        let watch = Watch { stop: &stop, tell: &tell };
        let target = dir.path().join("in/out");
        let result = unpack(&dir.path().join("a.zip"), &target, limits, &watch, |_| Ok(()));
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
    fn refused(bytes: &[u8], limits: Limits, why: &str) {
        let (result, names, _dir) = unpacked(bytes, limits);
        let message = result.unwrap_err();
        assert!(message.contains(why), "{message}");
        assert_eq!(names, ["a.zip", "in"], "something was left");
    }

    #[test]
    fn files_and_folders_come_out_as_they_went_in() {
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
        let (result, names, dir) = unpacked(&bytes, ENOUGH);
        result.unwrap();
        assert_eq!(names, ["a.zip", "in", "out"]);
        let out = dir.path().join("in/out");
        assert!(out.join("empty").is_dir());
        assert_eq!(fs::read(out.join("a/b/deflated.txt")).unwrap(), [7; 300_000]);
        assert_eq!(fs::read(out.join("a/stored.txt")).unwrap(), b"as it is");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../x", "a/../../x", "/x", "..\\x", "C:/x", "a/..", "."] {
            refused(&with_file(name, b"x"), ENOUGH, "not unpacked, its entry");
        }
        assert!(safe_path("a\0b").is_err() && safe_path("").is_err());
        assert_eq!(safe_path("./a//b...c/d"), Ok(PathBuf::from("a/b...c/d")));
    }

    #[test]
    fn no_link_is_made() {
        let link = zip(|zip| {
            zip.add_symlink("a", "/etc", SimpleFileOptions::default()).unwrap();
            zip.start_file("a/passwd", deflated()).unwrap();
        });
        refused(&link, ENOUGH, "is a link or a device");
        assert!(!is_plain(Some(0o020_644)) && is_plain(Some(0o644)) && is_plain(None));
    }

    #[test]
    fn what_is_over_a_limit_is_not_begun() {
        let bytes = with_file("zeros", &vec![0; 2 << 20]);
        assert!(bytes.len() < 1 << 14, "it should be small");
        refused(&bytes, ENOUGH, "more than 1048576 bytes");
        let many = zip(|zip| (0..101).for_each(|i| zip.start_file(format!("{i}"), deflated()).unwrap()));
        refused(&many, ENOUGH, "more than 100 files");
    }

    #[test]
    fn a_size_that_is_a_lie_does_not_get_over_a_limit() {
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
        let (result, names, _dir) = unpacked(&bytes, ENOUGH);
        assert!(result.is_err());
        assert_eq!(names, ["a.zip", "in"]);
    }

    #[test]
    fn what_is_damaged_or_cut_leaves_nothing() {
        // A linear congruential generator: nothing that can be compressed.
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let noise: Vec<u8> =
            std::iter::successors(Some(1_u32), next).map(|state| (state >> 24) as u8).take(100_000).collect();
        let mut bytes = with_file("a/noise", &noise);
        refused(&bytes[..bytes.len() / 2], ENOUGH, "not a whole zip archive");
        refused(b"", ENOUGH, "not a whole zip archive");
        bytes[5000] ^= 1;
        refused(&bytes, ENOUGH, "not a whole zip archive: a/noise");
    }

    #[test]
    fn a_file_where_a_folder_is_needed_is_an_error() {
        let bytes = zip(|zip| {
            zip.start_file("a", deflated()).unwrap();
            zip.start_file("a/b", deflated()).unwrap();
        });
        let (result, names, _dir) = unpacked(&bytes, ENOUGH);
        assert!(result.is_err());
        assert_eq!(names, ["a.zip", "in"]);
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.zip"), with_file("new", b"x")).unwrap();
        fs::create_dir(dir.path().join(".out.partial")).unwrap();
        fs::write(dir.path().join(".out.partial/old"), "half").unwrap();
        let stop = AtomicBool::new(false);
        let watch = Watch { stop: &stop, tell: &|_| {} };
        unpack(&dir.path().join("a.zip"), &dir.path().join("out"), ENOUGH, &watch, |_| Ok(())).unwrap();
        assert!(dir.path().join("out/new").exists() && !dir.path().join("out/old").exists());
    }
}
