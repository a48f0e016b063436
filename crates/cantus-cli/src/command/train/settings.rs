//! The options of a training, as stored in the `config.toml` of a run.

use super::Train;

impl Train {
    /// The options under their names.
    pub(super) fn settings(&self) -> toml::Table {
        let mut train = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| train.insert(name.to_owned(), value);
        if self.is_automatic() {
            set("budget", self.budget.into());
        } else if !self.start.is_given() {
            set("model", self.recipe_name().into());
        } else if let Some(model) = &self.model {
            set("model", model.as_str().into());
        }
        set("seed", whole_number(self.seed));
        if let Some(n_folds) = self.folds {
            set("folds", whole_number(n_folds.into()));
        }
        if self.folds.is_some() || self.final_model {
            set("final", self.final_model.into());
        }
        train.extend(self.split.settings(self.folds.is_some()));
        train.extend(self.segments.settings());
        train.extend(self.embeddings.settings());
        train.extend(self.start.settings());
        let mut set = |name: &str, value: toml::Value| train.insert(name.to_owned(), value);
        self.background.as_ref().map(|folder| set("background", folder.display().to_string().into()));
        self.epochs.map(|n| set("epochs", whole_number(n as u64)));
        self.batch_size.map(|n| set("batch_size", whole_number(n as u64)));
        self.learning_rate.map(|rate| set("learning_rate", as_typed(rate)));
        self.patience.map(|n| set("patience", whole_number(n as u64)));
        train
    }
}

/// An integer for TOML, whose range is that of i64; beyond it, the text of the flag.
fn whole_number(n: u64) -> toml::Value {
    i64::try_from(n).map_or_else(|_| n.to_string().into(), toml::Value::from)
}

/// The decimal number as typed, not the digits of its nearest f32 as an f64.
pub(super) fn as_typed(number: f32) -> toml::Value {
    number.to_string().parse().unwrap_or(f64::from(number)).into()
}
