//! A finished run, or a model file, as the start of another training.

use std::collections::BTreeSet;
use std::path::Path;

use cantus_dataset::Part;

use super::{RECIPE, Run, SPLIT, tables};
use crate::{Error, Model, Recipe, StartingModel};

impl StartingModel {
    /// Reads the model of a run folder, with its recipe and the tracks that it was trained on; or a model file alone.
    ///
    /// # Errors
    /// If it cannot be read, or the run is not finished.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let model = Model::load(path)?;
        if !path.is_dir() {
            return Self::new(model, None, BTreeSet::new());
        }
        let run = Run::open(path)?;
        let mut recipe = Recipe::load(&run.path(RECIPE).display().to_string())?;
        recipe.name.clone_from(&model.provenance.recipe);
        Self::new(model, Some(recipe), run.trained_on()?)
    }
}

impl Run {
    /// Paths of the tracks in the training and the validation part.
    fn trained_on(&self) -> Result<BTreeSet<String>, Error> {
        let rows = tables::read_split(&self.path(SPLIT)).map_err(|error| self.malformed(SPLIT, &error))?;
        let is_trained_on = |part| matches!(part, Some(Part::Train | Part::Validation));
        Ok(rows.into_iter().filter(|row| is_trained_on(row.part)).map(|row| row.path).collect())
    }
}
