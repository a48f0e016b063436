//! A tmpfs of its own as a disk that is full or cannot be written to, and the files of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs, unmounted on drop.
pub struct SmallDisk {
    mount_point: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts a disk of that size; `None`, with a note, where this user may not.
    pub fn mount(n_bytes: u64) -> Option<Self> {
        let mount_point = tempfile::tempdir().unwrap();
        let size = format!("size={n_bytes}");
        let mut mount = Command::new("mount");
        match mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(mount_point.path()).output() {
            Ok(output) if output.status.success() => Some(Self { mount_point }),
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
                println!("skipped: no tmpfs can be mounted: {reason}");
                None
            }
            Err(error) => {
                println!("skipped: no tmpfs can be mounted: {error}");
                None
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.mount_point.path()
    }

    /// Changes the size, to no less than what is used.
    pub fn resize(&self, n_bytes: u64) {
        self.remount(&format!("size={n_bytes}"));
    }

    /// `ro` or `rw`.
    pub fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let output = Command::new("mount").args(["-o", &options]).arg(self.path()).output().unwrap();
        assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Bytes in use, in whole pages.
    pub fn n_bytes_used(&self) -> u64 {
        let output = Command::new("stat").args(["-f", "-c", "%S %b %f"]).arg(self.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        numbers[0] * (numbers[1] - numbers[2])
    }

    /// Removes all files.
    pub fn clear(&self) {
        for entry in fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { fs::remove_dir_all(entry) } else { fs::remove_file(entry) }.unwrap();
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Paths relative to a folder, and contents.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of a folder and its subfolders.
pub fn files_of(folder: &Path) -> Files {
    let mut files = Files::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            files.extend(files_of(&path).into_iter().map(|(below, bytes)| (name.join(below), bytes)));
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

/// Asserts that no temporary file or folder is left.
#[track_caller]
pub fn assert_no_temporary_file(files: &Files, context: &str) {
    let is_temporary = |path: &&PathBuf| path.to_string_lossy().contains(".partial");
    assert_eq!(files.keys().find(is_temporary), None, "{context}");
}
