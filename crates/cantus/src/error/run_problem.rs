//! Why a run folder or a file in it cannot be used.

use std::path::{Path, PathBuf};

/// File that marks the run folder of a cross-validation, with or without a model.
pub(crate) const FOLDS: &str = "folds.csv";
/// File that a run folder has while its training is not finished.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// Why a run folder or a file in it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunProblem {
    /// There is no model at the path.
    #[error("no such model")]
    NoModel,
    /// There is no such folder.
    #[error("no such folder")]
    NotFound,
    /// The path is a file.
    #[error("a file; a run is a folder")]
    NotAFolder,
    /// The folder holds files, but no run.
    #[error("not empty and no run; choose an empty or a new folder")]
    OtherFiles,
    /// Another training writes to the folder.
    #[error("another training is writing to it; wait until it is done, or choose another folder")]
    Locked,
    /// The folder holds a finished run.
    #[error("it holds a finished run")]
    Finished,
    /// The folder holds an interrupted training.
    #[error("it holds an interrupted training")]
    Interrupted,
    /// The folder holds a cross-validation, finished or not.
    #[error("it holds a cross-validation")]
    CrossValidation,
    /// A file that every finished run has is missing, since the training of the run was interrupted.
    #[error("its training was interrupted")]
    Unfinished,
    /// A file that every finished run has is missing.
    #[error("it has no {file}")]
    Incomplete {
        /// The missing file.
        file: String,
    },
    /// The run is a cross-validation that lacks a file.
    #[error("a cross-validation without a {file}; give one of its folds, such as {}", fold.display())]
    NoFinalModel {
        /// The missing file.
        file: String,
        /// The run of its first fold.
        fold: PathBuf,
    },
    /// It was written by a training on other data, another split or another recipe.
    #[error("it was written by a training on other data, or with another split or recipe")]
    OtherTraining,
    /// It was written by a cross-validation of other tracks or with other folds.
    #[error("it was written by a cross-validation of other tracks or with other folds")]
    OtherFolds,
    /// Its feature store is no longer where the run was trained.
    #[error("its features are no longer at {}", features.display())]
    FeaturesMoved {
        /// Where it was.
        features: PathBuf,
    },
    /// The feature store differs from the one that the run was trained on.
    #[error("the features are not those that it was trained on, or were damaged")]
    OtherFeatures,
    /// A track of the run is not in the feature store.
    #[error("the features have no track {track}; give the store that the run was trained on")]
    UnknownTrack {
        /// Path of the track.
        track: String,
    },
    /// The labels of the run are tags, for which there is no confusion matrix.
    #[error("its labels are tags, for which there is no confusion matrix; see plots/precision_recall.png")]
    NoConfusionMatrix,
    /// A file of the run cannot be parsed.
    #[error("{0}")]
    Malformed(String),
}

impl RunProblem {
    /// Why a folder lacks a file that every finished run has.
    pub(crate) fn unfinished(dir: &Path, missing: &str) -> Self {
        let file = missing.to_owned();
        if dir.join(FOLDS).is_file() {
            return Self::NoFinalModel { file, fold: dir.join("fold-1") };
        }
        if dir.join(CHECKPOINT).is_file() { Self::Unfinished } else { Self::Incomplete { file } }
    }
}
