//! Filter banks and window functions.

use cantus_audio::feature::SpecWarning;
use cantus_audio::feature::chroma_stft::ChromaFilterBank;
use cantus_audio::feature::mel::MelFilterBank;
use pyo3::prelude::*;

use crate::arrays;
use crate::feature::planned;
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(mel_filters, module)?)?;
    module.add_function(wrap_pyfunction!(empty_mel_bands, module)?)?;
    module.add_function(wrap_pyfunction!(chroma_filters, module)?)?;
    module.add_function(wrap_pyfunction!(window, module)?)
}

/// The mel filters of a specification: `(n_mels, n_fft / 2 + 1)`.
#[pyfunction]
fn mel_filters<'py>(py: Python<'py>, spec: &str) -> PyResult<Bound<'py, PyAny>> {
    let (weights, shape) = gil::detached(py, || {
        let config = planned(spec, 0)?.mel_config();
        let filters = MelFilterBank::new(&config);
        Ok((filters.to_dense(), [filters.n_mels(), filters.n_bins()]))
    })?;
    arrays::array(py, weights, &shape)
}

/// A warning about mel bands of a specification that contain no bin of the FFT, if there are any.
#[pyfunction]
fn empty_mel_bands(py: Python<'_>, spec: &str) -> PyResult<Option<String>> {
    gil::detached(py, || {
        let warnings = planned(spec, 0)?.warnings(0).into_iter();
        let mut empty = warnings.filter(|warning| matches!(warning, SpecWarning::EmptyMelBands { .. }));
        Ok(empty.next().map(|warning| warning.to_string()))
    })
}

/// The chroma filters of a specification with the kind `chroma_stft`: `(n_chroma, n_fft / 2 + 1)`.
#[pyfunction]
fn chroma_filters<'py>(py: Python<'py>, spec: &str) -> PyResult<Bound<'py, PyAny>> {
    let (weights, shape) = gil::detached(py, || {
        let config = planned(spec, 0)?.chroma_stft_config();
        let filters = ChromaFilterBank::new(&config, config.tuning.unwrap_or(0.0));
        Ok((filters.to_dense(), [config.n_fft / 2 + 1, config.n_chroma]))
    })?;
    arrays::columns(py, weights, &shape)
}

/// The weights of a specification's window of `n` samples, in double precision.
#[pyfunction]
fn window<'py>(py: Python<'py>, spec: &str, n: usize) -> PyResult<Bound<'py, PyAny>> {
    let weights = gil::detached(py, || Ok(planned(spec, 0)?.window.weights(n)))?;
    arrays::array(py, weights, &[n])
}
