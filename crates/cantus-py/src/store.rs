//! Feature stores.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use cantus_dataset::{FeatureStore, Track};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::{arrays, feature_spec, gil};

/// Adds the class of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NativeStore>()?;
    module.add_function(wrap_pyfunction!(is_store, module)?)
}

/// A feature store that is open.
#[pyclass(frozen)]
struct NativeStore {
    store: FeatureStore,
}

/// Path, names of the labels, group and number of segments of a track.
type TrackFields = (String, Vec<String>, Option<String>, usize);

#[pymethods]
impl NativeStore {
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        // Parts are read in parallel, which only a pool of the call may do: there may have been a fork.
        let store = gil::interruptible(py, &AtomicBool::new(false), || Ok(FeatureStore::open(&path)?))?;
        Ok(Self { store })
    }

    #[getter]
    fn labels(&self) -> Vec<String> {
        self.store.labels().to_vec()
    }

    #[getter]
    fn is_tagged(&self) -> bool {
        self.store.is_tagged()
    }

    #[getter]
    fn n_segments(&self) -> usize {
        self.store.n_segments()
    }

    /// Frames and bins of a segment.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.store.n_frames(), self.store.n_bins())
    }

    #[getter]
    fn spec(&self) -> PyResult<String> {
        Ok(feature_spec::to_json(self.store.spec())?)
    }

    /// Path and reason of each recording without features.
    #[getter]
    fn failures(&self) -> Vec<(String, String)> {
        self.store.failures().iter().map(|failure| (failure.path.clone(), failure.reason.clone())).collect()
    }

    #[getter]
    fn tracks(&self) -> Vec<TrackFields> {
        self.store.tracks().iter().enumerate().map(|(index, track)| self.fields(index, track)).collect()
    }

    /// The track of each segment, `[n_segments]`.
    fn track_of_segments<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let tracks: Vec<i64> =
            (0..self.store.n_segments()).map(|segment| self.store.track_of(segment) as i64).collect();
        tracks.into_pyarray(py)
    }

    /// The features of all segments, `[n_segments, n_frames, n_bins]`.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let segments: Vec<usize> = (0..self.store.n_segments()).collect();
        let stop = AtomicBool::new(false);
        let values = gil::interruptible(py, &stop, || Ok(self.store.read_segments(&segments)?))?;
        arrays::array(py, values, &[segments.len(), self.store.n_frames(), self.store.n_bins()])
    }
}

impl NativeStore {
    fn fields(&self, index: usize, track: &Track) -> TrackFields {
        let labels =
            track.labels.iter().filter_map(|&label| self.store.labels().get(label).cloned()).collect();
        (track.path.clone(), labels, track.group.clone(), self.store.segments_of(index).len())
    }
}

/// Whether the folder holds a feature store.
#[pyfunction]
fn is_store(path: PathBuf) -> bool {
    FeatureStore::is_store(&path)
}
