//! A file that appears under its name only when it is whole.
//!
//! It is written beside its place under a hidden name, brought to the disk and renamed. A process that is killed leaves
//! at most the hidden file, which the next writer of the same file overwrites.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".partial";

/// A file in the making; dropped without [`commit`](Self::commit), it vanishes.
pub struct PendingFile {
    target: PathBuf,
    temporary: PathBuf,
    /// `None` once committed.
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Opens the file under its hidden name.
    ///
    /// # Errors
    /// If the folder is not there or cannot be written to.
    pub fn create(target: &Path) -> io::Result<Self> {
        let temporary = pending_path(target);
        let file = File::create(&temporary)?;
        Ok(Self {
            target: target.to_owned(),
            temporary,
            writer: Some(BufWriter::with_capacity(1 << 18, file)),
        })
    }

    /// Brings the file to the disk and gives it its name.
    ///
    /// # Errors
    /// If not everything could be written, or the file cannot be renamed; then the old file is still there.
    pub fn commit(mut self) -> io::Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let written = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.target));
        if written.is_err() {
            let _ = fs::remove_file(&self.temporary);
        }
        written
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().map_or(Ok(0), |writer| writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Seek for PendingFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.writer.as_mut().map_or(Ok(0), |writer| writer.seek(position))
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The hidden name beside `target` under which a file, or a folder, is made.
pub fn pending_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{SUFFIX}"))
}

/// Writes a whole file at once.
///
/// # Errors
/// If it cannot be written; then the old file, if there was one, is still there.
pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = PendingFile::create(target)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Whether a file name is that of a file in the making.
pub fn is_pending(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("part");
        let mut file = PendingFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!target.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"half");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_given_up_leaves_the_old_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("part");
        write(&target, b"old").unwrap();
        let mut file = PendingFile::create(&target).unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
