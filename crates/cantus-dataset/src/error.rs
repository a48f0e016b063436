//! Everything that can go wrong between a folder and its features.

use std::path::{Path, PathBuf};

/// An error of this crate: what was wrong, where, and what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system would not read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The catalogue's folder or manifest does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// A file where a folder or a manifest was wanted.
    #[error("{}: neither a folder of recordings nor a manifest (a .csv file with the columns path,label or path,labels)", path.display())]
    NotADataset {
        /// The file.
        path: PathBuf,
    },
    /// A folder without a single audio file.
    #[error("{}: no audio files found ({found}); looked for {}", path.display(), crate::catalog::EXTENSIONS.join(", "))]
    NoAudio {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        found: String,
    },
    /// Audio files, but no folders that would give them labels.
    #[error(
        "{}: {n_files} audio files lie directly in the folder, without labels; wanted: {}/<label>/<audio file>, one folder for each class",
        path.display(), path.display(),
    )]
    NoLabels {
        /// The folder.
        path: PathBuf,
        /// Number of audio files in it.
        n_files: usize,
    },
    /// A catalogue with a single label.
    #[error("{}: only one class, '{label}', but telling apart takes two or more; add a folder for another class", path.display())]
    OneClass {
        /// The folder or manifest.
        path: PathBuf,
        /// The one label.
        label: String,
    },
    /// A manifest that gives every track the same tags.
    #[error("{}: every track has the same labels, so that there is nothing to tell apart; add tracks without one of them, with an empty field for a track that has none", path.display())]
    SameTags {
        /// The manifest.
        path: PathBuf,
    },
    /// A CSV file, or a list, that does not say what it should.
    #[error("{}, line {line}: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What was expected and what was found.
        reason: String,
    },
    /// Tags that cannot be read.
    #[error("{}: unreadable tags: {reason}", path.display())]
    Tags {
        /// The file.
        path: PathBuf,
        /// What was wrong with them.
        reason: String,
    },
    /// Tags that cannot be changed.
    #[error("{}: its tags cannot be changed: {reason}", path.display())]
    TagsUnwritable {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// A grouping that finds no group at all.
    #[error(
        "no track has {wanted}, so that tracks cannot be grouped; choose another grouping, or split by track"
    )]
    NoGroups {
        /// What was looked for, such as `an artist tag`.
        wanted: String,
    },
    /// A grouping that is neither a known one nor a file.
    #[error(
        "{}: no such grouping and no such file; wanted artist, parent, or a CSV file with the columns path,group", path.display()
    )]
    UnknownGrouping {
        /// What was given.
        path: PathBuf,
    },
    /// A label with fewer tracks or groups than the split has parts.
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
    /// A label with too few recordings, because many of its tracks are copies of each other.
    #[error(
        "class '{label}' has {n} different recording{} (its {n_tracks} tracks are copies), but the split needs at least {needed}, one for each part or fold; add recordings, or ask for fewer",
        if *n == 1 { "" } else { "s" }
    )]
    TooFewRecordings {
        /// The label.
        label: String,
        /// How many there are.
        n: usize,
        /// Tracks of the label, copies included.
        n_tracks: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A label that only one fold of a cross-validation has.
    #[error(
        "class '{label}' has tracks in fold {fold} only, so that nothing could be learnt of it when that fold is examined; spread it over the folds"
    )]
    OnlyInOneFold {
        /// The label.
        label: String,
        /// Name of the fold.
        fold: String,
    },
    /// Fractions that make no split.
    #[error("split: {parameter} = {found}: {expected}")]
    InvalidSplit {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A feature specification that cannot be computed, or a recording that cannot be read.
    #[error(transparent)]
    Audio(#[from] cantus_audio::Error),
    /// Not one track gave a segment.
    #[error("none of the {n_tracks} tracks gave a segment; the first: {}: {}", first.path, first.reason)]
    NothingExtracted {
        /// Number of tracks that were tried.
        n_tracks: usize,
        /// The first that failed.
        first: crate::track::Failure,
    },
    /// A strict audit found something.
    #[error(
        "the audit found: {summary}; the store is left unfinished: leave files out with --exclude (`cantus inspect` writes a list), or run the same command without --audit strict, which only has to finish it"
    )]
    Findings {
        /// Kinds and numbers of files.
        summary: String,
    },
    /// The extraction was asked to stop.
    #[error(
        "stopped after {n_done} of {n_tracks} tracks; what is finished stays, and the same command goes on from there"
    )]
    Cancelled {
        /// Tracks whose features are in finished parts.
        n_done: usize,
        /// Tracks of the catalogue.
        n_tracks: usize,
    },
    /// The machine would not start the threads.
    #[error("cannot start {jobs} threads: {reason}; ask for fewer jobs")]
    Threads {
        /// Number of threads asked for.
        jobs: usize,
        /// What the system said.
        reason: String,
    },
    /// An output folder that holds something else.
    #[error("{}: not empty and no feature store; choose an empty or a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// An output folder that holds the features of another specification.
    #[error("{}: holds a feature store made with other settings ({difference}); --overwrite it, or choose another folder", path.display())]
    OtherStore {
        /// The folder.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A folder that is no feature store.
    #[error("{}: no feature store (it has no store.toml); make one with `cantus extract`", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// A store whose extraction did not come to its end.
    #[error("{}: the extraction did not finish; run the same `cantus extract` again, and it goes on where it stopped", path.display())]
    Incomplete {
        /// The store.
        path: PathBuf,
    },
    /// A store of a later version.
    #[error("{}: a feature store of format {found}, but this version reads up to {supported}; use a newer cantus", path.display())]
    NewerFormat {
        /// The store or its part.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The latest format that is understood.
        supported: u32,
    },
    /// A store of an earlier version.
    #[error("{}: a feature store of format {found}, but this version reads format {supported}; extract it anew with --overwrite", path.display())]
    OlderFormat {
        /// The store or its part.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format that is understood.
        supported: u32,
    },
    /// A store that another process is writing to.
    #[error("{}: another extraction is writing to this feature store; wait until it is done, or choose another folder", path.display())]
    Locked {
        /// The store.
        path: PathBuf,
    },
    /// A file of a store that is cut or was tampered with.
    #[error("{}: damaged: {reason}; delete it and run the same `cantus extract` again, and it is made anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// A buffer whose length is not that of a segment.
    #[error("segment {segment}: a buffer of {found} values, but the segment has {expected}")]
    WrongLength {
        /// The segment.
        segment: usize,
        /// Length of the buffer.
        found: usize,
        /// Values of a segment.
        expected: usize,
    },
    /// A segment that the store does not have.
    #[error("segment {segment}: the store has {n_segments}")]
    NoSuchSegment {
        /// The segment.
        segment: usize,
        /// Number of segments.
        n_segments: usize,
    },
    /// A `data.json` that is not the course's, or does not fit the feature specification.
    #[error("{}: not the course's data.json: {reason}", path.display())]
    CourseJson {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// Labels that the course's `data.json` has no place for.
    #[error(
        "data.json has one label for each segment, and the labels of this feature store are tags, of which a track may have several"
    )]
    Tagged,
    /// Features that the course's `data.json` has no place for.
    #[error("only stores of plain MFCCs can be written as data.json; this one holds {found}")]
    NotMfcc {
        /// The kinds of features in the store.
        found: String,
    },
}

impl Error {
    /// Makes the error of a failed system call on `path`; for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
