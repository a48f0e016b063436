//! The files of a run: tables, figures, reports and JSON documents, each written atomically.

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use cantus_dataset::FeatureStore;
use cantus_plot::Theme;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::settings::Config;
use super::{CONFIG, RECIPE, REPORT, Run, SPLIT, TIME, tables};
use crate::evaluation::Evaluated;
use crate::report::{self, Figure, TrainingCurve};
use crate::training::Trained;
use crate::{Error, Recipe};

/// `time.json`: the duration, which differs between two runs of the same training.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Time {
    pub(super) training_s: Option<f64>,
}

impl Run {
    /// Writes the recipe and the origin of the run.
    pub(super) fn save_origin(&self, recipe: &Recipe, config: &Config) -> Result<(), Error> {
        self.write(CONFIG, toml_text(config)?.as_bytes())?;
        self.write(RECIPE, toml_text(recipe)?.as_bytes())
    }

    /// Writes the files of a training other than its model.
    pub(super) fn save_training(&self, trained: &Trained, store: &FeatureStore) -> Result<(), Error> {
        self.write(SPLIT, &tables::split(&trained.split.split, store)?)?;
        self.write("history.csv", tables::history(&trained.history).as_bytes())?;
        self.write("history.json", &json_bytes(&trained.history)?)?;
        self.save_figures(&[report::pictures::history(trained.curve())])
    }

    /// Removes the files of a training other than its model.
    pub(super) fn remove_training(&self) -> Result<(), Error> {
        let files = [SPLIT, "history.csv", "history.json", "plots/history.png", "plots/history.svg"];
        files.into_iter().try_for_each(|name| self.remove(name))
    }

    /// Writes the files of an evaluation; `folds` are the names of the fold of each track, in a cross-validation.
    pub(super) fn save_evaluation(
        &self,
        evaluated: &Evaluated,
        folds: Option<&[&str]>,
        curve: Option<TrainingCurve<'_>>,
        store: &FeatureStore,
    ) -> Result<(), Error> {
        let Evaluated { predictions, report } = evaluated;
        self.write("predictions.csv", &tables::predictions(predictions.tracks(), folds, store)?)?;
        self.write("report.txt", report.to_text().as_bytes())?;
        let mut figures = report.pictures(predictions.tracks());
        self.save_figures(&figures)?;
        figures.extend(curve.map(report::pictures::history));
        self.write("report.md", report.to_markdown(&figures).as_bytes())?;
        self.write("report.html", report.to_html(&figures).as_bytes())?;
        self.write(TIME, &json_bytes(&Time { training_s: report.training_s() })?)?;
        self.write(REPORT, &json_bytes(report)?)
    }

    fn save_figures(&self, figures: &[Figure]) -> Result<(), Error> {
        let dir = self.path("plots");
        atomic_file::create_folder(&dir).map_err(Error::io(&dir))?;
        // A picture is drawn and compressed while the file of another one is synced.
        figures.par_iter().try_for_each(|Figure { name, picture, .. }| {
            self.write(&format!("plots/{name}.png"), &picture.to_png(Theme::Light))?;
            self.write(&format!("plots/{name}.svg"), picture.to_svg(Theme::Light).as_bytes())
        })
    }

    /// Removes a file of the run, if it exists.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        atomic_file::write(&path, bytes).map_err(Error::io(&path))
    }

    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        self.write(name, &json_bytes(value)?)
    }

    pub(super) fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let path = self.path(name);
        let text = regular_file::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text).map_err(|error| self.malformed(name, &error))
    }
}

fn toml_text(value: &impl Serialize) -> Result<String, Error> {
    toml::to_string(value).map_err(|error| Error::Unwritable { reason: error.to_string() })
}

fn json_bytes(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Error::Unwritable { reason: error.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}
