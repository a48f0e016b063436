//! Errors of downloading and unpacking.

use std::path::{Path, PathBuf};

use cantus_audio::staging::StagingError;

/// Why a data set could not be fetched. Messages are one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The credentials are incomplete or malformed.
    #[error("{origin}: {reason}")]
    Credentials {
        /// Where they were found.
        origin: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The URL cannot be used.
    #[error("{url}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The server responded with an error status.
    #[error("{url}: the server responded with status {status}{message}: {advice}")]
    Status {
        /// The URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's own message in parentheses; may be empty.
        message: String,
        /// What it means and what to do.
        advice: String,
    },
    /// The server sent a web page instead of the file.
    #[error(
        "{url}: the server sent a page ({found}) and not the file; without credentials that is its login page"
    )]
    WebPage {
        /// The URL.
        url: String,
        /// The content type.
        found: String,
    },
    /// Too many attempts in a row failed. The partial download is kept and can be resumed.
    #[error("{url}: {reason}; gave up after {n_attempts} tries")]
    GaveUp {
        /// The URL.
        url: String,
        /// Why the last attempt failed.
        reason: String,
        /// Number of attempts in a row that received no byte.
        n_attempts: u32,
    },
    /// The downloaded file differs from the size or checksum that the server sent; it was removed.
    #[error("{}: {what} of the download is {found}, the server said {expected}; it was removed, try again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The size or the name of the checksum.
        what: &'static str,
        /// Value that the server sent.
        expected: String,
        /// Value of the download.
        found: String,
    },
    /// There is not enough free space on the disk.
    #[error("{}: {needed} more bytes are needed, {free} are free", path.display())]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// Bytes that remain to be written.
        needed: u64,
        /// Free bytes.
        free: u64,
    },
    /// Another process is downloading the same file, or unpacking to the same folder.
    #[error("{}: another cantus is writing it; wait for that one", path.display())]
    InUse {
        /// The partial file, or the folder.
        path: PathBuf,
    },
    /// The archive is truncated or damaged.
    #[error("{}: not a whole zip archive: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive has an entry that must not be extracted.
    #[error("{}: not unpacked, its entry {entry:?} {reason}", path.display())]
    UnsafeArchive {
        /// The archive.
        path: PathBuf,
        /// The entry's name.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive exceeds a limit.
    #[error("{}: not unpacked, it holds more than {limit} {what}", path.display())]
    OverLimit {
        /// The archive.
        path: PathBuf,
        /// What is limited: files or bytes.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The target folder is not empty.
    #[error("{}: is there already and was not fetched by cantus; name another folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The work was cancelled.
    #[error("stopped")]
    Interrupted,
}

impl From<StagingError> for Error {
    fn from(error: StagingError) -> Self {
        match error {
            StagingError::Exists { path } => Self::Occupied { path },
            StagingError::Locked { path } => Self::InUse { path },
            StagingError::Io { path, source } => Self::Io { path, source },
        }
    }
}

impl Error {
    /// For `map_err` after an operation on `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
