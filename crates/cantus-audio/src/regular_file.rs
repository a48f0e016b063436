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
