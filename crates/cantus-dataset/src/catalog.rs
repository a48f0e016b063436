//! Which recordings there are, and what each of them is called.
//!
//! `DIR/<label>/**/<audio file>`: the folders of the first level are the labels, whatever lies below them with the file
//! name of a recording is a track. Labels and paths are sorted bytewise, so that nothing depends on the order in which
//! the file system lists them. Only names are looked at here; whether a file holds sound is found out when it is
//! decoded, and then the content decides, not the name. Files that hold sound and are not named so are told of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::track::{Failure, Track};
use crate::{Error, manifest};

/// File name extensions of recordings, in lower case; files have them in any case.
pub(crate) const EXTENSIONS: [&str; 14] =
    ["wav", "mp3", "flac", "ogg", "oga", "m4a", "mp4", "aac", "aif", "aiff", "aifc", "caf", "au", "snd"];

/// The tracks of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Folder that the tracks' paths are relative to.
    pub root: PathBuf,
    /// Names of the classes or tags, sorted bytewise.
    pub labels: Vec<String>,
    /// Whether labels are tags: a track may have none or several. Otherwise each has one, its class.
    pub is_tagged: bool,
    /// The tracks, sorted by label and then by path.
    pub tracks: Vec<Track>,
    /// What was found beside the tracks.
    pub ignored: Ignored,
}

/// What a folder held beside its tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Files whose names are not those of recordings, sorted. Hidden files and `__MACOSX` are not even listed.
    pub not_audio: Vec<String>,
    /// Those of them that hold sound after all.
    pub misnamed: Vec<String>,
    /// Recordings and folders that cannot be used, sorted: no label, an unreadable folder, a name that is not UTF-8.
    pub failures: Vec<Failure>,
}

impl Catalog {
    /// The catalogue of a folder of label folders, or of a manifest (`.csv`).
    ///
    /// # Errors
    /// If there is no such folder, no audio in it, no label folders, or only one label; or whatever is wrong with the
    /// manifest, with its line.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            Self::from_folder(path)
        } else if !path.exists() {
            Err(Error::NotFound { path: path.to_owned() })
        } else if has_extension(path, &["csv"]) {
            manifest::read(path)
        } else {
            Err(Error::NotADataset { path: path.to_owned() })
        }
    }

    fn from_folder(root: &Path) -> Result<Self, Error> {
        let found = Found::walk(root);
        let misnamed = misnamed(found.not_audio.iter().map(|path| root.join(path)));
        let ignored = Ignored { not_audio: found.not_audio, misnamed, failures: found.failures };
        if found.labelled.is_empty() {
            return Err(match found.n_unlabelled {
                0 => Error::NoAudio { path: root.to_owned(), found: describe(&ignored) },
                n_files => Error::NoLabels { path: root.to_owned(), n_files },
            });
        }
        let tracks = found.labelled.into_iter().map(|(label, path)| Entry {
            labels: vec![label],
            path,
            group: None,
            part: None,
            fold: None,
        });
        Self::from_entries(root, root, tracks.collect(), false, ignored)
    }

    /// Numbers the labels and sorts the tracks; `origin` is what errors name.
    pub(crate) fn from_entries(
        root: &Path,
        origin: &Path,
        mut entries: Vec<Entry>,
        is_tagged: bool,
        ignored: Ignored,
    ) -> Result<Self, Error> {
        entries.iter_mut().for_each(|entry| entry.labels.sort());
        entries.sort_by(|a, b| (&a.labels, &a.path).cmp(&(&b.labels, &b.path)));
        let numbers: BTreeMap<String, usize> = entries
            .iter()
            .flat_map(|entry| entry.labels.iter().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .enumerate()
            .map(|(number, label)| (label, number))
            .collect();
        match numbers.keys().next() {
            Some(label) if numbers.len() == 1 && !is_tagged => {
                return Err(Error::OneClass { path: origin.to_owned(), label: label.clone() });
            }
            // Something can be told apart as long as one tag is there and not everywhere.
            _ if is_tagged && entries.iter().all(|entry| entry.labels == entries[0].labels) => {
                return Err(Error::SameTags { path: origin.to_owned() });
            }
            _ => {}
        }
        let tracks = entries
            .into_iter()
            .map(|Entry { labels, path, group, part, fold }| Track {
                labels: labels.iter().filter_map(|label| numbers.get(label).copied()).collect(),
                path,
                artist: None,
                group,
                part,
                fold,
                recording: None,
            })
            .collect();
        Ok(Self { root: root.to_owned(), labels: numbers.into_keys().collect(), is_tagged, tracks, ignored })
    }

    /// Where the file of a track lies.
    pub fn path_of(&self, track: &Track) -> PathBuf {
        self.root.join(&track.path)
    }
}

/// What lies in a folder and below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recordings {
    /// Recordings by their names, sorted.
    pub files: Vec<PathBuf>,
    /// Files that hold sound and are not named so.
    pub misnamed: Vec<String>,
    /// What could not be looked at.
    pub failures: Vec<Failure>,
}

impl Recordings {
    /// Looks into a folder and all below it.
    pub fn in_folder(folder: &Path) -> Self {
        let (mut found, mut others) = (Self::default(), Vec::new());
        for entry in walk(folder) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let is_named_so = has_extension(entry.path(), &EXTENSIONS);
                    if is_named_so { &mut found.files } else { &mut others }.push(entry.into_path());
                }
                Ok(entry) => found.failures.extend(special(&entry)),
                Err(error) => found.failures.push(unreadable(folder, &error)),
            }
        }
        found.misnamed = misnamed(others.into_iter());
        found
    }
}

/// Most files without the name of a recording that are looked into.
const MOST_LOOKED_INTO: usize = 200;

/// Files that hold sound although they are not named so, which is worth a word: whoever put them there expects them to be
/// heard.
fn misnamed(files: impl Iterator<Item = PathBuf>) -> Vec<String> {
    let sounding = files.take(MOST_LOOKED_INTO).filter(|path| cantus_audio::decode::is_audio_file(path));
    sounding.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Everything in a folder and below it, in the order of names. Links are followed, and walkdir reports the one that leads
/// back to a folder above it.
fn walk(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
}

/// The failure of what is called as a recording is and is neither file nor folder, such as a pipe: reading it may never end.
fn special(entry: &DirEntry) -> Option<Failure> {
    let is_named_so = !entry.file_type().is_dir() && has_extension(entry.path(), &EXTENSIONS);
    let reason = "neither a file nor a folder".to_owned();
    is_named_so.then(|| Failure { path: entry.path().to_string_lossy().into_owned(), reason })
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

/// A track before its labels have numbers.
#[derive(Debug)]
pub(crate) struct Entry {
    /// One, unless labels are tags.
    pub(crate) labels: Vec<String>,
    pub(crate) path: String,
    pub(crate) group: Option<String>,
    pub(crate) part: Option<crate::Part>,
    pub(crate) fold: Option<String>,
}

#[derive(Default)]
struct Found {
    /// (label, path relative to the root)
    labelled: Vec<(String, String)>,
    n_unlabelled: usize,
    not_audio: Vec<String>,
    failures: Vec<Failure>,
}

impl Found {
    fn walk(root: &Path) -> Self {
        let mut found = Self::default();
        for entry in walk(root) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.file(root, entry.path()),
                Ok(entry) => found.failures.extend(special(&entry)),
                Err(error) => found.failures.push(unreadable(root, &error)),
            }
        }
        // As tracks are called, and lists call them: from the root on.
        for failure in &mut found.failures {
            let below = relative(root, Path::new(&failure.path)).filter(|below| !below.is_empty());
            failure.path = below.unwrap_or_else(|| failure.path.clone());
        }
        found.not_audio.sort();
        found.failures.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    fn file(&mut self, root: &Path, path: &Path) {
        let Some(relative) = relative(root, path) else {
            let reason = "its name is not UTF-8; rename it".to_owned();
            return self.failures.push(Failure { path: path.to_string_lossy().into_owned(), reason });
        };
        if !has_extension(path, &EXTENSIONS) {
            return self.not_audio.push(relative);
        }
        match relative.split_once('/') {
            Some((label, _)) => self.labelled.push((label.to_owned(), relative)),
            None => {
                self.n_unlabelled += 1;
                let reason = "lies in no label folder; move it into <label>/".to_owned();
                self.failures.push(Failure { path: relative, reason });
            }
        }
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".") || entry.file_name() == "__MACOSX"
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// The path below `root`, with `/` between its parts; `None` if it is not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

/// "nothing at all", or what sorts of files there are.
fn describe(ignored: &Ignored) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in &ignored.not_audio {
        let extension =
            Path::new(path).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        *counts
            .entry(extension.map_or("no extension".to_owned(), |known| format!(".{known}")))
            .or_default() += 1;
    }
    let mut kinds: Vec<String> = counts.into_iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    if let Some(first) = ignored.failures.first() {
        kinds.push(format!(
            "{} unreadable, such as {}: {}",
            ignored.failures.len(),
            first.path,
            first.reason
        ));
    }
    if kinds.is_empty() { "it is empty".to_owned() } else { format!("found instead: {}", kinds.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn paths(catalog: &Catalog) -> Vec<&str> {
        catalog.tracks.iter().map(|track| track.path.as_str()).collect()
    }

    #[test]
    fn labels_are_the_first_folders_and_sorted() {
        let dir = folder_with(&[
            "rock/b.mp3",
            "rock/live/1999/a.FLAC",
            "Jazz/x.Wav",
            "pop music/z.au",
            "empty/n.txt",
        ]);
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(catalog.labels, ["Jazz", "pop music", "rock"]);
        assert_eq!(paths(&catalog), ["Jazz/x.Wav", "pop music/z.au", "rock/b.mp3", "rock/live/1999/a.FLAC"]);
        assert_eq!(catalog.tracks.iter().map(|track| track.labels[0]).collect::<Vec<_>>(), [0, 1, 2, 2]);
        assert_eq!(catalog.ignored.not_audio, ["empty/n.txt"]);
    }

    #[test]
    fn hidden_files_are_skipped_and_others_listed() {
        let dir = folder_with(&[
            "a/1.wav",
            "b/1.wav",
            "b/._1.wav",
            "__MACOSX/b/1.wav",
            ".git/x.wav",
            "b/cover.jpg",
            "2.wav",
        ]);
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(paths(&catalog), ["a/1.wav", "b/1.wav"]);
        assert_eq!(catalog.ignored.not_audio, ["b/cover.jpg"]);
        assert_eq!(catalog.ignored.failures.len(), 1);
        assert_eq!(catalog.ignored.failures[0].path, "2.wav");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_is_named_and_ends_the_walk() {
        let dir = folder_with(&["a/1.wav", "b/1.wav"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/again")).unwrap();
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(paths(&catalog), ["a/1.wav", "b/1.wav"]);
        assert!(catalog.ignored.failures[0].reason.contains("leads back"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf8_is_a_failure() {
        use std::os::unix::ffi::OsStrExt;
        let dir = folder_with(&["a/1.wav", "b/1.wav"]);
        fs::write(dir.path().join("b").join(std::ffi::OsStr::from_bytes(b"\xff.wav")), "").unwrap();
        let catalog = Catalog::open(dir.path()).unwrap();
        assert_eq!(catalog.tracks.len(), 2);
        assert!(catalog.ignored.failures[0].reason.contains("UTF-8"));
    }

    #[test]
    fn what_is_no_data_set_is_told_in_one_line() {
        let message = |files: &[&str]| Catalog::open(folder_with(files).path()).unwrap_err().to_string();
        assert!(message(&[]).contains("no audio files found (it is empty)"));
        assert!(message(&["a/1.txt", "a/2.TXT", "b/c"]).contains("found instead: 2 .txt, 1 no extension"));
        assert!(message(&["1.wav", "2.mp3"]).contains("2 audio files lie directly in the folder"));
        assert!(message(&["rock/1.wav", "rock/2.mp3"]).contains("only one class, 'rock'"));
        let dir = folder_with(&["file.wav"]);
        assert!(
            Catalog::open(&dir.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("no such file or folder")
        );
        assert!(
            Catalog::open(&dir.path().join("file.wav")).unwrap_err().to_string().contains("neither a folder")
        );
    }
}
