//! Scan of a folder tree for audio files, by extension.
//!
//! Symbolic links are followed, but every folder is scanned once: a link to an ancestor of itself or of the scanned folder, or
//! to a folder that is scanned anyway, is reported as a failure. Hidden files and `__MACOSX` are skipped. Files without an audio extension are probed by content (at most [`MAX_PROBED`]), so that misnamed recordings
//! are reported.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Ignored;
use crate::failure::Failure;

/// Extensions of audio files, in lower case; compared without regard to case.
pub(super) const AUDIO_EXTENSIONS: [&str; 23] = [
    "wav", "wave", "w64", "rf64", "mp3", "mp2", "flac", "ogg", "oga", "opus", "m4a", "m4b", "mp4", "aac",
    "aif", "aiff", "aifc", "caf", "au", "snd", "mka", "webm", "weba",
];

/// Maximum number of files without an audio extension whose content is probed.
const MAX_PROBED: usize = 200;

/// Audio files of a folder and its subfolders, without labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recordings {
    /// Files with an audio extension, sorted.
    pub files: Vec<PathBuf>,
    /// Files without one whose content is audio.
    pub misnamed: Vec<String>,
    /// What could not be read.
    pub failures: Vec<Failure>,
}

impl Recordings {
    /// Scans a folder and its subfolders.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        let (mut found, mut others) = (Self::default(), Vec::new());
        for entry in Walk::of(folder) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let is_audio_name = has_extension(entry.path(), &AUDIO_EXTENSIONS);
                    if is_audio_name { &mut found.files } else { &mut others }.push(entry.into_path());
                }
                Ok(entry) => found.failures.extend(special_file(&entry)),
                Err(failure) => found.failures.push(failure),
            }
        }
        found.misnamed = misnamed(others.into_iter());
        found
    }
}

/// Labelled audio files of a folder of label folders.
#[derive(Default)]
pub(super) struct FolderScan {
    /// (label, path relative to the root)
    pub(super) labelled: Vec<(String, String)>,
    pub(super) n_unlabelled: usize,
    pub(super) ignored: Ignored,
}

impl FolderScan {
    pub(super) fn of(root: &Path) -> Self {
        let mut scan = Self::default();
        for entry in Walk::of(root) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => scan.add_file(root, entry.path()),
                Ok(entry) => scan.ignored.failures.extend(special_file(&entry)),
                Err(failure) => scan.ignored.failures.push(failure),
            }
        }
        // Relative to the root, as the paths of tracks and of exclusion lists are.
        for failure in &mut scan.ignored.failures {
            let below = relative(root, Path::new(&failure.path)).filter(|below| !below.is_empty());
            failure.path = below.unwrap_or_else(|| failure.path.clone());
        }
        scan.ignored.not_audio.sort();
        scan.ignored.failures.sort_by(|a, b| a.path.cmp(&b.path));
        scan.ignored.misnamed = misnamed(scan.ignored.not_audio.iter().map(|path| root.join(path)));
        scan
    }

    fn add_file(&mut self, root: &Path, path: &Path) {
        let Some(relative) = relative(root, path) else {
            let reason = "its name is not UTF-8; rename it".to_owned();
            return self.ignored.failures.push(Failure { path: path.to_string_lossy().into_owned(), reason });
        };
        if !has_extension(path, &AUDIO_EXTENSIONS) {
            return self.ignored.not_audio.push(relative);
        }
        match relative.split_once('/') {
            Some((label, _)) => self.labelled.push((label.to_owned(), relative)),
            None => {
                self.n_unlabelled += 1;
                let reason = "is not in a label folder; move it into <label>/".to_owned();
                self.ignored.failures.push(Failure { path: relative, reason });
            }
        }
    }
}

/// Files whose content is audio although their extension is not, of the first [`MAX_PROBED`].
fn misnamed(files: impl Iterator<Item = PathBuf>) -> Vec<String> {
    let audio = files.take(MAX_PROBED).filter(|path| cantus_audio::decode::is_audio_file(path));
    audio.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// All entries of a folder and its subfolders, sorted by name, each folder once.
struct Walk {
    entries: walkdir::IntoIter,
    root: PathBuf,
    /// The root without links.
    canonical_root: PathBuf,
    /// The scanned folders without links.
    scanned: HashSet<PathBuf>,
}

impl Walk {
    fn of(root: &Path) -> Self {
        Self {
            entries: WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter(),
            root: root.to_owned(),
            canonical_root: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
            scanned: HashSet::new(),
        }
    }

    /// Whether the contents of a folder are listed here; an error if it is a link that is not followed.
    fn is_scanned_here(&mut self, folder: &DirEntry) -> Result<bool, Failure> {
        // A folder that cannot be resolved cannot be read either, which walkdir reports.
        let Ok(target) = folder.path().canonicalize() else { return Ok(true) };
        let is_link = folder.depth() > 0 && folder.path_is_symlink();
        if is_link && self.canonical_root.starts_with(&target) {
            return Err(leads_back(folder.path(), &target));
        }
        let is_scanned_elsewhere = is_link && is_visible_below(&self.canonical_root, &target);
        if !is_scanned_elsewhere && self.scanned.insert(target.clone()) {
            return Ok(true);
        }
        let reason = format!("a link to {}, which is scanned already", target.display());
        if is_link { Err(failure(folder.path(), reason)) } else { Ok(false) }
    }
}

impl Iterator for Walk {
    type Item = Result<DirEntry, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(unreadable(&self.root, &error))),
            };
            let is_folder = entry.file_type().is_dir();
            let listed = match entry.depth() > 0 && is_hidden(&entry) {
                true => Ok(false),
                false if is_folder => self.is_scanned_here(&entry),
                false => Ok(true),
            };
            if is_folder && listed != Ok(true) {
                self.entries.skip_current_dir();
            }
            match listed {
                Ok(true) => return Some(Ok(entry)),
                Ok(false) => {}
                Err(failure) => return Some(Err(failure)),
            }
        }
    }
}

/// Whether a path is below `root` and no component between them is hidden.
fn is_visible_below(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root)
        .is_ok_and(|below| !below.components().any(|name| is_hidden_name(name.as_os_str())))
}

/// The failure of an entry with an audio extension that is neither a file nor a folder, such as a pipe: reading it may
/// block forever.
fn special_file(entry: &DirEntry) -> Option<Failure> {
    let is_audio_name = !entry.file_type().is_dir() && has_extension(entry.path(), &AUDIO_EXTENSIONS);
    is_audio_name.then(|| failure(entry.path(), "neither a file nor a folder".to_owned()))
}

fn unreadable(root: &Path, error: &walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(root);
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => leads_back(path, ancestor),
        (None, Some(io)) => failure(path, io.to_string()),
        (None, None) => failure(path, error.to_string()),
    }
}

fn leads_back(link: &Path, ancestor: &Path) -> Failure {
    failure(link, format!("a link that leads back to {}", ancestor.display()))
}

fn failure(path: &Path, reason: String) -> Failure {
    Failure { path: path.to_string_lossy().into_owned(), reason }
}

fn is_hidden(entry: &DirEntry) -> bool {
    is_hidden_name(entry.file_name())
}

fn is_hidden_name(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
}

/// Whether a path has one of these extensions, in any case.
pub(super) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// The path below `root`, separated by `/`; `None` if it is not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let names: Option<Vec<&str>> = below.components().map(|name| name.as_os_str().to_str()).collect();
    Some(names?.join("/"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// `data/{jazz,rock}/{0,1}.wav`, `side/2.wav` and `data/.store/deep/3.wav`.
    fn folders() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            "data/jazz/0.wav",
            "data/jazz/1.wav",
            "data/rock/0.wav",
            "data/rock/1.wav",
            "side/2.wav",
            "data/.store/deep/3.wav",
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    /// Scans `data` in both ways: (label, path) of the recordings, reasons of the failures.
    fn scan(root: &Path) -> (Vec<(String, String)>, Vec<Failure>) {
        let FolderScan { labelled, ignored, .. } = FolderScan::of(root);
        let Recordings { files, failures, .. } = Recordings::in_folder(root);
        let paths: Vec<PathBuf> = labelled.iter().map(|(_, path)| root.join(path)).collect();
        assert_eq!((files, failures.len()), (paths, ignored.failures.len()));
        (labelled, ignored.failures)
    }

    #[test]
    fn every_recording_is_listed_once_whatever_the_links() {
        for (link, target, failing) in [
            ("data/jazz/up", "../..", true),
            ("data/jazz/up", "../../..", true),
            ("data/jazz/self", "..", true),
            ("data/jazz/other", "../rock", true),
            ("data/rock/other", "../jazz", true),
            ("side/back", "../data", false),
            ("side/above", "../..", false),
        ] {
            let dir = folders();
            symlink(target, dir.path().join(link)).unwrap();
            let (labelled, failures) = scan(&dir.path().join("data"));
            let paths: Vec<&str> = labelled.iter().map(|(_, path)| path.as_str()).collect();
            assert_eq!(paths, ["jazz/0.wav", "jazz/1.wav", "rock/0.wav", "rock/1.wav"], "{link} -> {target}");
            assert_eq!(failures.len(), usize::from(failing), "{link} -> {target}: {failures:?}");
            assert!(failures.iter().all(|failure| failure.reason.starts_with("a link ")), "{failures:?}");
        }
    }

    #[test]
    fn links_to_folders_outside_and_to_hidden_ones_are_followed_once() {
        let dir = folders();
        symlink("../../side", dir.path().join("data/jazz/a")).unwrap();
        symlink("../../side", dir.path().join("data/rock/a")).unwrap();
        symlink("../.store/deep", dir.path().join("data/rock/b")).unwrap();
        // From outside back into the data set, and above it.
        symlink("../data", dir.path().join("side/back")).unwrap();
        symlink("..", dir.path().join("side/above")).unwrap();
        let (labelled, failures) = scan(&dir.path().join("data"));
        let paths: Vec<&str> = labelled.iter().map(|(_, path)| path.as_str()).collect();
        let expected =
            ["jazz/0.wav", "jazz/1.wav", "jazz/a/2.wav", "rock/0.wav", "rock/1.wav", "rock/b/3.wav"];
        assert_eq!(paths, expected);
        let links: Vec<&str> = failures.iter().map(|failure| failure.path.as_str()).collect();
        assert_eq!(links, ["jazz/a/above", "jazz/a/back", "rock/a"], "{failures:?}");
    }

    #[test]
    fn a_root_that_is_a_link_is_scanned() {
        let dir = folders();
        symlink("data", dir.path().join("link")).unwrap();
        assert_eq!(scan(&dir.path().join("link")).0.len(), 4);
    }
}
