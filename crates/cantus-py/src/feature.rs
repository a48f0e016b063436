//! Features of signals and of spectrograms: every kind of a feature specification.

use std::cell::RefCell;

use cantus_audio::feature::delta::Delta;
use cantus_audio::feature::tonnetz::{N_TONNETZ, Tonnetz};
use cantus_audio::feature::tuning::TuningEstimator;
use cantus_audio::feature::{
    FeatureExtractor, FeatureSpec, SegmentWindows, Segments, SpectrogramInput, TrackFeature, TrackFeatureKind,
};
use pyo3::prelude::*;

use crate::arrays::{self, Array};
use crate::errors::Failure;
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(features, module)?)?;
    module.add_function(wrap_pyfunction!(spectrogram_features, module)?)?;
    module.add_function(wrap_pyfunction!(track_feature, module)?)?;
    module.add_function(wrap_pyfunction!(delta, module)?)?;
    module.add_function(wrap_pyfunction!(tonnetz, module)?)?;
    module.add_function(wrap_pyfunction!(estimate_tuning, module)?)
}

/// The features of a specification, `(..., n_bins, n_frames)`, of a signal `(..., n)`.
#[pyfunction]
fn features<'py>(py: Python<'py>, y: &Bound<'py, PyAny>, spec: &str) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let (rows, n_bins) = gil::detached(py, || of_signal(&signal, spec))?;
    arrays::frames(py, rows, n_bins, signal.channels())
}

/// The same of a spectrogram `(..., n_bins, n_frames)`, which is `magnitude`, `mel` or `log_mel`.
#[pyfunction]
fn spectrogram_features<'py>(
    py: Python<'py>,
    spectrogram: &Bound<'py, PyAny>,
    stage: &str,
    spec: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let input = arrays::spectrogram(spectrogram, "S")?;
    let (rows, n_bins) = gil::detached(py, || of_spectrogram(&input, stage, spec))?;
    arrays::frames(py, rows, n_bins, input.outer_shape())
}

/// A feature of a whole signal `(n,)`: its values and their positions, in seconds or Hz.
#[pyfunction]
fn track_feature<'py>(
    py: Python<'py>,
    y: &Bound<'py, PyAny>,
    kind: &str,
    spec: &str,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let signal = arrays::signal(y, "y")?;
    let TrackFeature { values, positions } = gil::detached(py, || {
        let spec = planned_for(&signal, spec)?;
        let kind = TrackFeatureKind::ALL.iter().find(|other| other.name() == kind);
        let kind = kind.ok_or_else(|| Failure::internal("no such feature of a track"))?;
        Ok(kind.compute(&signal.values, &spec)?)
    })?;
    let shapes = [values.len(), positions.len()];
    Ok((arrays::array(py, values, &shapes[..1])?, arrays::array(py, positions, &shapes[1..])?))
}

/// Derivatives along the last axis of `(..., n_bins, n_frames)`.
#[pyfunction]
fn delta<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
    width: usize,
    order: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let input = arrays::spectrogram(data, "data")?;
    let n_bins = input.n_columns();
    let rows = gil::detached(py, || {
        let plan = Delta::new(width, order);
        let mut deltas = vec![0.0; input.values.len()];
        let n_values = input.n_values_of_matrix();
        for (values, deltas) in input.matrices().zip(deltas.chunks_exact_mut(n_values)) {
            plan.apply(values, n_bins, deltas.chunks_exact_mut(n_bins));
        }
        Ok(deltas)
    })?;
    arrays::columns(py, rows, &input.shape)
}

/// The tonal centroid `(..., 6, n_frames)` of chroma `(..., n_chroma, n_frames)`.
#[pyfunction]
fn tonnetz<'py>(py: Python<'py>, chroma: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let input = arrays::spectrogram(chroma, "chroma")?;
    let rows = gil::detached(py, || {
        let plan = Tonnetz::new(input.n_columns());
        let mut rows = vec![0.0; input.values.len() / input.n_columns() * N_TONNETZ];
        input.rows().zip(rows.chunks_exact_mut(N_TONNETZ)).for_each(|(frame, row)| plan.apply(frame, row));
        Ok(rows)
    })?;
    arrays::frames(py, rows, N_TONNETZ, input.outer_shape())
}

/// The tuning of a spectrogram `(n_bins, n_frames)`, in fractions of a bin.
#[pyfunction]
fn estimate_tuning(
    py: Python<'_>,
    spectrogram: &Bound<'_, PyAny>,
    sr: u32,
    bins_per_octave: usize,
) -> PyResult<f64> {
    let input = arrays::spectrogram(spectrogram, "S")?;
    gil::detached(py, || {
        let n_fft = 2 * (input.n_columns() - 1).max(1);
        let mut estimator = TuningEstimator::new(sr, n_fft, bins_per_octave);
        input.rows().for_each(|frame| estimator.add(frame));
        Ok(estimator.tuning())
    })
}

/// The specification of a JSON document, validated for a signal of `(..., n)`.
///
/// # Errors
/// If a parameter is out of range, or the signal is shorter than a frame.
pub fn planned_for(signal: &Array<f32>, spec: &str) -> Result<FeatureSpec, Failure> {
    let spec = planned(spec, signal.n_columns())?;
    spec.validate_length(signal.n_columns())?;
    Ok(spec)
}

/// The same for a signal of `n_samples` of any length.
///
/// # Errors
/// If a parameter is out of range.
pub fn planned(spec: &str, n_samples: usize) -> Result<FeatureSpec, Failure> {
    let mut spec: FeatureSpec = serde_json::from_str(spec).map_err(|error| Failure::json(&error))?;
    let n_longest = n_samples.max(spec.hop_length).max(spec.n_fft);
    let duration_s = n_longest as f64 / f64::from(spec.sample_rate.max(1));
    spec.segments = Segments::Windows(SegmentWindows::adjacent(duration_s));
    spec.validate()?;
    Ok(spec)
}

/// The rows of all channels, and their number of bins.
fn of_signal(signal: &Array<f32>, spec: &str) -> Result<(Vec<f32>, usize), Failure> {
    let mut planned = PlannedExtractor::new(signal, spec)?;
    let mut rows = Vec::new();
    gil::for_each(signal.rows(), |channel| {
        let features = planned.extractor.extract(channel);
        arrays::append(&mut rows, features.values);
        Ok(())
    })?;
    let n_bins = planned.extractor.spec().n_bins();
    planned.keep();
    Ok((rows, n_bins))
}

/// Most samples of a signal whose extractor is kept with its buffers: 47 s at 22,050 Hz, of which a spectrogram of librosa's frames
/// has 8.4 MB (2,049 frames of 1,025 f32); some features have several.
const LONGEST_KEPT: usize = 1 << 20;

thread_local! {
    /// The extractor of the last call on this thread, for the next signal of the same length: planning, and memory that the
    /// operating system has to clear, take longer than the transforms of a short signal.
    static KEPT: RefCell<Option<PlannedExtractor>> = const { RefCell::new(None) };
}

/// An extractor, and what it was planned for.
struct PlannedExtractor {
    spec: String,
    n_samples: usize,
    extractor: FeatureExtractor,
}

impl PlannedExtractor {
    /// That of the last call, if it was planned for the same, or a new one.
    fn new(signal: &Array<f32>, spec: &str) -> Result<Self, Failure> {
        let n_samples = signal.n_columns();
        let kept = KEPT.take().filter(|kept| kept.n_samples == n_samples && kept.spec == spec);
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let extractor = planned_for(signal, spec)?.extractor()?;
        Ok(Self { spec: spec.to_owned(), n_samples, extractor })
    }

    /// Keeps it for the next call.
    fn keep(self) {
        if self.n_samples <= LONGEST_KEPT {
            KEPT.set(Some(self));
        }
    }
}

fn of_spectrogram(input: &Array<f32>, stage: &str, spec: &str) -> Result<(Vec<f32>, usize), Failure> {
    let spec = planned(spec, 0)?;
    check_n_bins(&spec, stage, input.n_columns())?;
    let mut extractor = spec.extractor()?;
    let mut rows = Vec::new();
    gil::for_each(input.matrices(), |channel| {
        let spectrogram = match stage {
            "magnitude" => SpectrogramInput::Magnitude(channel),
            "mel" => SpectrogramInput::Mel(channel),
            _ => SpectrogramInput::LogMel(channel),
        };
        arrays::append(&mut rows, extractor.extract_spectrogram(spectrogram)?.values);
        Ok(())
    })?;
    Ok((rows, extractor.spec().n_bins()))
}

/// A spectrogram has as many bins as its specification says.
fn check_n_bins(spec: &FeatureSpec, stage: &str, found: usize) -> Result<(), Failure> {
    let expected = if stage == "magnitude" { spec.n_fft / 2 + 1 } else { spec.n_mels };
    if found == expected {
        return Ok(());
    }
    Err(Failure::parameter(format!("S has {found} bins; expected {expected}, as n_fft = {}", spec.n_fft)))
}
