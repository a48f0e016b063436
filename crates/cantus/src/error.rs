//! Everything that can go wrong between a recording and an answer.

use std::path::{Path, PathBuf};

/// An error of the product: one line that says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sound could not be decoded or turned into features.
    #[error(transparent)]
    Audio(#[from] cantus_audio::Error),
    #[cfg(feature = "train")]
    /// The data set or the feature store is not as needed.
    #[error(transparent)]
    Dataset(#[from] cantus_dataset::Error),
    #[cfg(feature = "train")]
    /// Training ended at a number that is not finite.
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
    /// The operating system would not read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is no model of Cantus, or was cut.
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
        /// The newest format understood here.
        supported: u64,
        /// The version that wrote it.
        version: String,
    },
    #[cfg(feature = "train")]
    /// A recipe that cannot be read.
    #[error("recipe {name}: {reason}")]
    Recipe {
        /// Its name or path.
        name: String,
        /// What is wrong, and what is known instead.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// Paths behind which there is no recording.
    #[error("{reason}")]
    NothingFound {
        /// Where was looked.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// Training data that nothing can be learnt from.
    #[error("{reason}")]
    TrainingData {
        /// What is missing and what to do.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The model was trained on features of another kind.
    #[error("the features do not fit the model: {difference}; extract them with the model's own settings")]
    OtherFeatures {
        /// What differs.
        difference: String,
    },
    #[cfg(feature = "train")]
    /// Results that cannot be scored.
    #[error(transparent)]
    Scores(#[from] cantus_metrics::ScoresError),
    #[cfg(feature = "train")]
    /// A picture that cannot be saved.
    #[error(transparent)]
    Picture(#[from] cantus_plot::PictureError),
    /// Something that cannot be put into its file format.
    #[error("cannot be written: {reason}")]
    Unwritable {
        /// What the format says.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// A model of which another program's format has no form.
    #[error("cannot be exported: {reason}")]
    Export {
        /// What has no form there, and what to do.
        reason: String,
    },
    /// A recording without a segment of which features can be extracted.
    #[error("{}: {reason}", path.display())]
    NoSegments {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: cantus_audio::feature::SegmentError,
    },
    #[cfg(feature = "train")]
    /// Tags that are not changed, or not taken back.
    #[error("{}: {reason}", path.display())]
    Retag {
        /// The recording, or the journal.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// Runs that say nothing about each other.
    #[error("the runs cannot be compared: {reason}")]
    NotComparable {
        /// What differs.
        reason: String,
    },
    /// A run folder that cannot be used.
    #[error("{}: {reason}", path.display())]
    Run {
        /// The folder.
        path: PathBuf,
        /// What is missing and what to do.
        reason: String,
    },
}

impl Error {
    /// For `map_err` behind a call that touches `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// A folder that lacks a file which every finished run has.
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
    /// What was given for a run and is no folder.
    pub(crate) fn not_a_run(path: &Path) -> Self {
        let reason = if path.exists() {
            "a file; give the run folder that it lies in"
        } else {
            "no such folder; give one that `cantus train -o` made"
        };
        Self::Run { path: path.to_owned(), reason: reason.to_owned() }
    }
}
