//! The arguments of a training that starts from a trained model.

use std::path::PathBuf;

use cantus::{Recipe, StartingModel};
use serde::Deserialize;

use crate::errors::Failure;

/// The model that a training starts from, and what is trained of it.
#[derive(Deserialize)]
pub struct StartRequest {
    /// A run, or a model file.
    from_run: Option<PathBuf>,
    freeze: Option<FrozenLayers>,
    layer_rate: Option<f32>,
}

/// Which layers are not trained.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum FrozenLayers {
    /// This many, from the input on.
    First(usize),
    All(All),
}

/// All layers but the output layer.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

impl StartRequest {
    /// Whether a model to start from is given.
    pub fn is_given(&self) -> bool {
        self.from_run.is_some()
    }

    /// The model to start from, if one is given.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(&self) -> Result<Option<StartingModel>, Failure> {
        Ok(self.from_run.as_deref().map(StartingModel::open).transpose()?)
    }

    /// The recipe of a training that starts from `start`: its own or that of the given name, with its layers and features.
    ///
    /// # Errors
    /// If there is no such recipe, the model names none that is built in, or it has fewer layers than are to be frozen.
    pub fn recipe(&self, start: &StartingModel, name: Option<&str>) -> Result<Recipe, Failure> {
        let recipe = match name {
            Some(name) => start.adapted(&Recipe::load(name)?),
            None => start.recipe()?,
        };
        let n_frozen = match self.freeze {
            None => 0,
            Some(FrozenLayers::First(n)) => n,
            Some(FrozenLayers::All(All::All)) => recipe.layers.len(),
        };
        Ok(recipe.fine_tuned(n_frozen, self.layer_rate.unwrap_or(StartingModel::LAYER_RATE))?)
    }
}
