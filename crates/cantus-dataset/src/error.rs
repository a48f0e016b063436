//! Errors of reading a data set, splitting it, and extracting and reading its features.

use std::path::{Path, PathBuf};

use crate::damage::Damage;
use crate::failure::Failure;

/// The source of an error from a dependency, without its type.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate; its message is one line with the place, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The graph of an embedding model cannot be used.
    #[error("{}: {source}", path.display())]
    Embedding {
        /// The graph's file.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// A path does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A path that is neither a folder nor a CSV manifest.
    #[error("{}: neither a folder of recordings nor a manifest (a .csv or .tsv file with the columns path,label or path,labels)", path.display())]
    NotADataset {
        /// The file.
        path: PathBuf,
    },
    /// A folder without audio files.
    #[error("{}: no audio files found ({found}); looked for {}", path.display(), extensions.join(", "))]
    NoAudio {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        found: String,
        /// Extensions of audio files.
        extensions: &'static [&'static str],
    },
    /// Audio files directly in the folder, and none in label folders.
    #[error(
        "{}: {n_files} audio files lie directly in the folder, without labels; expected: {}/<label>/<audio file>, one folder for each class",
        path.display(), path.display(),
    )]
    NoLabels {
        /// The folder.
        path: PathBuf,
        /// Number of audio files in it.
        n_files: usize,
    },
    /// A label that consists of spaces.
    #[error("{}: a label consists of spaces only; name the folder of the class", path.display())]
    BlankLabel {
        /// The folder or manifest.
        path: PathBuf,
    },
    /// A catalog with a single class.
    #[error("{}: only one class, '{label}', but a classifier needs two or more; add a folder for another class", path.display())]
    OneClass {
        /// The folder or manifest.
        path: PathBuf,
        /// The one label.
        label: String,
    },
    /// A list of recordings that names one twice.
    #[error("{}: listed twice; list each recording once", path.display())]
    ListedTwice {
        /// The recording.
        path: PathBuf,
    },
    /// A manifest in which every track has the same tags.
    #[error("{}: every track has the same labels, so there is nothing to classify; add tracks without one of them, with an empty field for a track that has none", path.display())]
    SameTags {
        /// The manifest.
        path: PathBuf,
    },
    /// A malformed line of a CSV file or a split list.
    #[error("{}, line {line}: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What was expected and what was found.
        reason: String,
    },
    /// Metadata tags that cannot be read.
    #[error("{}: unreadable tags: {source}", path.display())]
    Tags {
        /// The file.
        path: PathBuf,
        /// The error of the tag parser.
        source: BoxError,
    },
    /// Metadata tags that cannot be changed.
    #[error("{}: its tags cannot be changed: {source}", path.display())]
    TagsUnwritable {
        /// The file.
        path: PathBuf,
        /// The error of the tag writer.
        source: BoxError,
    },
    /// A file type without writable metadata tags.
    #[error("{}: its tags cannot be changed: files of this type have none", path.display())]
    TagsUnsupported {
        /// The file.
        path: PathBuf,
    },
    /// A grouping in which no track has a group.
    #[error(
        "no track has {missing}, so tracks cannot be grouped; choose another grouping, or split by track"
    )]
    NoGroups {
        /// What no track has, such as `an artist tag`.
        missing: String,
    },
    /// A grouping that is neither `artist`, `parent` nor a file.
    #[error(
        "{}: no such grouping and no such file; expected artist, parent, or a CSV file with the columns path,group", path.display()
    )]
    UnknownGrouping {
        /// The grouping as it was given.
        path: PathBuf,
    },
    /// A class with fewer tracks or groups than the split has parts or folds.
    #[error(
        "class '{label}' has {n} {unit}{}, but the split needs at least {needed}, one for each part or fold; add tracks, or ask for fewer",
        if *n == 1 { "" } else { "s" }
    )]
    TooFew {
        /// The label.
        label: String,
        /// What was counted: `track`, `group` or `segment`.
        unit: &'static str,
        /// How many there are.
        n: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A class with too few distinct recordings, because its tracks are duplicates of each other.
    #[error(
        "class '{label}' has {n} different recording{} (its {n_tracks} tracks are duplicates), but the split needs at least {needed}, one for each part or fold; add recordings, or ask for fewer",
        if *n == 1 { "" } else { "s" }
    )]
    TooFewRecordings {
        /// The label.
        label: String,
        /// How many there are.
        n: usize,
        /// Tracks of the class, duplicates included.
        n_tracks: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A class all of whose tracks are in one fold of a cross-validation.
    #[error(
        "class '{label}' has tracks in fold {fold} only, so the training part has none of it when that fold is tested; distribute it over the folds"
    )]
    OnlyInOneFold {
        /// The label.
        label: String,
        /// Name of the fold.
        fold: String,
    },
    /// Another number of folds than the manifest specifies.
    #[error("the manifest gives {} folds ({})", names.len(), names.join(", "))]
    OtherFolds {
        /// Names of the folds of the manifest.
        names: Vec<String>,
    },
    /// An invalid parameter of a split.
    #[error("split: {parameter} = {found}: {expected}")]
    InvalidSplit {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// The valid values.
        expected: &'static str,
    },
    /// An invalid feature specification, or a recording that cannot be read.
    #[error(transparent)]
    Audio(#[from] cantus_audio::Error),
    /// No track has a segment.
    #[error("none of the {n_tracks} tracks has a segment; the first: {}: {}", first.path, first.reason)]
    NothingExtracted {
        /// Number of tracks that failed.
        n_tracks: usize,
        /// The first that failed.
        first: Failure,
    },
    /// A strict audit found issues; the store is left unfinished.
    #[error("the audit found: {summary}; the store is left unfinished")]
    AuditIssues {
        /// Number of files for each kind of issue.
        summary: String,
    },
    /// The extraction was cancelled; finished parts are kept.
    #[error("stopped after {n_done} of {n_tracks} tracks; finished parts are kept")]
    Cancelled {
        /// Tracks in finished parts.
        n_done: usize,
        /// Tracks of the catalog.
        n_tracks: usize,
    },
    /// The thread pool could not be started.
    #[error("cannot start {n_threads} threads: {source}")]
    Threads {
        /// Number of threads.
        n_threads: usize,
        /// The error of the thread pool.
        source: BoxError,
    },
    /// An output folder that contains other files and no feature store.
    #[error("{}: not empty and not a feature store; choose an empty or a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// An output folder with a feature store of other settings.
    #[error("{}: contains a feature store made with other settings ({difference})", path.display())]
    SettingsDiffer {
        /// The folder.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A folder that is not a feature store.
    #[error("{}: not a feature store (it has no store.toml)", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// A store whose extraction did not finish.
    #[error("{}: the extraction did not finish", path.display())]
    Incomplete {
        /// The store.
        path: PathBuf,
    },
    /// A store of a newer format.
    #[error("{}: a feature store of format {found}, but this version reads up to {supported}; update cantus", path.display())]
    NewerFormat {
        /// The store or its part.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format that is supported.
        supported: u32,
    },
    /// A store of an older format.
    #[error("{}: a feature store of format {found}, but this version reads formats from {supported} on", path.display())]
    OlderFormat {
        /// The store or its part.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The oldest format that is supported.
        supported: u32,
    },
    /// A store that another process is writing.
    #[error("{}: another extraction is writing this feature store; wait until it finishes, or choose another folder", path.display())]
    Locked {
        /// The store.
        path: PathBuf,
    },
    /// An output folder or file that exists already.
    #[error("{}: exists already; choose another name", path.display())]
    OutputExists {
        /// The folder or file.
        path: PathBuf,
    },
    /// An operation on a store that was cancelled before its output was written.
    #[error("{}: stopped; nothing was written", path.display())]
    Stopped {
        /// The output.
        path: PathBuf,
    },
    /// A store that cannot be merged with the others.
    #[error("{}: {reason}", path.display())]
    NotMergeable {
        /// The store.
        path: PathBuf,
        /// How it differs from the others, or what is missing.
        reason: String,
    },
    /// Two stores with a track of the same path.
    #[error("{}: track {track} is in {} too", path.display(), other.display())]
    EqualTracks {
        /// Path of the track.
        track: String,
        /// The store.
        path: PathBuf,
        /// The other store.
        other: PathBuf,
    },
    /// A label or group that no track of a store has.
    #[error("{}: no track has the {what} '{name}'; {}", path.display(), first_of(known))]
    NoSuchName {
        /// The store.
        path: PathBuf,
        /// `label` or `group`.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that occur.
        known: Vec<String>,
    },
    /// A filter that keeps no track of a store.
    #[error("{}: no track remains", path.display())]
    NothingKept {
        /// The store.
        path: PathBuf,
    },
    /// A store that recordings cannot be added to.
    #[error("{}: recordings cannot be added: {reason}", path.display())]
    NotExtendable {
        /// The store.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of a store that is truncated, changed or inconsistent.
    #[error("{}: damaged: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A buffer whose length is not that of a segment.
    #[error("segment {segment}: a buffer of {found} values, but a segment has {expected}")]
    WrongLength {
        /// The segment.
        segment: usize,
        /// Length of the buffer.
        found: usize,
        /// Values of a segment.
        expected: usize,
    },
    /// A segment index out of range.
    #[error("segment {segment}: the store has {n_segments} segments")]
    NoSuchSegment {
        /// The segment.
        segment: usize,
        /// Number of segments.
        n_segments: usize,
    },
    /// A malformed `data.json`, or one that does not match the feature specification.
    #[error("{}: not the course's data.json: {reason}", path.display())]
    CourseJson {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// Tags, which the course's `data.json` cannot represent.
    #[error(
        "data.json has one label for each segment, and the labels of this feature store are tags, of which a track may have several"
    )]
    TagsInCourseJson,
    /// Features that the course's `data.json` cannot represent.
    #[error("only stores of plain MFCCs can be written as data.json; this one contains {found}")]
    NotMfcc {
        /// The kinds of features in the store.
        found: String,
    },
}

/// The first ten of some names, for an error: `it has: a, b`.
fn first_of(names: &[String]) -> String {
    const MAX_NAMES: usize = 10;
    match names {
        [] => "it has none".to_owned(),
        names if names.len() > MAX_NAMES => {
            format!("it has {}, such as {}", names.len(), names[..MAX_NAMES].join(", "))
        }
        names => format!("it has {}", names.join(", ")),
    }
}

impl Error {
    /// The error of a failed I/O operation on `path`; for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
