//! Errors of starting a server: models that cannot be loaded or served together.

use std::path::PathBuf;

/// Why models cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No model was given.
    #[error("there is no model to serve")]
    NoModel,
    /// Two models have one name, or a model's name is empty.
    #[error("two models are called `{name}`; each needs a name of its own")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The operating system starts no thread.
    #[error("no threads can be started: {source}")]
    Threads {
        /// The reason of the operating system.
        source: std::io::Error,
    },
    /// A file of a run cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason of the operating system.
        source: std::io::Error,
    },
    /// A model or a run cannot be loaded.
    #[error(transparent)]
    Model(#[from] cantus::Error),
}
