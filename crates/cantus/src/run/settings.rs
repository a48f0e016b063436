//! The origin of a run: the options, the feature store and the version that `config.toml` records.

use std::path::{Path, PathBuf};

use cantus_audio::regular_file;
use serde::{Deserialize, Serialize};

use super::{CONFIG, Run};
use crate::Error;

/// Options of a training under the names of the flags, as `config.toml` records them.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(toml::Table);

/// `config.toml`: options under the names of the flags, so that `--config` repeats the run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Config {
    /// Options of the training.
    train: toml::Table,
    /// Facts that are not options.
    pub(super) run: Origin,
}

/// Origin of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Its feature store; a relative path is relative to the run folder.
    pub(super) features: PathBuf,
    /// The version of Cantus that trained it.
    cantus_version: String,
    /// The training's fingerprint, see [`Trained::fingerprint`](crate::Trained::fingerprint); `None` for a cross-validation
    /// without a final model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
}

impl Run {
    /// The run with options that its `config.toml` records as the table `train`; they do not change the training.
    ///
    /// # Errors
    /// If they are not a table of TOML.
    pub fn with_settings(self, options: &impl Serialize) -> Result<Self, Error> {
        let table = toml::Table::try_from(options);
        let table = table.map_err(|error| Error::Unwritable { reason: error.to_string() })?;
        Ok(Self { settings: Settings(table), ..self })
    }

    /// The content of `config.toml` for a training on the store in the folder `features`.
    ///
    /// # Errors
    /// If the folder does not exist.
    pub(super) fn new_config(&self, features: &Path, fingerprint: Option<String>) -> Result<Config, Error> {
        let outermost = self.parent.as_deref().unwrap_or(&self.dir);
        let to_outermost = if self.parent.is_some() { ".." } else { "" };
        let features = match features.strip_prefix(outermost) {
            Ok(inside) => Path::new(to_outermost).join(inside),
            Err(_) => features.canonicalize().map_err(Error::io(features))?,
        };
        let cantus_version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Config { train: self.settings.0.clone(), run: Origin { features, cantus_version, fingerprint } })
    }

    pub(super) fn config(&self) -> Result<Config, Error> {
        let path = self.path(CONFIG);
        let text = regular_file::read_to_string(&path).map_err(Error::io(&path))?;
        toml::from_str(&text).map_err(|error| self.malformed(CONFIG, &error))
    }
}
