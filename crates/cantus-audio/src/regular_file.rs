//! Opens files for reading, if they are regular files: to open a named pipe can wait forever, and a device may never end.
//!
//! A link is followed. All files that a user names are opened here; `checks/tests/regular_files.rs` enforces it.

use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file.
///
/// # Errors
/// If it cannot be opened; if it is a named pipe, a socket or a device ([`io::ErrorKind::InvalidInput`]).
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened, which would wait for the other end of a pipe.
    check(std::fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a regular file as a whole.
///
/// # Errors
/// Those of [`open`]; if it cannot be read, or is larger than the memory.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file as text.
///
/// # Errors
/// Those of [`read`]; if it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(read(path)?);
    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// Whether an open file is the one that has this path now: another process may have replaced, renamed or removed it.
///
/// # Errors
/// If there is no such path.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (opened, named) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((opened.dev(), opened.ino()) == (named.dev(), named.ino()))
}

/// An open file cannot be replaced, renamed or removed there.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Refuses what is neither a file nor a folder, which the reader refuses.
fn check(file_type: FileType) -> io::Result<()> {
    match special_kind(file_type) {
        None => Ok(()),
        Some(kind) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("is {kind}; only regular files are read"),
        )),
    }
}

/// What a special file is, in words.
#[cfg(unix)]
fn special_kind(file_type: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match file_type {
        _ if file_type.is_fifo() => Some("a pipe"),
        _ if file_type.is_socket() => Some("a socket"),
        _ if file_type.is_char_device() || file_type.is_block_device() => Some("a device"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn special_kind(file_type: FileType) -> Option<&'static str> {
    (!file_type.is_file() && !file_type.is_dir()).then_some("no regular file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_read_by_its_name_and_by_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("a.txt"), dir.path().join("link"));
        std::fs::write(&path, "text").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            assert_eq!(read(name).unwrap(), b"text");
            assert_eq!(read_to_string(name).unwrap(), "text");
        }
        assert_eq!(open(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_to_string(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(read(dir.path()).is_err(), "a folder is no file");
    }

    #[test]
    fn an_open_file_that_was_replaced_or_removed_is_not_at_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&path, "1").unwrap();
        std::fs::write(&other, "2").unwrap();
        let file = open(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        std::fs::rename(&other, &path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(is_at(&file, &path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_pipe_a_socket_and_a_device_are_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, socket) = (dir.path().join("pipe"), dir.path().join("socket"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = dir.path().join("zero.wav");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for (path, expected) in [(&pipe, "a pipe"), (&socket, "a socket"), (&link, "a device")] {
            let error = read(path).unwrap_err().to_string();
            assert_eq!(error, format!("is {expected}; only regular files are read"));
        }
    }
}
