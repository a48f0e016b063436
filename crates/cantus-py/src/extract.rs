//! Extraction of recordings into a feature store.

use std::path::{Path, PathBuf};

use cantus::{Recipe, input_files};
use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use cantus_dataset::audit::{Audit, Exclusions};
use cantus_dataset::{AuditMode, Catalog, Durations, ExtractOptions, Extraction, ListedRecording};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::embeddings::Embeddings;
use crate::errors::Failure;
use crate::feature_spec::{self, Changes};
use crate::progress::Progress;
use crate::segment_request::{self, SegmentRequest};

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(extract, module)?)
}

/// The arguments of `cantus.extract`.
#[derive(Deserialize)]
struct Request {
    source: Source,
    out: PathBuf,
    /// Its features and augmented copies; the course's features without one.
    recipe: Option<String>,
    #[serde(flatten)]
    embeddings: Embeddings,
    #[serde(flatten)]
    segments: SegmentRequest,
    features: Changes,
    /// Recipe whose augmented copies are extracted in place of those of `recipe`.
    augment: Option<String>,
    audit: AuditName,
    exclude: Option<PathBuf>,
    background: Option<PathBuf>,
    overwrite: bool,
    /// 0 for one for each processor.
    n_jobs: usize,
}

/// Recordings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    /// A folder of label folders, or a manifest.
    Path(PathBuf),
    List(Vec<Listed>),
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    label: String,
    group: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum AuditName {
    Note,
    Strict,
    Off,
}

/// Extracts recordings into a store; returns remarks on what was left out, each in a line.
#[pyfunction]
fn extract(py: Python<'_>, request: &str, on_progress: Option<Py<PyAny>>) -> PyResult<Vec<String>> {
    let request: Request = serde_json::from_str(request).map_err(|error| Failure::json(&error))?;
    let progress = Progress::new(on_progress);
    progress.run(py, || request.extract(&progress))
}

impl Request {
    fn extract(&self, progress: &Progress) -> Result<Vec<String>, Failure> {
        let mut catalog = self.source.catalog(self.background.as_deref())?;
        let mut remarks: Vec<String> =
            input_files::misnamed_remark(&catalog.ignored.misnamed).into_iter().collect();
        if let Some(list) = &self.exclude {
            remarks.extend(exclude(&mut catalog, list)?);
        }
        let recipe = feature_spec::recipe(self.recipe.as_deref(), &self.embeddings)?;
        let spec = self.spec(recipe.as_ref(), &catalog)?;
        let copies = match &self.augment {
            Some(name) => Some(Recipe::load(name)?.required_copies()?),
            None => recipe.map(|recipe| recipe.augmentation.copy_spec()).filter(|spec| spec.copies > 0),
        };
        let options =
            Options { copies, audit: self.audit.into(), overwrite: self.overwrite, n_jobs: self.n_jobs };
        remarks.extend(extract_catalog(&catalog, &spec, &self.out, options, progress)?);
        Ok(remarks)
    }

    /// The specification of the recipe with the changes, and segments that fit the recordings unless they are given.
    fn spec(&self, recipe: Option<&Recipe>, catalog: &Catalog) -> Result<FeatureSpec, Failure> {
        let (base, fits) = recipe
            .map_or((FeatureSpec::course(), true), |recipe| (recipe.features.clone(), recipe.fit_segments));
        let spec = feature_spec::changed(&base, &self.features)?;
        let segments = self.segments.changes();
        if self.features.contains_key("segments") {
            if !segments.is_empty() {
                let what = "segments are given twice: omit segment=, hop=, pad= and n_segments=, or 'segments' of features=";
                return Err(Failure::parameter(what));
            }
            return Ok(spec);
        }
        let choice = segments.choose(&spec, fits, &Durations::of_catalog(catalog))?;
        feature_spec::changed(&choice.spec, &self.features)
    }
}

impl Source {
    fn catalog(&self, background: Option<&Path>) -> Result<Catalog, Failure> {
        let list = match self {
            Self::Path(path) => return segment_request::open_catalog(path, background),
            Self::List(list) => list.iter().map(Listed::recording).collect(),
        };
        Ok(match background {
            Some(background) => Catalog::from_recordings_with_background(list, background)?,
            None => Catalog::from_recordings(list)?,
        })
    }
}

impl Listed {
    fn recording(&self) -> ListedRecording {
        let Self { path, label, group } = self;
        ListedRecording { path: path.clone(), label: label.clone(), group: group.clone() }
    }
}

impl From<AuditName> for AuditMode {
    fn from(name: AuditName) -> Self {
        match name {
            AuditName::Note => Self::Report,
            AuditName::Strict => Self::Strict,
            AuditName::Off => Self::Off,
        }
    }
}

/// Leaves out the files of a list; returns remarks on those that are not in the catalog.
fn exclude(catalog: &mut Catalog, list: &Path) -> Result<Vec<String>, Failure> {
    let exclusions = Exclusions::read(list)?;
    let unknown = catalog.exclude(&exclusions);
    if !exclusions.is_empty() && unknown.len() == exclusions.len() {
        return Err(Failure::parameter(format!(
            "{}: none of its paths is a track of {}; expected lines of path,reason",
            list.display(),
            catalog.root.display()
        )));
    }
    let remark =
        |path: &String| format!("{}: {path} is no track of {}", list.display(), catalog.root.display());
    Ok(unknown.iter().map(remark).collect())
}

/// Options of an extraction beside the recordings and the specification.
pub struct Options {
    /// Augmented copies of each track.
    pub copies: Option<AugmentSpec>,
    /// What to do with issues.
    pub audit: AuditMode,
    /// Whether a store with other settings is replaced.
    pub overwrite: bool,
    /// Number of threads; 0 for one for each processor.
    pub n_jobs: usize,
}

/// Extracts the recordings of a catalog and shows the progress; returns remarks on what was left out.
///
/// # Errors
/// Those of [`cantus_dataset::extract`].
pub fn extract_catalog(
    catalog: &Catalog,
    spec: &FeatureSpec,
    out: &Path,
    options: Options,
    progress: &Progress,
) -> Result<Vec<String>, Failure> {
    spec.validate()?;
    let options = ExtractOptions {
        jobs: options.n_jobs,
        augmentation: options.copies,
        overwrite: options.overwrite,
        cancel: progress.stop().clone(),
        audit: options.audit,
        shard: None,
    };
    let on_progress = |event: cantus_dataset::Progress<'_>| {
        progress.show_recording(event.n_done, event.n_tracks, event.path);
    };
    let extraction = cantus_dataset::extract(catalog, spec, out, &options, &on_progress)?;
    let of_spec = spec.warnings(spec.segment_samples()).into_iter().map(|warning| warning.to_string());
    Ok(of_spec.chain(remarks(&extraction)).collect())
}

/// Remarks on failures, damage and issues.
fn remarks(extraction: &Extraction) -> Vec<String> {
    let Extraction { failures, warnings, n_tracks, audit, .. } = extraction;
    let failures = failures.first().map(|first| {
        format!(
            "{} of {} recordings have no features; the first: {}: {}",
            failures.len(),
            n_tracks + failures.len(),
            first.path,
            first.reason
        )
    });
    let damage = warnings.first().map(|first| {
        format!("{} recordings are damaged; the first: {}: {}", warnings.len(), first.path, first.reason)
    });
    let audit = audit.as_ref().and_then(Audit::summary).map(|summary| format!("audit: {summary}"));
    [failures, damage, audit].into_iter().flatten().collect()
}
