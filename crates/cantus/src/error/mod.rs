//! The error type of the crate.

#[cfg(feature = "train")]
mod comparison_problem;
#[cfg(feature = "train")]
mod genre_tag_problem;
#[cfg(feature = "train")]
mod option_problem;
mod run_problem;

use std::path::{Path, PathBuf};

#[cfg(feature = "train")]
pub use self::comparison_problem::ComparisonProblem;
#[cfg(feature = "train")]
pub use self::genre_tag_problem::GenreTagProblem;
#[cfg(feature = "train")]
pub use self::option_problem::OptionProblem;
pub use self::run_problem::RunProblem;
#[cfg(feature = "train")]
pub(crate) use self::run_problem::{CHECKPOINT, FOLDS};

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
    #[error("{source}{}", saved.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default())]
    Diverged {
        /// What is not finite, and in which epoch.
        source: cantus_nn::Error,
        /// Content of the model file of the best epoch before; `None` where no epoch was finite.
        model: Option<Box<[u8]>>,
        /// Where a run has saved that model.
        saved: Option<Box<Path>>,
    },
    #[cfg(feature = "train")]
    /// The observer stopped the training.
    #[error("the training was stopped")]
    Interrupted,
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
    /// An embedding model of a trained model cannot be loaded.
    #[error("{}: {reason}", path.display())]
    Embedding {
        /// The trained model's file.
        path: PathBuf,
        /// Which embedding model, and why.
        reason: String,
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
    /// There is no such recipe.
    #[error("recipe {name}: {source}; give a TOML file or one of: {}", built_in.join(", "))]
    RecipeNotFound {
        /// The name or path that was given.
        name: String,
        /// Why there is no such file.
        source: std::io::Error,
        /// Names of the built-in recipes.
        built_in: Vec<&'static str>,
    },
    #[cfg(feature = "train")]
    /// A recipe is malformed, or a setting is invalid for any data.
    #[error("recipe {name}: {reason}")]
    InvalidRecipe {
        /// Its name or path.
        name: String,
        /// What is wrong, and which values are valid.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// A recipe does not fit the features or the labels of the data.
    #[error("recipe {name}: {reason}")]
    RecipeMisfit {
        /// Its name or path.
        name: String,
        /// What does not fit, and what to do.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The feature store lacks the augmented copies that a recipe trains on.
    #[error("recipe {name}: {reason}")]
    MissingCopies {
        /// Its name or path.
        name: String,
        /// What the recipe requires, and what the store holds.
        reason: String,
    },
    #[cfg(feature = "train")]
    /// The network of a recipe cannot be built on features that were extracted with other settings than the recipe's.
    #[error("recipe {name}: {source}; these features are not those of the recipe ({difference})")]
    OtherRecipeFeatures {
        /// Its name or path.
        name: String,
        /// Why the network cannot be built.
        source: Box<cantus_nn::Error>,
        /// The settings that differ.
        difference: String,
    },
    #[cfg(feature = "train")]
    /// The features are not those of the model that a training starts from.
    #[error("these features are not those of the starting model ({difference})")]
    OtherStartingFeatures {
        /// The settings that differ.
        difference: String,
    },
    #[cfg(feature = "train")]
    /// The given paths contain no recording.
    #[error("{}: no audio files found", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NothingFound {
        /// The paths that were searched.
        paths: Vec<PathBuf>,
    },
    #[cfg(feature = "train")]
    /// A part of the split whose share is above 0 has no segment.
    #[error("the {} part of the split is empty; add tracks, or change the shares", part.name())]
    EmptyPart {
        /// The part.
        part: cantus_dataset::Part,
    },
    #[cfg(feature = "train")]
    /// A split by segment of data whose labels are tags.
    #[error("the split by segment is for classes only; for tags, split by track or group")]
    SegmentSplitOfTags,
    #[cfg(feature = "train")]
    /// Options of a training or an extraction cannot be used.
    #[error("{0}")]
    InvalidOptions(OptionProblem),
    #[cfg(feature = "train")]
    /// Every recording is shorter than a segment, and would be left out.
    #[error("{what}: {durations}")]
    ShortRecordings {
        /// How many are shorter than which segment.
        what: String,
        /// The distribution of their durations.
        durations: String,
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
    /// A number of a model is NaN or infinite.
    #[error("cannot be written: `{tensor}` has a value that is not finite ({value})")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// The number.
        value: f32,
    },
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
    #[error("{}: {problem}", path.display())]
    GenreTags {
        /// The recording, or the journal.
        path: PathBuf,
        /// Why.
        problem: GenreTagProblem,
    },
    #[cfg(feature = "train")]
    /// The runs cannot be compared.
    #[error("the runs cannot be compared: {0}")]
    NotComparable(Box<ComparisonProblem>),
    /// A run folder, or a file in it, cannot be used.
    #[error("{}: {problem}", path.display())]
    Run {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it.
        problem: RunProblem,
    },
}

impl Error {
    /// For `map_err` after a file operation on `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

#[cfg(feature = "train")]
impl From<OptionProblem> for Error {
    fn from(problem: OptionProblem) -> Self {
        Self::InvalidOptions(problem)
    }
}
