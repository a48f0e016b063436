//! Why genre tags cannot be written or restored.

/// Why genre tags cannot be written or restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenreTagProblem {
    /// The recording would decode to other samples.
    #[error("writing the genre tag would change its decoded audio; the file is not modified")]
    ChangesAudio,
    /// The recording is not as the journal left it.
    #[error("it was modified since by another program; the file is not modified")]
    Modified,
    /// The journal's entry of the recording is inconsistent.
    #[error("its entry in the journal is damaged; the file is not modified")]
    DamagedEntry,
    /// The recording is write-protected.
    #[error("it is write-protected; the file is not modified")]
    WriteProtected,
    /// The file is not a journal, or one of a later version.
    #[error("not a journal of genre tags, or written by a later version of cantus")]
    NotAJournal,
    /// A line of the journal cannot be parsed, or a change cannot be serialised.
    #[error("{0}")]
    Malformed(String),
}
