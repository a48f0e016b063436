//! Trained models: loading, prediction, export.

use std::path::{Path, PathBuf};

use cantus::export::{Input, OnnxExport};
use cantus::{Model, Prediction, Predictor, Task};
use cantus_audio::atomic_file;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use rayon::prelude::*;

use crate::errors::Failure;
use crate::progress::Progress;
use crate::recording::{Argument, Recording};
use crate::{arrays, feature_spec, gil};

/// Adds the class of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NativeModel>()
}

/// A trained model.
#[pyclass(frozen)]
pub struct NativeModel {
    model: Model,
}

impl From<Model> for NativeModel {
    fn from(model: Model) -> Self {
        Self { model }
    }
}

#[pymethods]
impl NativeModel {
    /// A model file, or the model of a run folder.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        gil::detached(py, || Ok(Model::load(&path)?.into()))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        gil::detached(py, || Ok(Model::from_bytes(bytes, Path::new("the model"))?.into()))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = gil::detached(py, || Ok(self.model.to_bytes()?))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        gil::detached(py, || Ok(self.model.save(&path)?))
    }

    #[getter]
    fn labels(&self) -> Vec<String> {
        self.model.labels.clone()
    }

    /// `"classification"` or `"tagging"`.
    #[getter]
    fn task(&self) -> &'static str {
        match self.model.task() {
            Task::Classification => "classification",
            Task::Tagging => "tagging",
        }
    }

    #[getter]
    fn spec(&self) -> PyResult<String> {
        Ok(feature_spec::to_json(&self.model.features)?)
    }

    /// Recipe, seed, checksum of the data, tracks in the training part.
    #[getter]
    fn provenance(&self) -> (String, u64, String, usize) {
        let provenance = &self.model.provenance;
        let (recipe, data) = (provenance.recipe.clone(), provenance.data_sha256.clone());
        (recipe, provenance.seed, data, provenance.n_training_tracks)
    }

    /// Frames and bins of a segment.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.model.features.frames_per_segment(), self.model.features.n_bins())
    }

    fn summary(&self) -> String {
        self.model.network.summary()
    }

    /// The prediction of each recording, or the exception of one that cannot be predicted.
    #[pyo3(signature = (recordings, on_progress=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        recordings: Vec<Argument<'py>>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let recordings: Vec<Recording> =
            recordings.into_iter().map(Argument::recording).collect::<PyResult<_>>()?;
        let progress = Progress::new(on_progress);
        let predictions = progress.run(py, || self.predict_all(&recordings, &progress))?;
        let values = predictions.into_iter().map(|prediction| match prediction {
            Ok(prediction) => Ok(fields(py, prediction)?.into_any()),
            Err(failure) => Ok(PyErr::from(failure).into_value(py).into_bound(py).into_any()),
        });
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// Probabilities `[n_segments, n_labels]` of features `[n_segments, n_frames, n_bins]`.
    fn predict_features<'py>(
        &self,
        py: Python<'py>,
        features: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let segments = arrays::signal(&features, "features")?.values;
        let probabilities = gil::detached(py, || Ok(self.model.predict_segments(&segments)?))?;
        let n_labels = self.model.labels.len();
        let shape = [probabilities.len() / n_labels.max(1), n_labels];
        arrays::array(py, probabilities, &shape)
    }

    /// Writes an ONNX file, whose input is features or samples.
    fn export_onnx(&self, py: Python<'_>, path: PathBuf, takes_samples: bool) -> PyResult<()> {
        let input = if takes_samples { Input::Samples } else { Input::Features };
        gil::detached(py, || {
            let bytes = OnnxExport { model: &self.model, input }.to_bytes()?;
            atomic_file::write(&path, &bytes).map_err(|source| Failure::system(&path, source))
        })
    }
}

impl NativeModel {
    /// Predicts recordings in parallel; each thread has a predictor of its own.
    fn predict_all(
        &self,
        recordings: &[Recording],
        progress: &Progress,
    ) -> Result<Vec<Result<Prediction, Failure>>, Failure> {
        self.model.predictor()?;
        let n_done = std::sync::atomic::AtomicUsize::new(0);
        let predict = |predictor: &mut Option<_>, recording: &Recording| {
            if progress.is_stopped() {
                return Err(Failure::parameter("stopped"));
            }
            let predictor = match predictor {
                Some(predictor) => predictor,
                None => predictor.insert(self.model.predictor()?),
            };
            let prediction = predict_one(predictor, recording);
            let n_done = n_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.show_recording(n_done, recordings.len(), &recording.name().to_string_lossy());
            prediction
        };
        Ok(recordings.par_iter().with_max_len(1).map_init(|| None, predict).collect())
    }
}

fn predict_one(predictor: &mut Predictor<'_>, recording: &Recording) -> Result<Prediction, Failure> {
    if let Recording::Samples(name, audio) = recording {
        return Ok(predictor.predict_audio(name, audio)?);
    }
    let decoder = recording.decoder()?.ok_or_else(|| Failure::internal("a recording without a decoder"))?;
    Ok(predictor.predict(recording.name(), decoder)?)
}

/// Label, probability, probabilities `[n_labels]`, tags, duration in seconds, probabilities of the segments
/// `[n_segments, n_labels]`, their starts and ends in seconds, warnings.
fn fields(py: Python<'_>, prediction: Prediction) -> PyResult<Bound<'_, PyTuple>> {
    let Prediction { label, probability, probabilities, tags, duration_s, segments, warnings } = prediction;
    let probabilities: Vec<f32> = probabilities.0.into_iter().map(|(_, probability)| probability).collect();
    let shape = [segments.len(), probabilities.len()];
    let (starts, ends): (Vec<f64>, Vec<f64>) =
        segments.iter().map(|segment| (segment.start_s, segment.end_s)).unzip();
    let of_segments = segments.into_iter().flat_map(|segment| segment.probabilities).collect();
    let times = |times: Vec<f64>| -> Bound<'_, PyArray1<f64>> { times.into_pyarray(py) };
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    (
        label,
        probability,
        probabilities.into_pyarray(py),
        tags,
        duration_s,
        arrays::array(py, of_segments, &shape)?,
        times(starts),
        times(ends),
        warnings,
    )
        .into_pyobject(py)
}
