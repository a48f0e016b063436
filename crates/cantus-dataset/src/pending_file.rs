//! A file that appears under its name only when it is whole.
//!
//! It is written beside its place under a hidden name, brought to the disk and renamed. A process that is killed leaves
//! at most the hidden file, which the next writer of the same file overwrites.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::Error;

const SUFFIX: &str = ".partial";

/// A file in the making; dropped without [`commit`](Self::commit), it vanishes.
pub(crate) struct PendingFile {
    target: PathBuf,
    temporary: PathBuf,
    /// `None` once committed.
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Opens the file under its hidden name.
    pub(crate) fn create(target: &Path) -> Result<Self, Error> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}{SUFFIX}"));
        let file = File::create(&temporary).map_err(Error::io(target))?;
        Ok(Self {
            target: target.to_owned(),
            temporary,
            writer: Some(BufWriter::with_capacity(1 << 18, file)),
        })
    }

    /// Brings the file to the disk and gives it its name.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let written = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.target));
        if written.is_err() {
            let _ = fs::remove_file(&self.temporary);
        }
        written.map_err(Error::io(&self.target))
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

impl Drop for PendingFile {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a whole file at once.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = PendingFile::create(target)?;
    file.write_all(bytes).map_err(Error::io(target))?;
    file.commit()
}

/// Whether a file name is that of a file in the making.
pub(crate) fn is_pending(name: &str) -> bool {
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
