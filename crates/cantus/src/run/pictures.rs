//! Pictures of a finished run, drawn once more from what its folder holds.

use cantus_nn::History;
use serde::de::DeserializeOwned;

use super::{REPORT, Run};
use crate::Error;
use crate::plot::{self, Picture};
use crate::report::{Report, best_epoch};

impl Run {
    /// Accuracy and loss by epoch.
    ///
    /// # Errors
    /// If the run's history is gone or cannot be read.
    pub fn history_picture(&self) -> Result<Picture, Error> {
        let history: History = self.read_json("history.json")?;
        let best_epoch = best_epoch(&history);
        let History { accuracy, val_accuracy, loss, val_loss, .. } = &history;
        Ok(plot::history(&plot::History { accuracy, val_accuracy, loss, val_loss, best_epoch }))
    }

    /// The confusion matrix of the test part's tracks.
    ///
    /// # Errors
    /// If the run's report is gone or cannot be read.
    pub fn confusion_picture(&self) -> Result<Picture, Error> {
        let scores = self.read_json::<Report>(REPORT)?.scores;
        Ok(plot::confusion_matrix(&scores.labels, &scores.track_confusion_matrix, "tracks"))
    }

    fn read_json<Content: DeserializeOwned>(&self, name: &str) -> Result<Content, Error> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text).map_err(|error| self.broken(name, &error))
    }
}
