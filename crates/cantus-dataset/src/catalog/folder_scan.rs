//! Scan of a folder tree for audio files, by extension.
//!
//! Symbolic links are followed; one that points to an ancestor is reported as a failure. Hidden files and `__MACOSX` are
//! skipped. Files without an audio extension are probed by content (at most [`MAX_PROBED`]), so that misnamed recordings
//! are reported.

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
        for entry in walk(folder) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let is_audio_name = has_extension(entry.path(), &AUDIO_EXTENSIONS);
                    if is_audio_name { &mut found.files } else { &mut others }.push(entry.into_path());
                }
                Ok(entry) => found.failures.extend(special_file(&entry)),
                Err(error) => found.failures.push(unreadable(folder, &error)),
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
        for entry in walk(root) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => scan.add_file(root, entry.path()),
                Ok(entry) => scan.ignored.failures.extend(special_file(&entry)),
                Err(error) => scan.ignored.failures.push(unreadable(root, &error)),
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

/// All entries of a folder and its subfolders, sorted by name; walkdir reports a link to an ancestor as an error.
fn walk(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
}

/// The failure of an entry with an audio extension that is neither a file nor a folder, such as a pipe: reading it may
/// block forever.
fn special_file(entry: &DirEntry) -> Option<Failure> {
    let is_audio_name = !entry.file_type().is_dir() && has_extension(entry.path(), &AUDIO_EXTENSIONS);
    let reason = "neither a file nor a folder".to_owned();
    is_audio_name.then(|| Failure { path: entry.path().to_string_lossy().into_owned(), reason })
}

fn unreadable(root: &Path, error: &walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(root);
    let reason = match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => format!("a link that leads back to {}", ancestor.display()),
        (None, Some(io)) => io.to_string(),
        (None, None) => error.to_string(),
    };
    Failure { path: path.to_string_lossy().into_owned(), reason }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".") || entry.file_name() == "__MACOSX"
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
