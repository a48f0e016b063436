//! Atomic file writing: a file is either complete under its name or absent.
//!
//! It is written to a temporary file with a unique name in the same folder, synced and renamed; then the folder is synced.
//! A process that is killed leaves at most the temporary file, which [`is_temporary`] recognises.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, TempPath};

const PREFIX: &str = ".";
const SUFFIX: &str = ".partial";
const BUFFER_SIZE: usize = 1 << 18;

/// The temporary files of this process that are neither renamed nor removed yet.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A file that is written atomically. Dropped without [`commit`](Self::commit), it leaves the target unchanged.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    /// Apart from its path, which `tempfile` would add to every error.
    writer: BufWriter<File>,
    path: TempPath,
    /// Dropped last.
    _unfinished: Unfinished,
}

/// An entry of [`UNFINISHED`].
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(path: &Path) -> Self {
        unfinished().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of all [`AtomicFile`]s that are being written, for a process that exits without dropping them.
pub fn remove_unfinished() {
    for path in &*unfinished() {
        // Renamed or removed meanwhile, or not removable: then is_temporary recognises it.
        let _ = fs::remove_file(path);
    }
}

impl AtomicFile {
    /// Creates the temporary file in the folder of `target`.
    ///
    /// # Errors
    /// If the folder does not exist or is not writable.
    pub fn create(target: &Path) -> io::Result<Self> {
        // With the permissions of a new file, in place of `tempfile`'s 0600.
        let create = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
        let file = Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder(target), create)?;
        let (file, path) = file.into_parts();
        let unfinished = Unfinished::new(&path);
        let writer = BufWriter::with_capacity(BUFFER_SIZE, file);
        Ok(Self { target: target.to_owned(), writer, path, _unfinished: unfinished })
    }

    /// Syncs the file and renames it to its target, which is replaced.
    ///
    /// # Errors
    /// If the file cannot be written completely or renamed: the previous target is then unchanged. If the folder cannot be
    /// synced: the target is then the new file, which a power failure may revert.
    pub fn commit(self) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        self.path.persist(&self.target)?;
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

/// Writes a file atomically in place of another one, whose permissions it has from the start.
///
/// # Errors
/// If there is no such file, or it cannot be written; the file is then unchanged.
pub fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let permissions = fs::metadata(target)?.permissions();
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes)?;
    file.writer.get_ref().set_permissions(permissions)?;
    file.commit()
}

/// Renames a file or folder within its file system, and syncs the folder of the new name.
///
/// # Errors
/// If it cannot be renamed; if the folder cannot be synced, which leaves the new name to be reverted by a power failure.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(folder(to))
}

/// Syncs the folder of a file that was created under its final name, so that the name outlasts a power failure.
///
/// # Errors
/// If the folder cannot be synced.
pub fn sync_folder_of(target: &Path) -> io::Result<()> {
    sync_folder(folder(target))
}

/// Creates a folder with all of its parents that do not exist, and syncs the folders that contain them, so that the new names
/// outlast a power failure.
///
/// # Errors
/// If a folder cannot be created, or the one that contains it cannot be synced.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(path)?;
    missing.into_iter().try_for_each(sync_folder_of)
}

/// Syncs a folder and all folders in it, so that the names of files that were created in them outlast a power failure.
///
/// # Errors
/// If a folder cannot be listed or synced.
pub fn sync_folders(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(path)
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
        let error = write(&dir.path().join("none/part"), b"new").unwrap_err().to_string();
        assert!(!error.contains(SUFFIX), "{error}");
    }

    #[test]
    fn unfinished_files_are_removed_and_finished_ones_are_not() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("finished"), b"old").unwrap();
        let mut file = AtomicFile::create(&dir.path().join("part")).unwrap();
        file.write_all(b"half").unwrap();
        let path = file.path.to_path_buf();
        assert!(unfinished().contains(&path));
        // Only this file: other tests write at the same time.
        fs::remove_file(&path).unwrap();
        drop(file);
        assert!(!unfinished().contains(&path));
        assert_eq!(names(dir.path()), ["finished"]);
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
    fn a_replaced_file_keeps_its_permissions_and_a_renamed_one_its_content() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (target, moved) = (dir.path().join("part"), dir.path().join("moved"));
        assert!(replace(&target, b"new").is_err(), "there is nothing to replace");
        write(&target, b"old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&target, b"new").unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        rename(&target, &moved).unwrap();
        assert_eq!(
            (names(dir.path()), fs::read(&moved).unwrap()),
            (vec!["moved".to_owned()], b"new".to_vec())
        );
    }

    #[test]
    fn folders_are_created_with_their_parents() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b/c");
        create_folder(&inner).unwrap();
        create_folder(&inner).unwrap();
        write(&inner.join("part"), b"new").unwrap();
        sync_folders(dir.path()).unwrap();
        assert_eq!(fs::read(inner.join("part")).unwrap(), b"new");
        assert!(create_folder(&inner.join("part/d")).is_err(), "a file has no folders");
        assert!(sync_folders(&dir.path().join("none")).is_err());
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
