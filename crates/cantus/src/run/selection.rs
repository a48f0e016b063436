//! `selection.json`: the trials of the selection of a run's recipe.

use serde::Serialize;

use super::{Run, SELECTION};
use crate::Error;
use crate::selection::{Selection, Trial};

/// The file. Which trial is chosen follows from the trials, and is for other readers.
#[derive(Serialize)]
struct Written<'a> {
    trials: &'a [Trial],
    /// The name of the trial whose candidate is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<&'a str>,
}

impl Run {
    /// The trials that were made for this run so far; none if it is not resumed.
    ///
    /// # Errors
    /// If their file cannot be read.
    pub fn selection(&self) -> Result<Selection, Error> {
        if self.resume && self.path(SELECTION).is_file() {
            self.read_json(SELECTION)
        } else {
            Ok(Selection::default())
        }
    }

    /// Writes the trials that were made so far.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_selection(&self, selection: &Selection) -> Result<(), Error> {
        let chosen = selection.chosen().map(|trial| trial.name.as_str());
        self.write_json(SELECTION, &Written { trials: &selection.trials, chosen })
    }

    /// The run with a remark on the choice of its recipe, which its report shows.
    #[must_use]
    pub fn with_remark(self, remark: String) -> Self {
        Self { remark: Some(remark), ..self }
    }
}
