//! Atomic file writing: a file is either complete under its name or absent.
//!
//! It is written to a temporary file with a unique name in the same folder, synced and renamed; then the folder is synced.
//! A process that is killed leaves at most the temporary file, which [`is_temporary`] recognises.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

const PREFIX: &str = ".";
const SUFFIX: &str = ".partial";
const BUFFER_SIZE: usize = 1 << 18;

/// A file that is written atomically. Dropped without [`commit`](Self::commit), it leaves the target unchanged.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Creates the temporary file in the folder of `target`.
    ///
    /// # Errors
    /// If the folder does not exist or is not writable.
    pub fn create(target: &Path) -> io::Result<Self> {
        let mut builder = Builder::new();
        let file = set_permissions(builder.prefix(PREFIX).suffix(SUFFIX)).tempfile_in(folder(target))?;
        Ok(Self { target: target.to_owned(), writer: BufWriter::with_capacity(BUFFER_SIZE, file) })
    }

    /// Syncs the file and renames it to its target, which is replaced.
    ///
    /// # Errors
    /// If the file cannot be written completely or renamed: the previous target is then unchanged. If the folder cannot be
    /// synced: the target is then the new file, which a power failure may revert.
    pub fn commit(self) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.target)?;
        sync_folder(folder(&self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.writer.seek(position)
    }
}

/// Writes a file atomically.
///
/// # Errors
/// If it cannot be written; a previous file is then unchanged.
pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Whether a file name is that of a temporary file of this module.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The folder of `target`, which may be a bare file name.
fn folder(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The permissions of [`File::create`], as the umask allows, in place of `tempfile`'s 0600.
#[cfg(unix)]
fn set_permissions<'a, 'b>(builder: &'a mut Builder<'b, 'b>) -> &'a mut Builder<'b, 'b> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn set_permissions<'a, 'b>(builder: &'a mut Builder<'b, 'b>) -> &'a mut Builder<'b, 'b> {
    builder
}

/// Makes a rename in a folder durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
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
    fn a_file_has_its_name_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("part");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!target.exists());
        let temporary = names(dir.path());
        assert!(matches!(&temporary[..], [name] if is_temporary(name)), "{temporary:?}");
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"half");
        assert_eq!(names(dir.path()), ["part"]);
    }

    #[test]
    fn a_failed_or_abandoned_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("part");
        write(&target, b"old").unwrap();
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["part"]);
        let occupied = dir.path().join("folder");
        fs::create_dir_all(occupied.join("inside")).unwrap();
        assert!(write(&occupied, b"new").is_err(), "a folder cannot be replaced by a file");
        assert!(occupied.join("inside").is_dir());
        assert_eq!(names(dir.path()).len(), 2, "no temporary file is left");
        assert!(write(&dir.path().join("none/part"), b"new").is_err());
    }

    #[test]
    fn concurrent_writers_of_one_path_leave_one_complete_file() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("part");
        let contents: Vec<Vec<u8>> = (0..4_u8).map(|i| vec![i; 300_000]).collect();
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| (0..20).for_each(|_| write(&target, content).unwrap()));
            }
        });
        assert!(contents.contains(&fs::read(&target).unwrap()));
        assert_eq!(names(dir.path()), ["part"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_plainly_created_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        write(&dir.path().join("atomic"), b"").unwrap();
        File::create(dir.path().join("plain")).unwrap();
        assert_eq!(mode(&dir.path().join("atomic")), mode(&dir.path().join("plain")));
    }
}
