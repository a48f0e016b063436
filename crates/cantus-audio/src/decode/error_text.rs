//! Conversion of Symphonia's errors to the errors of this crate.

use std::path::Path;

use symphonia::core::errors::Error as SymphoniaError;

use super::format::Format;
use crate::Error;

pub(super) fn malformed(path: &Path, format: Format, reason: impl Into<String>) -> Error {
    Error::Malformed { path: path.into(), format: format.name(), reason: reason.into() }
}

/// The reason alone, without Symphonia's prefix for the kind of error.
pub(super) fn reason(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::DecodeError(reason) | SymphoniaError::Unsupported(reason) => (*reason).into(),
        other => other.to_string(),
    }
}

/// The error of opening a file, from Symphonia's.
pub(super) fn open_error(path: &Path, format: Format, error: SymphoniaError) -> Error {
    match error {
        SymphoniaError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            malformed(path, format, "the file ends inside its header")
        }
        SymphoniaError::IoError(source) => Error::Io { path: path.into(), source },
        SymphoniaError::Unsupported(reason) => {
            Error::Unsupported { path: path.into(), name: format!("{} with {reason}", format.name()) }
        }
        other => malformed(path, format, reason(&other)),
    }
}
