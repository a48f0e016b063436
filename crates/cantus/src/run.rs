//! The run folder: all that a training leaves.
//!
//! | file | what |
//! |---|---|
//! | `model.safetensors` | the model, all that prediction needs |
//! | `config.toml` | the options of `cantus train`, and where its features lie |
//! | `recipe.toml` | the recipe as it was used; `-m RUN/recipe.toml` uses it again |
//! | `split.csv` | the part of each track |
//! | `history.csv`, `history.json` | loss and accuracy by epoch, with Keras's keys |
//! | `report.json`, `report.txt` | scores on the test part |
//! | `plots/` | history and confusion matrix as PNG and SVG |
//! | `checkpoint` | only while a training is not finished: `--resume` goes on from it |

mod pictures;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cantus_audio::pending_file;
use cantus_dataset::{FeatureStore, Part, Unit};
use cantus_nn::History;
use serde::{Deserialize, Serialize};

use crate::evaluation::{data_sha256, test_scores};
use crate::plot::{self, Theme};
use crate::report::{Report, best_epoch};
use crate::training::Trained;
use crate::{Error, Model, Recipe, model_file};

const CONFIG: &str = "config.toml";
const SPLIT: &str = "split.csv";
const REPORT: &str = "report.json";
const CHECKPOINT: &str = "checkpoint";

/// A run folder.
#[derive(Debug, Clone)]
pub struct Run {
    dir: PathBuf,
}

/// `config.toml`: options under the names of the flags, so that `--config` repeats the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Options of `cantus train`.
    pub train: toml::Table,
    /// What is no option.
    pub run: Origin,
}

/// Where a run came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Its feature store; a relative path starts at the run folder.
    pub features: PathBuf,
    /// The version of Cantus that trained.
    pub cantus_version: String,
}

/// One row of `split.csv`.
#[derive(Debug, Serialize, Deserialize)]
struct SplitRow {
    path: String,
    /// Only for the course's split, which tears tracks apart.
    segment: Option<usize>,
    label: String,
    group: Option<String>,
    /// What it is one of several copies of.
    #[serde(default)]
    recording: Option<String>,
    part: Part,
}

impl Run {
    /// Makes the folder for a new run.
    ///
    /// # Errors
    /// If the folder cannot be made, or holds a finished run already and `overwrite` is not asked for.
    pub fn create(dir: &Path, overwrite: bool) -> Result<Self, Error> {
        if dir.join(model_file::FILE_NAME).exists() && !overwrite {
            let reason = "it holds a finished run; choose another folder, or --overwrite".to_owned();
            return Err(Error::Run { path: dir.to_owned(), reason });
        }
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        // A folder that cannot be written to is told now, and not when the training is over.
        pending_file::PendingFile::create(&dir.join(CONFIG)).map_err(Error::io(dir))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Opens the folder of a finished run.
    ///
    /// # Errors
    /// If it is not there or not finished.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let run = Self { dir: dir.to_owned() };
        let missing =
            [model_file::FILE_NAME, CONFIG, SPLIT, REPORT].into_iter().find(|name| !dir.join(name).is_file());
        match missing {
            None => Ok(run),
            Some(name) => Err(Error::unfinished_run(dir, name)),
        }
    }

    /// Where a file of the run lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Keeps what an interrupted training needs to go on, under the fingerprint of its job.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_checkpoint(&self, fingerprint: &str, checkpoint: &[u8]) -> Result<(), Error> {
        self.write(CHECKPOINT, &[fingerprint.as_bytes(), b"\n", checkpoint].concat())
    }

    /// What an interrupted training left, if there was one.
    ///
    /// # Errors
    /// If it is there and cannot be read, or was left by a training on other data, another split or recipe.
    pub fn checkpoint(&self, fingerprint: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(CHECKPOINT);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let checkpoint = bytes.strip_prefix(fingerprint.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"));
        checkpoint.map(|checkpoint| Some(checkpoint.to_vec())).ok_or_else(|| {
            let reason = "it was left by a training on other data, or with another split or recipe; \
                          train with the same options, or without --resume";
            Error::Run { path, reason: reason.to_owned() }
        })
    }

    /// Writes everything; the model last, so that a folder with a model is a finished run. The model of a run that is
    /// replaced goes first, so that it never stands beside another run's report.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save(
        &self,
        trained: &Trained,
        store: &FeatureStore,
        recipe: &Recipe,
        config: &Config,
    ) -> Result<(), Error> {
        self.remove(model_file::FILE_NAME)?;
        self.write(CONFIG, toml_text(config)?.as_bytes())?;
        self.write("recipe.toml", toml_text(recipe)?.as_bytes())?;
        self.write(SPLIT, &split_csv(trained, store)?)?;
        self.write("history.csv", history_csv(&trained.history).as_bytes())?;
        self.write("history.json", &json_bytes(&trained.history)?)?;
        self.write(REPORT, &json_bytes(&trained.report)?)?;
        self.write("report.txt", trained.report.to_text().as_bytes())?;
        self.save_plots(trained)?;
        self.write(model_file::FILE_NAME, &trained.model.to_bytes()?)?;
        self.remove(CHECKPOINT)
    }

    /// Removes a file of the run, if it is there.
    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path)(error)),
            _ => Ok(()),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        pending_file::write(&path, bytes).map_err(Error::io(&path))
    }

    fn save_plots(&self, trained: &Trained) -> Result<(), Error> {
        let History { accuracy, val_accuracy, loss, val_loss, .. } = &trained.history;
        let best_epoch = best_epoch(&trained.history);
        let history = plot::history(&plot::History { accuracy, val_accuracy, loss, val_loss, best_epoch });
        let scores = &trained.report.scores;
        let confusion = plot::confusion_matrix(&scores.labels, &scores.track_confusion_matrix, "tracks");
        let dir = self.path("plots");
        std::fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        for (name, picture) in [("history", history), ("confusion_matrix", confusion)] {
            for extension in ["png", "svg"] {
                picture.save(&dir.join(format!("{name}.{extension}")), Theme::Light)?;
            }
        }
        Ok(())
    }

    /// The model.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn model(&self) -> Result<Model, Error> {
        Model::load(self.path(model_file::FILE_NAME))
    }

    /// Scores the model on the run's test part once more, from the features.
    ///
    /// # Errors
    /// If the run is incomplete, or its features are gone, changed or of another specification.
    pub fn evaluate(&self, features: Option<&Path>) -> Result<Report, Error> {
        let model = self.model()?;
        let store = FeatureStore::open(&self.features(features)?)?;
        model.check_features(store.spec(), store.labels())?;
        if data_sha256(&store)? != model.provenance.data_sha256 {
            let reason = "the features are not those that it was trained on, or were damaged; give its own with --features";
            return Err(Error::Run { path: self.dir.clone(), reason: reason.to_owned() });
        }
        let segments = self.test_segments(&store)?;
        let scores = test_scores(&model, &store, &segments)?;
        let path = self.path(REPORT);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let report: Report = serde_json::from_str(&text).map_err(|error| self.broken(REPORT, &error))?;
        Ok(Report { scores, ..report })
    }

    /// Where the features lie: where the caller says, or where the run was trained.
    fn features(&self, given: Option<&Path>) -> Result<PathBuf, Error> {
        if let Some(path) = given {
            return Ok(path.to_owned());
        }
        let path = self.path(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let config: Config = toml::from_str(&text).map_err(|error| self.broken(CONFIG, &error))?;
        let features = self.dir.join(config.run.features);
        if features.exists() {
            return Ok(features);
        }
        let reason =
            format!("its features are no longer at {}; say where with --features", features.display());
        Err(Error::Run { path: self.dir.clone(), reason })
    }

    /// The segments of a store that `split.csv` puts into the test part.
    fn test_segments(&self, store: &FeatureStore) -> Result<Vec<usize>, Error> {
        let tracks: HashMap<&str, usize> =
            store.tracks().iter().enumerate().map(|(number, track)| (track.path.as_str(), number)).collect();
        let mut reader =
            csv::Reader::from_path(self.path(SPLIT)).map_err(|error| self.broken(SPLIT, &error))?;
        let mut segments = Vec::new();
        for row in reader.deserialize() {
            let row: SplitRow = row.map_err(|error| self.broken(SPLIT, &error))?;
            if row.part != Part::Test {
                continue;
            }
            let Some(&track) = tracks.get(row.path.as_str()) else {
                let reason = format!(
                    "the features have no track {}; give the store that the run was trained on",
                    row.path
                );
                return Err(Error::Run { path: self.dir.clone(), reason });
            };
            let of_track = store.segments_of(track);
            match row.segment {
                None => segments.extend(of_track),
                Some(segment) => segments.extend(of_track.into_iter().nth(segment)),
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn broken(&self, name: &str, error: &dyn std::fmt::Display) -> Error {
        Error::Run { path: self.path(name), reason: error.to_string() }
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

fn split_csv(trained: &Trained, store: &FeatureStore) -> Result<Vec<u8>, Error> {
    let split = &trained.split.split;
    let row = |number: usize, segment: Option<usize>, part: Part| {
        let track = &store.tracks()[number];
        let label = store.labels()[track.label].clone();
        let (group, recording) = (track.group.clone(), track.recording.clone());
        SplitRow { path: track.path.clone(), segment, label, group, recording, part }
    };
    let rows = split.parts.iter().enumerate().map(|(number, &part)| match split.unit {
        Unit::Track | Unit::Group => row(number, None, part),
        Unit::Segment => {
            let track = store.track_of(number);
            row(track, Some(number - store.segments_of(track).start), part)
        }
    });
    let unwritable = |error: csv::Error| Error::Unwritable { reason: error.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(unwritable)?;
    }
    writer.into_inner().map_err(|error| Error::Unwritable { reason: error.to_string() })
}

/// A row for each epoch, from 1, under Keras's keys.
fn history_csv(history: &History) -> String {
    let columns: Vec<_> = history.columns().collect();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!("epoch,{}\n", names.join(","));
    for epoch in 0..history.n_epochs() {
        let values: Vec<_> = columns.iter().map(|(_, values)| values[epoch].to_string()).collect();
        text += &format!("{},{}\n", epoch + 1, values.join(","));
    }
    text
}
