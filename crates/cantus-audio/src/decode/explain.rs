//! What is wrong with a file, in our words.

use std::path::Path;

use symphonia::core::errors::Error as SymphoniaError;

use super::format::Format;
use crate::Error;

pub(super) fn malformed(path: &Path, format: Format, reason: String) -> Error {
    Error::Malformed { path: path.into(), format: format.name().into(), reason }
}

pub(super) fn unsupported(path: &Path, reason: String) -> Error {
    Error::Unsupported { path: path.into(), reason }
}

/// Symphonia's reasons, without what our own message says already.
pub(super) fn reason(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::DecodeError(reason) | SymphoniaError::Unsupported(reason) => (*reason).into(),
        other => other.to_string(),
    }
}

pub(super) fn explain(path: &Path, format: Format, error: SymphoniaError) -> Error {
    match error {
        SymphoniaError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            malformed(path, format, "the file ends inside its header".into())
        }
        SymphoniaError::IoError(source) => Error::Io { path: path.into(), source },
        SymphoniaError::Unsupported(reason) => {
            unsupported(path, format!("a {} file that is not understood: {reason}", format.name()))
        }
        other => malformed(path, format, reason(&other)),
    }
}
