//! Everything that can go wrong between a publisher's server and a folder of recordings.

use std::path::{Path, PathBuf};

/// An error of fetching: one line that says what is wrong and what to do.
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
    /// Credentials that cannot be used.
    #[error("{origin}: {reason}")]
    Credentials {
        /// Where they were found.
        origin: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An address that nothing is asked of.
    #[error("{url}: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The server gave another answer than the file.
    #[error("{url}: the server answered {status}{said}: {advice}")]
    Answer {
        /// The address.
        url: String,
        /// The status of the answer.
        status: u16,
        /// What the server said beside it, in brackets; may be empty.
        said: String,
        /// What it means and what to do.
        advice: String,
    },
    /// The server sent a page where a file was wanted.
    #[error(
        "{url}: the server sent a page ({found}) and not the file; without credentials that is its login page"
    )]
    NotAFile {
        /// The address.
        url: String,
        /// The type that the server named.
        found: String,
    },
    /// Tries that brought nothing.
    #[error("{url}: {reason}; gave up after {n_tries} tries, the same command goes on where this one was")]
    GaveUp {
        /// The address.
        url: String,
        /// What went wrong at last.
        reason: String,
        /// Number of tries in which not one byte came.
        n_tries: u32,
    },
    /// What was downloaded is not what the server said that it sends.
    #[error("{}: {what} of the download is {found}, the server said {expected}; it was removed, try again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was compared.
        what: &'static str,
        /// What the server said.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Not enough room on the disk.
    #[error("{}: {needed} more bytes are needed, {free} are free", path.display())]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// Bytes that are still to be written.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Another process downloads the same.
    #[error("{}: another cantus is downloading it; wait for that one", path.display())]
    InUse {
        /// The file in the making.
        path: PathBuf,
    },
    /// An archive that cannot be read.
    #[error("{}: not a whole zip archive: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An archive that would do harm.
    #[error("{}: not unpacked, its entry {entry:?} {reason}", path.display())]
    UnsafeArchive {
        /// The archive.
        path: PathBuf,
        /// The entry's name.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An archive over a limit.
    #[error("{}: not unpacked, it holds more than {limit} {what}", path.display())]
    OverLimit {
        /// The archive.
        path: PathBuf,
        /// Of what there is too much.
        what: &'static str,
        /// As much as is allowed.
        limit: u64,
    },
    /// The folder to fetch to holds something else.
    #[error("{}: is there already and was not fetched by cantus; name another folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Whoever waited has stopped the work.
    #[error("stopped")]
    Interrupted,
}

impl Error {
    /// For `map_err` behind a call that touches `path`.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
