//! Pictures of a finished run, drawn once more from what its folder holds.

use cantus_nn::History;

use super::Run;
use crate::Error;
use crate::plot::{self, Picture};
use crate::report::pictures;

impl Run {
    /// Accuracy and loss by epoch.
    ///
    /// # Errors
    /// If the run's history is gone or cannot be read.
    pub fn history_picture(&self) -> Result<Picture, Error> {
        let history: History = self.read_json("history.json")?;
        Ok(pictures::history(&history).picture)
    }

    /// The confusion matrix of the test part's tracks.
    ///
    /// # Errors
    /// If the run's report is gone or cannot be read.
    pub fn confusion_picture(&self) -> Result<Picture, Error> {
        let scores = self.report()?.scores;
        Ok(plot::confusion_matrix(&scores.labels, &scores.track_confusion_matrix, "tracks"))
    }
}
