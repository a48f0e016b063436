//! A model that is served, with what its run folder says of it.

use std::path::{Path, PathBuf};

use cantus_nn::Architecture;
use serde::Serialize;

use cantus::model_file::{self, Provenance};
use cantus::report::EvaluationReport;
use cantus::run::Run;
use cantus::{Calibration, Model, Task};

use crate::Error;
use cantus_plot::{Picture, Theme};

/// A model under its name, and what is known of it.
#[derive(Debug)]
pub struct Exhibit {
    name: String,
    model: Model,
    network: Drawn,
    /// Nothing where the model was given as a file alone.
    run: Option<RunSide>,
}

/// What a run folder has beside its model.
#[derive(Debug)]
struct RunSide {
    report: EvaluationReport,
    page: String,
    /// Tags have none.
    confusion: Option<Drawn>,
    /// A cross-validation without a history of its own has none.
    history: Option<Drawn>,
}

/// A picture as SVG, in light and in dark.
#[derive(Debug)]
struct Drawn {
    light: String,
    dark: String,
}

impl Drawn {
    fn new(picture: &Picture) -> Self {
        Self { light: picture.to_svg(Theme::Light), dark: picture.to_svg(Theme::Dark) }
    }

    fn svg(&self, theme: Theme) -> &str {
        match theme {
            Theme::Light => &self.light,
            Theme::Dark => &self.dark,
        }
    }
}

/// Which picture of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Network,
    Confusion,
    History,
}

/// A model in words and numbers, for `GET /v1/models`.
#[derive(Debug, Serialize)]
pub(super) struct Description<'a> {
    name: &'a str,
    task: Task,
    labels: &'a [String],
    features: &'a cantus_audio::feature::FeatureSpec,
    /// Length of a segment, in seconds.
    segment_s: f64,
    n_parameters: usize,
    architecture: &'a Architecture,
    /// The network as Keras prints it.
    summary: String,
    calibration: Calibration,
    provenance: &'a Provenance,
    /// Where more is to be had.
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
}

impl Exhibit {
    /// Loads a model file, or a run folder with its report and pictures, under the name that was given or else that of
    /// the file or folder.
    ///
    /// # Errors
    /// If the model cannot be loaded, or the run beside it is damaged.
    pub fn load(name: Option<&str>, path: &Path) -> Result<Self, Error> {
        let mut model = Model::load(path)?;
        // Requests share the threads; each is answered on one.
        model.network.set_threads(1);
        let name = name.map_or_else(|| name_of(path), str::to_owned);
        let network = Drawn::new(&cantus_plot::network(&model.network.drawing()));
        let run = Run::open_if_reported(path)?.map(|run| RunSide::read(&run)).transpose()?;
        Ok(Self { name, model, network, run })
    }

    /// What the model is called here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether there is a report beside the model.
    pub fn has_report(&self) -> bool {
        self.run.is_some()
    }

    pub(super) fn report(&self) -> Option<&EvaluationReport> {
        self.run.as_ref().map(|run| &run.report)
    }

    /// The report as a page.
    pub(super) fn page(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.page.as_str())
    }

    /// A picture as SVG, if there is one.
    pub(super) fn picture(&self, subject: Subject, theme: Theme) -> Option<&str> {
        let drawn = match subject {
            Subject::Network => Some(&self.network),
            Subject::Confusion => self.run.as_ref().and_then(|run| run.confusion.as_ref()),
            Subject::History => self.run.as_ref().and_then(|run| run.history.as_ref()),
        };
        drawn.map(|drawn| drawn.svg(theme))
    }

    pub(super) fn describe(&self) -> Description<'_> {
        let Model { labels, features, calibration, provenance, network, .. } = &self.model;
        let link = |of: &str| format!("/v1/models/{}/{of}", percent_encoded(&self.name));
        let run = self.run.as_ref();
        Description {
            name: &self.name,
            task: self.model.task(),
            labels,
            features,
            segment_s: features.segment_samples() as f64 / f64::from(features.sample_rate),
            n_parameters: network.n_parameters(),
            architecture: network.architecture(),
            summary: network.summary(),
            calibration: *calibration,
            provenance,
            links: Links {
                network: link("network.svg"),
                report: run.map(|_| link("report")),
                report_page: run.map(|_| link("report.html")),
                confusion: run.and_then(|run| run.confusion.as_ref()).map(|_| link("confusion.svg")),
                history: run.and_then(|run| run.history.as_ref()).map(|_| link("history.svg")),
            },
        }
    }
}

impl RunSide {
    fn read(run: &Run) -> Result<Self, Error> {
        let page = run.path("report.html");
        let has_history = run.path("history.json").is_file();
        let report = run.report()?;
        let confusion = report.classes().map(|_| run.confusion_picture()).transpose()?;
        Ok(Self {
            report,
            page: std::fs::read_to_string(&page).map_err(|source| Error::Io { path: page, source })?,
            confusion: confusion.as_ref().map(Drawn::new),
            history: has_history.then(|| run.history_picture()).transpose()?.as_ref().map(Drawn::new),
        })
    }
}

/// The folder's name, or the file's without its extension; of a folder's `model.safetensors`, the folder's.
fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    let named = match whole.file_name() {
        Some(name) if name == model_file::FILE_NAME => whole.parent().and_then(Path::file_name),
        _ if whole.is_dir() => whole.file_name(),
        _ => whole.file_stem(),
    };
    named.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A name as a part of an address (RFC 3986, section 2.3).
fn percent_encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_anything_in_it_is_one_part_of_an_address() {
        assert_eq!(percent_encoded("my run/é"), "my%20run%2F%C3%A9");
        assert_eq!(percent_encoded("run-1_a.b~c"), "run-1_a.b~c");
    }

    #[test]
    fn a_model_is_called_what_its_folder_or_file_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("my run");
        std::fs::create_dir(&run).unwrap();
        for (path, name) in [
            (run.clone(), "my run"),
            (run.join("model.safetensors"), "my run"),
            (run.join("genres.v2.safetensors"), "genres.v2"),
        ] {
            if path != run {
                std::fs::write(&path, "").unwrap();
            }
            assert_eq!(name_of(&path), name);
        }
    }
}
