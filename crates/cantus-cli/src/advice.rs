//! What to type after an error of a library: its message says what is wrong, this names the flag or command that helps.

use std::error::Error;

use cantus::{ComparisonProblem, GenreTagProblem, OptionProblem, RunProblem};

/// What to do about recordings that are shorter than a segment.
pub const SHORT_RECORDINGS: &str =
    "--segment SECONDS sets another duration of segments, and --pad repeat keeps recordings that are shorter";

/// Advice for an error, if there is any.
pub fn of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref() {
        return of_embedding(error);
    }
    match error.downcast_ref::<cantus::Error>() {
        Some(cantus::Error::Dataset(error)) => of_dataset(error).map(str::to_owned),
        Some(error) => of_library(error),
        None => error.downcast_ref().and_then(of_dataset).map(str::to_owned),
    }
}

/// What to do after an error of an embedding model.
fn of_embedding(error: &cantus_embedding::Error) -> Option<String> {
    use cantus_embedding::Error;
    match error {
        Error::InFile { source, .. } => of_embedding(source),
        Error::NoRuntime => Some("build it with `--features embeddings`".to_owned()),
        Error::NoDescription { .. } => Some("`cantus embeddings template` writes one to fill in".to_owned()),
        _ => None,
    }
}

fn of_library(error: &cantus::Error) -> Option<String> {
    use cantus::Error;
    match error {
        Error::Run { problem, .. } => of_run(problem).map(str::to_owned),
        Error::InvalidOptions(problem) => of_options(problem).map(str::to_owned),
        Error::ShortRecordings { .. } => Some(SHORT_RECORDINGS.to_owned()),
        Error::Diverged { source, .. } => of_divergence(source),
        Error::OtherRecipeFeatures { name, .. } => {
            Some(format!("extract them with `cantus extract -m {name}`"))
        }
        Error::OtherStartingFeatures { .. } => Some(
            "give the recordings instead, whose features are then extracted as the model needs them"
                .to_owned(),
        ),
        Error::MissingCopies { .. } => Some(
            "extract them anew with --augment and this recipe, or train straight from the recordings"
                .to_owned(),
        ),
        Error::GenreTags { problem: GenreTagProblem::NotAJournal, .. } => {
            Some("give one that `cantus predict --write-tags` wrote".to_owned())
        }
        Error::NotComparable(problem) => match **problem {
            ComparisonProblem::Tracks { n_common: 1.., .. } => {
                Some("or compare on these with --common".to_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Which options of the command line to change.
fn of_options(problem: &OptionProblem) -> Option<&'static str> {
    match problem {
        OptionProblem::GroupsOfOtherSplit => Some("with --group, omit --split, or use --split group"),
        OptionProblem::FoldsBySegment | OptionProblem::ListsBySegment => Some("omit --split segment"),
        OptionProblem::ListsInFolds => Some("omit --folds or --split-lists"),
        OptionProblem::NumberOfLists { .. } => Some("--split-lists TRAIN TEST, or TRAIN VALID TEST"),
        OptionProblem::SelectionBySegment => Some("--split segment needs a recipe, such as -m mlp"),
        OptionProblem::SelectionWithSegment => Some("--segment needs a recipe, such as -m best"),
        OptionProblem::FoldsWithoutRecipe => Some("--folds needs a recipe, such as -m best"),
        OptionProblem::NoTest => Some("give --test a share, or use --folds"),
        OptionProblem::NoTraining => Some("lower --validation or --test"),
        OptionProblem::SegmentsOfStore => {
            Some("give --segment, --hop, --pad and --n-segments to `cantus extract`")
        }
        OptionProblem::EmbeddingsOfStore => Some("give --embedding to `cantus extract`"),
        OptionProblem::BackgroundOfStore => Some("give --background to `cantus extract`"),
        OptionProblem::SegmentsOfStart => Some("with --from, omit --segment, --hop, --pad and --n-segments"),
        OptionProblem::EmbeddingsOfStart => Some("with --from, omit --embedding"),
        _ => None,
    }
}

/// What to do after an error of a run folder.
fn of_run(problem: &RunProblem) -> Option<&'static str> {
    match problem {
        RunProblem::NoModel => Some("give a run folder or its model.safetensors"),
        RunProblem::NotFound => Some("give one written by `cantus train -o`"),
        RunProblem::NotAFolder => Some("give the run folder that contains it, or a new one"),
        RunProblem::Incomplete { .. } => Some("give the folder that `cantus train -o` finished"),
        RunProblem::Finished => Some("choose another folder, or --overwrite"),
        RunProblem::Interrupted | RunProblem::CrossValidation => {
            Some("--resume continues it, --overwrite starts anew")
        }
        RunProblem::Unfinished => Some("finish it with the same `cantus train` and --resume"),
        RunProblem::NoFinalModel { .. } => Some("or finish it with --resume --final"),
        RunProblem::OtherTraining => {
            Some("train with the same options, or without --resume and with --overwrite")
        }
        RunProblem::OtherFolds => {
            Some("train with the same options, or without --resume into another folder")
        }
        RunProblem::FeaturesMoved { .. } => Some("give their path with --features"),
        RunProblem::OtherFeatures => Some("give its own with --features"),
        _ => None,
    }
}

/// A smaller learning rate.
fn of_divergence(source: &cantus_nn::Error) -> Option<String> {
    let cantus_nn::Error::Diverged { learning_rate, .. } = source else { return None };
    Some(format!("for example --learning-rate {:.0e}", (learning_rate / 10.0).min(1e-3)))
}

/// What to do after an error of the data set or the feature store.
fn of_dataset(error: &cantus_dataset::Error) -> Option<&'static str> {
    use cantus_dataset::Error;
    match error {
        Error::AuditIssues { .. } => Some(
            "exclude files with --exclude (`cantus inspect --exclusions` writes a list), or run the same command without --audit strict, which completes it",
        ),
        Error::Cancelled { .. } => Some("run the same command again to continue"),
        Error::Threads { .. } => Some("set fewer with --jobs"),
        Error::NothingExtracted { first, .. } if first.is_too_short() => Some(SHORT_RECORDINGS),
        Error::SettingsDiffer { .. } => Some("use --overwrite, or another folder"),
        Error::EqualTracks { .. } => Some("--skip-duplicates keeps that of the first feature store"),
        Error::NotAStore { .. } => Some("create one with `cantus extract`"),
        Error::Incomplete { .. } => Some("run the same `cantus extract` again to continue"),
        Error::OlderFormat { .. } => Some("extract it again with --overwrite"),
        Error::Damaged { .. } => Some("delete the file and run the same `cantus extract` again"),
        _ => None,
    }
}
