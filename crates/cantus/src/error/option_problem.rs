//! Why options of a training or an extraction cannot be used: out of range, or excluded by others.

/// Why the options of a training or an extraction cannot be used. Options have the names of the command line and of Python, without
/// dashes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionProblem {
    /// A value is out of range.
    #[error("{option} = {found}: {expected}")]
    OutOfRange {
        /// The option.
        option: &'static str,
        /// Its value.
        found: String,
        /// The valid values.
        expected: &'static str,
    },
    /// Groups are named, and the split is by another unit.
    #[error("groups are kept whole by a split by group only")]
    GroupsOfOtherSplit,
    /// A cross-validation by segment.
    #[error("the folds of a cross-validation keep tracks or groups whole, not segments")]
    FoldsBySegment,
    /// An official split by segment.
    #[error("the lists of an official split keep tracks whole, not segments")]
    ListsBySegment,
    /// A cross-validation with an official split.
    #[error("folds are drawn, or those of the manifest; an official split has none")]
    ListsInFolds,
    /// Neither two nor three lists.
    #[error(
        "an official split has two lists (training, test) or three (training, validation, test), not {found}"
    )]
    NumberOfLists {
        /// The number of lists.
        found: usize,
    },
    /// A selection of recipes with a split by segment.
    #[error("recipes are compared on whole tracks, not on a split by segment")]
    SelectionBySegment,
    /// A selection of recipes with segments of a given duration.
    #[error("segment lengths are tried where no recipe is named")]
    SelectionWithSegment,
    /// A cross-validation without a recipe.
    #[error("recipes are tried by cross-validation already where none is named")]
    FoldsWithoutRecipe,
    /// The test part has no share.
    #[error("test = 0: the test part would be empty")]
    NoTest,
    /// The shares of the validation and the test part are 1 or more together.
    #[error("validation and test leave nothing to train on")]
    NoTraining,
    /// Copies are to be extracted by a recipe that has none.
    #[error("recipe {recipe}: defines no augmented copies; set copies and audio in [augmentation]")]
    NoCopies {
        /// The recipe's name or path.
        recipe: String,
    },
    /// Segments are given for a feature store.
    #[error("the segments of a feature store are those of its extraction")]
    SegmentsOfStore,
    /// Embedding models are given for a feature store.
    #[error("the features of a feature store are those of its extraction: embedding models are chosen there")]
    EmbeddingsOfStore,
    /// A background is given for a feature store.
    #[error("the recordings of a feature store are those of its extraction: a background is added there")]
    BackgroundOfStore,
    /// Segments are given for a training that starts from a model.
    #[error("the segments are those of the model that the training starts from")]
    SegmentsOfStart,
    /// Embedding models are given for a training that starts from a model.
    #[error(
        "the features are those of the model that the training starts from, and its embedding models, too"
    )]
    EmbeddingsOfStart,
}
