//! The error type of the crate.

use std::path::{Path, PathBuf};

/// An error of the crate; its message is one line that says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Audio could not be decoded or features could not be extracted.
    #[error(transparent)]
    Audio(#[from] cantus_audio::Error),
    #[cfg(feature = "train")]
    /// The data set or the feature store is invalid or does not fit.
    #[error(transparent)]
    Dataset(#[from] cantus_dataset::Error),
    #[cfg(feature = "train")]
    /// Training diverged: a number became NaN or infinite.
    #[error("{source}")]
    Diverged {
        /// What is not finite, and in which epoch.
        source: cantus_nn::Error,
        /// The model of the best epoch before; `None` where no epoch was finite.
        model: Option<Box<crate::Model>>,
    },
    /// The network could not be built or trained.
    #[error(transparent)]
    Network(#[from] cantus_nn::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file is not a Cantus model, or is truncated.
    #[error("{}: not a Cantus model: {reason}", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// The model's content does not match the checksum written with it.
    #[error("{}: damaged or tampered with: its content does not match its checksum; take the original file", path.display())]
    ModelTampered {
        /// The file.
        path: PathBuf,
    },
    /// The model was written by a later version of Cantus.
    #[error("{}: model format {found} was written by cantus {version}; this one reads up to {supported}: update cantus", path.display())]
    ModelTooNew {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u64,
        /// The newest format that this version reads.
        supported: u64,
        /// The version that wrote it.
        version: String,
    },
    #[cfg(feature = "train")]
    /// A recipe cannot be read or is invalid.
    #[error("recipe {name}: {reason}")]
    Recipe {
        /// Its name or path.
        name: String,
        /// What is wrong, and which values are valid.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The given paths contain no recording.
    #[error("{reason}")]
    NothingFound {
        /// Which paths were searched.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The training data are empty or unusable.
    #[error("{reason}")]
    TrainingData {
        /// What is missing and what to do.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The features differ from those that the model was trained on.
    #[error("the features do not fit the model: {difference}; extract them with the model's own settings")]
    OtherFeatures {
        /// What differs.
        difference: String,
    },
    #[cfg(feature = "train")]
    /// The predictions cannot be scored.
    #[error(transparent)]
    Scores(#[from] cantus_metrics::ScoresError),
    #[cfg(feature = "train")]
    /// A picture cannot be saved.
    #[error(transparent)]
    Picture(#[from] cantus_plot::PictureError),
    /// A value cannot be serialised to its file format.
    #[error("cannot be written: {reason}")]
    Unwritable {
        /// The serialiser's error.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The model cannot be expressed in the export format.
    #[error("cannot be exported: {0}")]
    Export(#[from] crate::export::ExportError),
    /// A recording has no segment from which features can be extracted.
    #[error("{}: {reason}", path.display())]
    NoSegments {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: cantus_audio::feature::SegmentError,
    },
    #[cfg(feature = "train")]
    /// Genre tags could not be written or restored.
    #[error("{}: {reason}", path.display())]
    GenreTags {
        /// The recording, or the journal.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The runs cannot be compared.
    #[error("the runs cannot be compared: {reason}")]
    NotComparable {
        /// What differs.
        reason: String,
    },
    /// A run folder cannot be used.
    #[error("{}: {reason}", path.display())]
    Run {
        /// The folder.
        path: PathBuf,
        /// What is missing and what to do.
        reason: String,
    },
}

impl Error {
    /// For `map_err` after a file operation on `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// The folder lacks a file that every finished run has.
    pub(crate) fn unfinished_run(dir: &Path, missing: &str) -> Self {
        if dir.join(crate::model_file::FOLDS).is_file() {
            let reason = format!(
                "a cross-validation without a {missing}; finish it with --resume --final, or give one of its folds, such as {}",
                dir.join("fold-1").display()
            );
            return Self::Run { path: dir.to_owned(), reason };
        }
        let reason = if dir.join(crate::model_file::CHECKPOINT).is_file() {
            "its training was interrupted; finish it with the same `cantus train` and --resume".to_owned()
        } else {
            format!("it has no {missing}; give the folder that `cantus train -o` finished")
        };
        Self::Run { path: dir.to_owned(), reason }
    }

    #[cfg(feature = "train")]
    /// The path given as a run is not a folder.
    pub(crate) fn not_a_run(path: &Path) -> Self {
        let reason = if path.exists() {
            "a file; give the run folder that contains it"
        } else {
            "no such folder; give one written by `cantus train -o`"
        };
        Self::Run { path: path.to_owned(), reason: reason.to_owned() }
    }
}
