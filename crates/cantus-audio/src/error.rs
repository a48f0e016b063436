//! The error type of this crate.

use std::path::PathBuf;

/// The formats that are decoded, for messages.
const SUPPORTED_FORMATS: &str =
    "wav, rf64, w64, aiff, caf, au, flac, mp3, ogg vorbis, opus, m4a/aac/alac, mka, webm";

/// An error of this crate.
///
/// For a file, four kinds are distinguished: not audio ([`NotAudio`](Self::NotAudio)), audio in a format or codec that is not
/// decoded ([`Unsupported`](Self::Unsupported)), damaged ([`Malformed`](Self::Malformed)), and over a limit
/// ([`TooLarge`](Self::TooLarge)).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The content of the file is not audio.
    #[error("{}: not audio: {found}; supported formats: {SUPPORTED_FORMATS}", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What the content is, such as `a PNG image`.
        found: String,
    },
    /// The format or codec of the file is not supported.
    #[error("{}: unsupported: {name}; supported formats: {SUPPORTED_FORMATS}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The format or codec, such as `WavPack`.
        name: String,
    },
    /// The file is damaged, truncated, or contradicts its header.
    #[error("{}: malformed {format}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format by which it was read, such as `wav`.
        format: &'static str,
        /// What is wrong with it, as reported by the reader.
        reason: String,
    },
    /// A size is over a limit.
    #[error("{}: {quantity} is {found}, over the limit of {limit}", path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// What is too large, such as `number of channels`.
        quantity: &'static str,
        /// Its value.
        found: u64,
        /// The largest value that is accepted.
        limit: u64,
    },
    /// A folder that should hold recordings has no file.
    #[error("{}: the folder has no files; expected recordings", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// An augmentation setting out of range.
    #[error("augmentation: {parameter} = {found}: expected {expected}")]
    InvalidAugmentation {
        /// The parameter, with the augmentation that it belongs to, such as `pitch_shift.range`.
        parameter: String,
        /// Its value.
        found: String,
        /// The accepted values.
        expected: String,
    },
    /// An embedding model that cannot be used.
    #[error("embedding {name}: {reason}")]
    Embedding {
        /// Name of the model.
        name: String,
        /// Why, in a line.
        reason: String,
    },
    /// A parameter of a feature or transform out of range.
    #[error("feature specification: {parameter} = {found}: {expected}")]
    InvalidSpec {
        /// The parameter's name, as in librosa.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// The accepted values.
        expected: String,
    },
}
