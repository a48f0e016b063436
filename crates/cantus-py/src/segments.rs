//! Features of the segments of recordings, without a store.

use cantus_audio::feature::{FeatureExtractor, FeatureKind, FeatureSpec};
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::embeddings::Embeddings;
use crate::errors::Failure;
use crate::feature_spec::{self, Changes};
use crate::progress::Progress;
use crate::recording::{Argument, Recording};
use crate::{arrays, gil};

/// Adds the class of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NativeExtractor>()
}

/// A planned specification of features.
#[pyclass(frozen)]
struct NativeExtractor {
    extractor: FeatureExtractor,
}

/// The features of all segments of all recordings, the number of segments of each, and why it has none.
type SegmentsOf<'py> = (Bound<'py, PyAny>, Vec<usize>, Vec<Option<String>>);

#[pymethods]
impl NativeExtractor {
    /// The features of a recipe, or the lecture course's, with embedding models and changes as JSON.
    #[new]
    fn new(py: Python<'_>, recipe: Option<&str>, changes: &str, embedding: Vec<String>) -> PyResult<Self> {
        let embeddings = Embeddings { embedding, embedding_by_reference: false };
        let changes: Changes = serde_json::from_str(changes).map_err(|error| Failure::json(&error))?;
        let extractor = gil::detached(py, || {
            let recipe = feature_spec::recipe(recipe, &embeddings)?;
            let base = recipe.map_or_else(FeatureSpec::course, |recipe| recipe.features);
            Ok(feature_spec::changed(&base, &changes)?.extractor()?)
        })?;
        Ok(Self { extractor })
    }

    #[getter]
    fn spec(&self) -> PyResult<String> {
        Ok(feature_spec::to_json(self.extractor.spec())?)
    }

    /// Frames and bins of a segment.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        let spec = self.extractor.spec();
        (spec.frames_per_segment(), spec.n_bins())
    }

    /// What of the specification does not fit its segments, each in a line.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        let spec = self.extractor.spec();
        spec.warnings(spec.segment_samples()).iter().map(ToString::to_string).collect()
    }

    /// Names of the bins, `[n_bins]`.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let names = |(kind, range): (FeatureKind, std::ops::Range<usize>)| {
            let is_one = range.len() == 1;
            range.enumerate().map(move |(bin, _)| match is_one {
                true => kind.name().to_owned(),
                false => format!("{}_{bin}", kind.name()),
            })
        };
        self.extractor.spec().columns().flat_map(names).collect()
    }

    /// Features `[n_segments, n_frames, n_bins]` of the segments of all recordings; one that fails has none.
    fn extract<'py>(&self, py: Python<'py>, recordings: Vec<Argument<'py>>) -> PyResult<SegmentsOf<'py>> {
        let recordings: Vec<Recording> =
            recordings.into_iter().map(Argument::recording).collect::<PyResult<_>>()?;
        let progress = Progress::new(None);
        let results = progress.run(py, || Ok(self.extract_all(&recordings, &progress)))?;
        let counts = results.iter().map(|result| result.as_ref().map_or(0, |(n_segments, _)| *n_segments));
        let counts: Vec<usize> = counts.collect();
        let failures = results.iter().map(|result| result.as_ref().err().cloned()).collect();
        let values: Vec<f32> = results.into_iter().flatten().flat_map(|(_, features)| features).collect();
        let (n_frames, n_bins) = self.shape();
        let features = arrays::array(py, values, &[counts.iter().sum(), n_frames, n_bins])?;
        Ok((features, counts, failures))
    }
}

/// Number of segments, and their features.
type Segmented = Result<(usize, Vec<f32>), String>;

impl NativeExtractor {
    /// Extracts recordings in parallel; each thread has an extractor of its own.
    fn extract_all(&self, recordings: &[Recording], progress: &Progress) -> Vec<Segmented> {
        let extract = |extractor: &mut FeatureExtractor, recording: &Recording| {
            if progress.is_stopped() { Err("stopped".to_owned()) } else { extract_one(extractor, recording) }
        };
        recordings.par_iter().with_max_len(1).map_init(|| self.extractor.clone(), extract).collect()
    }
}

fn extract_one(extractor: &mut FeatureExtractor, recording: &Recording) -> Segmented {
    let sample_rate = extractor.spec().sample_rate;
    let loaded = recording.load(sample_rate).map_err(|failure| without_name(&failure.message(), recording));
    let (audio, warnings) = loaded?;
    let max_segments = extractor.spec().segments.max_per_track();
    let segments = extractor.segment(&audio, max_segments);
    let segments = segments.map_err(|error| error.explained_by(&warnings).to_string())?;
    Ok((segments.n_segments, segments.features))
}

/// A message without the path of the recording, which stands beside it.
fn without_name(message: &str, recording: &Recording) -> String {
    message.strip_prefix(&format!("{}: ", recording.name().display())).unwrap_or(message).to_owned()
}
