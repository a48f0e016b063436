//! Everything that can go wrong between a file and its features.

use std::path::PathBuf;

/// An error of this crate: what was wrong, where, and what to do about it.
///
/// Malformed (`Malformed`), not understood (`Unsupported`) and over a limit (`TooLarge`) are different errors:
/// the first asks for another copy of the file, the second for another format, the third for a shorter file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system would not read or write the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is empty, cut, or not what its header promises.
    #[error("{}: malformed {format}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format it was read as, such as `wav`.
        format: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// The file is no audio, or audio that Cantus does not decode.
    #[error("{}: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is, and what is understood instead.
        reason: String,
    },
    /// A header asks for more than any recording needs.
    #[error("{}: {quantity} is {found}, more than the limit of {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large, such as `number of channels`.
        quantity: &'static str,
        /// What the file asks for.
        found: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Augmentation settings that make no sense.
    #[error("augmentation: {reason}")]
    InvalidAugmentation {
        /// The setting, its value and what it has to be.
        reason: String,
    },
    /// A feature specification that cannot be computed.
    #[error("feature specification: {parameter} = {found}: {expected}")]
    InvalidSpec {
        /// The parameter's name, as librosa spells it.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: String,
    },
}
