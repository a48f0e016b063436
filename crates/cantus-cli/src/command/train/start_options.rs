//! The options of `cantus train` that start a training from a trained model.

use std::path::PathBuf;
use std::str::FromStr;

use cantus::{Recipe, StartingModel};
use clap::Args;

use crate::output::WrongUsage;

/// A training that starts from a trained model.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Fine-tuning")]
pub struct StartOptions {
    /// Start from the layers of a trained model: a run or its model file. Features and normalisation are the model's, too; its
    /// output layer is kept if the labels are the same
    #[arg(long, value_name = "RUN")]
    from: Option<PathBuf>,
    /// Layers that are not trained: their number, from the input on and as listed in the run's recipe.toml, or `all` but the
    /// output layer [default: 0]
    #[arg(long, value_name = "LAYERS", requires = "from")]
    freeze: Option<FrozenLayers>,
    /// Factor of the learning rate of all layers but frozen ones and the output layer [default: 0.1]
    #[arg(long, value_name = "FACTOR", requires = "from", value_parser = super::positive, allow_negative_numbers = true)]
    layer_rate: Option<f32>,
}

/// Which layers are not trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrozenLayers {
    /// This many, from the input on.
    First(usize),
    /// All but the output layer.
    All,
}

impl FromStr for FrozenLayers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::First).map_err(|_| "must be a number of layers, or all".to_owned()),
        }
    }
}

impl StartOptions {
    /// Whether a model to start from is given.
    pub(super) fn is_given(&self) -> bool {
        self.from.is_some()
    }

    /// The model to start from, if one is given.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn open(&self) -> anyhow::Result<Option<StartingModel>> {
        Ok(self.from.as_deref().map(StartingModel::open).transpose()?)
    }

    /// The recipe of a training that starts from `start`: its own or that of the given name, with its layers and features.
    ///
    /// # Errors
    /// If there is no such recipe, the model names none that is built in, or it has fewer layers than are to be frozen.
    pub(super) fn recipe(&self, start: &StartingModel, name: Option<&str>) -> anyhow::Result<Recipe> {
        let recipe = match name {
            Some(name) => start.adapted(&Recipe::load(name).map_err(|error| WrongUsage(error.to_string()))?),
            None => start.recipe()?,
        };
        let n_frozen = match self.freeze {
            None => 0,
            Some(FrozenLayers::First(n)) => n,
            Some(FrozenLayers::All) => recipe.layers.len(),
        };
        let recipe = recipe.fine_tuned(n_frozen, self.layer_rate.unwrap_or(StartingModel::LAYER_RATE));
        Ok(recipe.map_err(|error| WrongUsage(error.to_string()))?)
    }

    /// The options under their names, for `config.toml`.
    pub(super) fn settings(&self) -> toml::Table {
        let mut table = toml::Table::new();
        if let Some(from) = &self.from {
            table.insert("from".to_owned(), from.display().to_string().into());
        }
        match self.freeze {
            None => {}
            Some(FrozenLayers::First(n)) => _ = table.insert("freeze".to_owned(), n.to_string().into()),
            Some(FrozenLayers::All) => _ = table.insert("freeze".to_owned(), "all".into()),
        }
        if let Some(rate) = self.layer_rate {
            table.insert("layer_rate".to_owned(), super::settings::as_typed(rate));
        }
        table
    }
}
