//! Redraws the pictures of a finished run from the files in its folder.

use cantus_nn::History;

use super::Run;
use crate::report::{EvaluationReport, TrainingCurve, pictures};
use crate::{Error, Recipe, RunProblem};
use cantus_plot::Picture;

impl Run {
    /// Accuracy and loss by epoch.
    ///
    /// # Errors
    /// If the run's history or its recipe is missing or cannot be read.
    pub fn history_picture(&self) -> Result<Picture, Error> {
        let history: History = self.read_json("history.json")?;
        let recipe = Recipe::load(&self.path("recipe.toml").to_string_lossy())?;
        Ok(pictures::history(TrainingCurve::new(&history, &recipe)).picture)
    }

    /// The confusion matrix of the test part's tracks.
    ///
    /// # Errors
    /// If the run's report is missing or cannot be read, or the run's labels are tags.
    pub fn confusion_picture(&self) -> Result<Picture, Error> {
        let scores = match self.report()? {
            EvaluationReport::Classes(report) => report.scores,
            EvaluationReport::Tags(_) => {
                return self.refuse(RunProblem::NoConfusionMatrix);
            }
        };
        Ok(cantus_plot::confusion_matrix(&scores.labels, &scores.track_confusion_matrix, "tracks"))
    }
}
