//! Failures of the libraries as Python exceptions, each with a message of one line.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;

/// Why a call failed; made without the lock, and raised as an exception when it is held again.
#[derive(Debug)]
pub enum Failure {
    /// An exception of `python/cantus/errors.py`.
    Cantus(Class, String),
    /// An error of the operating system: `FileNotFoundError`, `PermissionError` or another `OSError`.
    System {
        /// Its number and text.
        source: io::Error,
        /// The file.
        path: String,
    },
    /// An exception that Python code has raised, such as `KeyboardInterrupt` in a callback.
    Python(PyErr),
}

/// The classes of `cantus.Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An argument out of range; also a `ValueError`.
    Parameter,
    /// A recording that cannot be decoded.
    Decode,
    /// Invalid data set or feature store.
    Data,
    /// A model that cannot be read, built or trained.
    Model,
    /// A defect of Cantus.
    Internal,
}

impl Class {
    /// Its name in `cantus.errors`.
    fn name(self) -> &'static str {
        match self {
            Self::Parameter => "ParameterError",
            Self::Decode => "DecodeError",
            Self::Data => "DataError",
            Self::Model => "ModelError",
            Self::Internal => "InternalError",
        }
    }
}

impl Failure {
    /// An argument out of range.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::Cantus(Class::Parameter, message.into())
    }

    /// A defect of Cantus.
    pub fn internal(reason: &str) -> Self {
        let message = format!("{}; please report this defect", in_one_line(reason));
        Self::Cantus(Class::Internal, message)
    }

    /// An error of `class` with the message of `error` and its causes.
    pub fn of(class: Class, error: &dyn StdError) -> Self {
        Self::Cantus(class, with_causes(error))
    }

    /// An error of the operating system at `path`.
    pub fn system(path: &Path, source: io::Error) -> Self {
        Self::System { source, path: path.display().to_string() }
    }
}

impl From<cantus_audio::Error> for Failure {
    fn from(error: cantus_audio::Error) -> Self {
        use cantus_audio::Error;
        match error {
            Error::Io { path, source } => Self::system(&path, source),
            Error::InvalidAugmentation { parameter, found, expected } => {
                Self::parameter(format!("{parameter} = {found}: expected {expected}"))
            }
            Error::InvalidSpec { parameter, found, expected } => {
                Self::parameter(format!("{parameter} = {found}: {expected}"))
            }
            other => Self::of(Class::Decode, &other),
        }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            // A path that no system accepts; Python's own `open` raises a `ValueError` as well.
            Failure::System { source, path } if source.kind() == io::ErrorKind::InvalidInput => {
                Failure::parameter(format!("{}: {source}", in_one_line(&path))).into()
            }
            Failure::System { source, path } => os_error(&source, path),
            Failure::Cantus(class, message) => Python::attach(|py| exception(py, class, message)),
        }
    }
}

/// Python chooses the subclass of `OSError` by the number.
fn os_error(source: &io::Error, path: String) -> PyErr {
    let text = source.to_string();
    match source.raw_os_error() {
        Some(number) => {
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text, path))
        }
        None => PyOSError::new_err(format!("{path}: {}", in_one_line(&text))),
    }
}

fn exception(py: Python<'_>, class: Class, message: String) -> PyErr {
    let made = py.import("cantus.errors").and_then(|module| module.getattr(class.name())?.call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// A `TypeError`.
pub fn type_error(message: impl Into<String>) -> PyErr {
    PyTypeError::new_err(message.into())
}

/// A `ValueError` that is also a `cantus.Error`.
pub fn value_error(message: impl Into<String>) -> PyErr {
    Failure::parameter(message).into()
}

/// The message and its causes; a cause that the message contains already is omitted.
fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let reason = source.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = source.source();
    }
    in_one_line(&text)
}

fn in_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
