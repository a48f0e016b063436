//! A temporary folder of the process, and files in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

/// The folder of the process. `fuzz/run` sets `TMPDIR` to a file system in memory and removes it in the end.
pub fn folder() -> &'static Path {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));
    FOLDER.path()
}

/// Writes a file of this name into the folder and returns its path.
pub fn write_file(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("a file in the temporary folder");
    path
}

/// An absent path of this name in the folder: what was there is removed.
pub fn removed(name: &str) -> PathBuf {
    let path = folder().join(name);
    match fs::metadata(&path) {
        Ok(found) if found.is_dir() => {
            fs::remove_dir_all(&path).expect("the folder of the last input is removed")
        }
        Ok(_) => fs::remove_file(&path).expect("the file of the last input is removed"),
        Err(_) => {}
    }
    path
}

/// Checks the promise for the message of an error: one line in a terminal, whatever names of the input it contains.
pub fn check_message(error: &impl ToString) {
    let text = cantus::printable(&error.to_string());
    assert!(!text.is_empty() && text.lines().count() == 1, "not a line: {text}");
}
