//! Errors of loading models and starting a server.

use std::path::PathBuf;

/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No model was given.
    #[error("there is no model to serve")]
    NoModel,
    /// Two models have the same name, or a name is empty.
    #[error("two models are called `{name}`; each needs a name of its own")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A worker thread cannot be started.
    #[error("no threads can be started: {source}")]
    Threads {
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file of a run folder cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A model or a run folder cannot be loaded.
    #[error(transparent)]
    Model(#[from] cantus::Error),
}
