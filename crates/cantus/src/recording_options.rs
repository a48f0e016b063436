//! Options of a training that are for recordings: refused where its features exist, or are those of a starting model.

use crate::Error;
use crate::error::OptionProblem;

/// Which options for recordings are given to a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordingOptions {
    /// Segments.
    pub segments: bool,
    /// Embedding models.
    pub embeddings: bool,
    /// A folder of background.
    pub background: bool,
}

impl RecordingOptions {
    /// Checks the options of a training on a feature store.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] if any is given.
    pub fn check_store(self) -> Result<(), Error> {
        match self {
            Self { segments: true, .. } => Err(OptionProblem::SegmentsOfStore.into()),
            Self { embeddings: true, .. } => Err(OptionProblem::EmbeddingsOfStore.into()),
            Self { background: true, .. } => Err(OptionProblem::BackgroundOfStore.into()),
            _ => Ok(()),
        }
    }

    /// Checks the options of a training on recordings that starts from a model, whose features are computed.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] if segments or embedding models are given.
    pub fn check_start(self) -> Result<(), Error> {
        match self {
            Self { segments: true, .. } => Err(OptionProblem::SegmentsOfStart.into()),
            Self { embeddings: true, .. } => Err(OptionProblem::EmbeddingsOfStart.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_takes_no_option_and_a_starting_model_a_background() {
        let none = RecordingOptions::default();
        assert!(none.check_store().is_ok() && none.check_start().is_ok());
        let background = RecordingOptions { background: true, ..none };
        assert!(background.check_store().is_err() && background.check_start().is_ok());
        for given in
            [RecordingOptions { segments: true, ..none }, RecordingOptions { embeddings: true, ..none }]
        {
            assert!(given.check_store().is_err() && given.check_start().is_err());
        }
    }
}
