//! Failures of training, prediction and networks as Python exceptions, with the argument that helps.

use cantus::{OptionProblem, RunProblem};

use crate::errors::{Class, Failure};

impl From<cantus::Error> for Failure {
    fn from(error: cantus::Error) -> Self {
        use cantus::Error;
        match error {
            Error::Audio(error) => error.into(),
            Error::Dataset(error) => error.into(),
            Error::Network(error) => error.into(),
            Error::Io { path, source } => Self::system(&path, source),
            Error::Run { path, problem: RunProblem::NoModel | RunProblem::NotFound } => {
                Self::not_found(&path)
            }
            Error::Run { ref problem, .. } => advised(Class::Data, &error, of_run(problem)),
            Error::InvalidOptions(ref problem) => advised(Class::Parameter, &error, of_options(problem)),
            Error::ShortRecordings { .. } => advised(Class::Data, &error, Some(SHORT_RECORDINGS)),
            Error::NoSegments { .. } => Self::of(Class::Decode, &error),
            Error::RecipeNotFound { .. } | Error::InvalidRecipe { .. } | Error::SegmentSplitOfTags => {
                Self::of(Class::Parameter, &error)
            }
            Error::EmptyPart { .. } | Error::NothingFound { .. } => Self::of(Class::Data, &error),
            Error::MissingCopies { .. } => {
                advised(Class::Model, &error, Some("extract the features with this recipe"))
            }
            Error::Diverged { .. } => advised(Class::Model, &error, Some("set a smaller learning_rate")),
            other => Self::of(Class::Model, &other),
        }
    }
}

/// The arguments that help with recordings that are shorter than a segment.
const SHORT_RECORDINGS: &str = "segment= sets another duration of segments, and pad='repeat' keeps them";

/// Which arguments to change.
fn of_options(problem: &OptionProblem) -> Option<&'static str> {
    match problem {
        OptionProblem::GroupsOfOtherSplit => Some("with groups=, omit split, or set split='group'"),
        OptionProblem::FoldsBySegment | OptionProblem::ListsBySegment => Some("omit split='segment'"),
        OptionProblem::ListsInFolds => Some("omit folds= or split_lists="),
        OptionProblem::SelectionBySegment => Some("split='segment' needs a recipe, such as 'mlp'"),
        OptionProblem::SelectionWithSegment => Some("segment= needs a recipe, such as 'best'"),
        OptionProblem::FoldsWithoutRecipe => Some("folds= needs a recipe, such as 'best'"),
        OptionProblem::NoTest => Some("give test a share, or set folds"),
        OptionProblem::NoTraining => Some("lower validation or test"),
        OptionProblem::SegmentsOfStore => Some("give segment=, hop=, pad= and n_segments= to cantus.extract"),
        OptionProblem::EmbeddingsOfStore => Some("give embedding= to cantus.extract"),
        OptionProblem::BackgroundOfStore => Some("give background= to cantus.extract"),
        OptionProblem::SegmentsOfStart => Some("with from_run=, omit segment=, hop=, pad= and n_segments="),
        OptionProblem::EmbeddingsOfStart => Some("with from_run=, omit embedding="),
        _ => None,
    }
}

/// The argument that helps with a run folder.
fn of_run(problem: &RunProblem) -> Option<&'static str> {
    match problem {
        RunProblem::Finished => Some("choose another folder, or set overwrite=True"),
        RunProblem::Interrupted | RunProblem::CrossValidation => {
            Some("resume=True continues it, overwrite=True starts anew")
        }
        RunProblem::OtherTraining | RunProblem::OtherFolds => {
            Some("train with the same arguments, or set overwrite=True")
        }
        RunProblem::Unfinished => Some("finish it with the same call of train and resume=True"),
        RunProblem::FeaturesMoved { .. } | RunProblem::OtherFeatures => Some("give its own as features="),
        _ => None,
    }
}

impl From<cantus_dataset::Error> for Failure {
    fn from(error: cantus_dataset::Error) -> Self {
        use cantus_dataset::Error;
        match error {
            Error::Audio(error) => error.into(),
            Error::Io { path, source } => Self::system(&path, source),
            Error::NotFound { path } => Self::not_found(&path),
            Error::InvalidSplit { .. } | Error::ListedTwice { .. } => Self::of(Class::Parameter, &error),
            Error::OtherFolds { .. } => advised(Class::Parameter, &error, Some("set folds to this number")),
            Error::SettingsDiffer { .. } | Error::OlderFormat { .. } => {
                advised(Class::Data, &error, Some("set overwrite=True, or choose another folder"))
            }
            Error::Incomplete { .. } => {
                advised(Class::Data, &error, Some("the same call of extract continues it"))
            }
            Error::NotAStore { .. } => {
                advised(Class::Data, &error, Some("cantus.extract makes one of recordings"))
            }
            other => Self::of(Class::Data, &other),
        }
    }
}

impl From<cantus_nn::Error> for Failure {
    fn from(error: cantus_nn::Error) -> Self {
        use cantus_nn::Error;
        match error {
            Error::Setting { .. }
            | Error::Examples { .. }
            | Error::Inputs { .. }
            | Error::UnknownWeight { .. }
            | Error::MissingWeight { .. }
            | Error::WeightShape { .. }
            | Error::WeightNotFinite { .. } => Self::of(Class::Parameter, &error),
            Error::Diverged { .. } => advised(Class::Model, &error, Some("set a smaller learning_rate")),
            other => Self::of(Class::Model, &other),
        }
    }
}

impl Failure {
    /// `FileNotFoundError` of a path.
    fn not_found(path: &std::path::Path) -> Self {
        // ENOENT has this number on all systems.
        Self::system(path, std::io::Error::from_raw_os_error(2))
    }

    /// The message of its exception.
    pub fn message(&self) -> String {
        match self {
            Self::Cantus(_, message) => message.clone(),
            Self::System { source, path } => {
                let text = source.to_string();
                format!("{path}: {}", text.split(" (os error").next().unwrap_or_default())
            }
            Self::Python(error) => error.to_string(),
        }
    }

    /// An argument of the call that is malformed, in a line.
    pub fn json(error: &serde_json::Error) -> Self {
        // The position is that of a text that the Python code has made.
        let text = error.to_string();
        Self::parameter(text.split(" at line ").next().unwrap_or_default())
    }
}

fn advised(class: Class, error: &dyn std::error::Error, advice: Option<&str>) -> Failure {
    match (Failure::of(class, error), advice) {
        (Failure::Cantus(class, message), Some(advice)) => {
            Failure::Cantus(class, format!("{message}; {advice}"))
        }
        (failure, _) => failure,
    }
}
