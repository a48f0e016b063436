//! A loaded model with its rendered pictures and, if it comes from a run folder, the report of that run.

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use cantus::Provenance;
use cantus::Run;
use cantus::report::EvaluationReport;
use cantus::{Calibration, Model, Task};
use cantus_audio::regular_file;
use cantus_nn::Architecture;
use cantus_plot::{Picture, Theme};
use serde::Serialize;

use crate::Error;

/// A model to serve, with its name in the API.
#[derive(Debug)]
pub struct ServedModel {
    name: String,
    model: Model,
    network: RenderedPicture,
    /// `None` if the model was loaded from a model file without a run folder.
    run: Option<RunDocuments>,
}

/// Report and pictures of a run folder.
#[derive(Debug)]
struct RunDocuments {
    report: EvaluationReport,
    report_page: Bytes,
    /// `None` for a tagging model.
    confusion_matrix: Option<RenderedPicture>,
    /// `None` for a cross-validation without a final training.
    history: Option<RenderedPicture>,
}

/// A picture as SVG in both colour themes, whose memory all responses share.
#[derive(Debug)]
struct RenderedPicture {
    light: Bytes,
    dark: Bytes,
}

impl RenderedPicture {
    fn new(picture: &Picture) -> Self {
        Self { light: picture.to_svg(Theme::Light).into(), dark: picture.to_svg(Theme::Dark).into() }
    }

    fn svg(&self, theme: Theme) -> Bytes {
        match theme {
            Theme::Light => self.light.clone(),
            Theme::Dark => self.dark.clone(),
        }
    }
}

/// The pictures of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelPicture {
    Network,
    ConfusionMatrix,
    History,
}

/// Description of a model for `GET /v1/models`.
#[derive(Debug, Serialize)]
pub(crate) struct ModelDescription<'a> {
    name: &'a str,
    task: Task,
    labels: &'a [String],
    features: &'a cantus_audio::feature::FeatureSpec,
    /// Duration of a segment, in seconds.
    segment_s: f64,
    n_parameters: usize,
    architecture: &'a Architecture,
    /// Layer table in the format of Keras's `model.summary()`.
    summary: String,
    calibration: Calibration,
    provenance: &'a Provenance,
    /// Paths of the documents and pictures that exist.
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

impl ServedModel {
    /// Loads a model file, or a run folder with its report and pictures. Without `name` it is named after the file or
    /// folder.
    ///
    /// # Errors
    /// If the model cannot be loaded, or files of the run folder are damaged.
    pub fn load(name: Option<&str>, path: &Path) -> Result<Self, Error> {
        let mut model = Model::load(path)?;
        // Concurrency comes from the worker threads; each prediction is single-threaded.
        model.network.set_threads(1);
        let name = name.map_or_else(|| default_name(path), str::to_owned);
        let network = RenderedPicture::new(&cantus_plot::network(&model.network.drawing()));
        let run = Run::open_if_reported(path)?.map(|run| RunDocuments::read(&run)).transpose()?;
        Ok(Self { name, model, network, run })
    }

    /// Name of the model in the API.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The loaded model.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// Whether the run folder of the model has a report.
    #[must_use]
    pub fn has_report(&self) -> bool {
        self.run.is_some()
    }

    pub(crate) fn report(&self) -> Option<&EvaluationReport> {
        self.run.as_ref().map(|run| &run.report)
    }

    /// The report as an HTML page.
    pub(crate) fn report_page(&self) -> Option<Bytes> {
        self.run.as_ref().map(|run| run.report_page.clone())
    }

    /// A picture as SVG, if the model has it.
    pub(crate) fn picture(&self, picture: ModelPicture, theme: Theme) -> Option<Bytes> {
        let run = self.run.as_ref();
        let rendered = match picture {
            ModelPicture::Network => Some(&self.network),
            ModelPicture::ConfusionMatrix => run.and_then(|run| run.confusion_matrix.as_ref()),
            ModelPicture::History => run.and_then(|run| run.history.as_ref()),
        };
        rendered.map(|rendered| rendered.svg(theme))
    }

    pub(crate) fn describe(&self) -> ModelDescription<'_> {
        let Model { labels, features, calibration, provenance, network, .. } = &self.model;
        let link = |of: &str| format!("/v1/models/{}/{of}", percent_encoded(&self.name));
        let run = self.run.as_ref();
        ModelDescription {
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
                confusion: run.and_then(|run| run.confusion_matrix.as_ref()).map(|_| link("confusion.svg")),
                history: run.and_then(|run| run.history.as_ref()).map(|_| link("history.svg")),
            },
        }
    }
}

impl RunDocuments {
    fn read(run: &Run) -> Result<Self, Error> {
        let page = run.path("report.html");
        let has_history = run.path("history.json").is_file();
        let report = run.report()?;
        let confusion_matrix = report.classes().map(|_| run.confusion_picture()).transpose()?;
        Ok(Self {
            report,
            report_page: regular_file::read_to_string(&page)
                .map_err(|source| Error::Io { path: page, source })?
                .into(),
            confusion_matrix: confusion_matrix.as_ref().map(RenderedPicture::new),
            history: has_history
                .then(|| run.history_picture())
                .transpose()?
                .as_ref()
                .map(RenderedPicture::new),
        })
    }
}

/// Name of the folder, or of the file without its extension; for `model.safetensors`, the name of its folder.
fn default_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    let named = match full.file_name() {
        Some(name) if name == Model::FILE_NAME => full.parent().and_then(Path::file_name),
        _ if full.is_dir() => full.file_name(),
        _ => full.file_stem(),
    };
    named.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A name as one segment of a URL path: all but the unreserved characters of RFC 3986, section 2.3 are encoded.
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
    fn any_name_is_encoded_as_one_path_segment() {
        assert_eq!(percent_encoded("my run/é"), "my%20run%2F%C3%A9");
        assert_eq!(percent_encoded("run-1_a.b~c"), "run-1_a.b~c");
    }

    #[test]
    fn the_default_name_is_that_of_the_folder_or_file() {
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
            assert_eq!(default_name(&path), name);
        }
    }
}
