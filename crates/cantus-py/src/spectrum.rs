//! The STFT and its inverse, the constant-Q transform, separation masks, and decibels.

use cantus_audio::transform::decibel::{Decibel, Reference, amplitude_to_db, power_to_db};
use cantus_audio::transform::fourier::n_bins;
use cantus_audio::transform::{Cqt, CqtConfig, Hpss, Stft};
use pyo3::prelude::*;

use crate::arrays;
use crate::errors::Failure;
use crate::feature::{planned, planned_for};
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(stft, module)?)?;
    module.add_function(wrap_pyfunction!(istft, module)?)?;
    module.add_function(wrap_pyfunction!(cqt, module)?)?;
    module.add_function(wrap_pyfunction!(hpss_masks, module)?)?;
    module.add_function(wrap_pyfunction!(to_db, module)?)
}

/// The STFT `(..., n_fft / 2 + 1, n_frames)` of a signal `(..., n)`, with the framing of a specification.
#[pyfunction]
fn stft<'py>(py: Python<'py>, y: &Bound<'py, PyAny>, spec: &str) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let (rows, n_bins) = gil::detached(py, || {
        let mut plan = Stft::new(planned_for(&signal, spec)?.stft_config())?;
        let mut rows = Vec::new();
        gil::for_each(signal.rows(), |channel| {
            arrays::append(&mut rows, plan.transform(channel));
            Ok(())
        })?;
        Ok((rows, plan.n_bins()))
    })?;
    arrays::frames(py, rows, n_bins, signal.channels())
}

/// The signal `(..., n)` of an STFT `(..., n_fft / 2 + 1, n_frames)`; of `length` samples, or as many as the frames cover.
#[pyfunction]
fn istft<'py>(
    py: Python<'py>,
    stft_matrix: &Bound<'py, PyAny>,
    spec: &str,
    length: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let input = arrays::complex_spectrogram(stft_matrix, "stft_matrix")?;
    let outer = input.outer_shape();
    let n_frames = input.n_values_of_matrix() / input.n_columns();
    let (samples, n_samples) = gil::detached(py, || {
        let config = planned(spec, 0)?.stft_config();
        if input.n_columns() != n_bins(config.n_fft) {
            let (found, n_fft) = (input.n_columns(), config.n_fft);
            return Err(Failure::parameter(format!("stft_matrix has {found} bins, but n_fft = {n_fft}")));
        }
        let padding = if config.center { 2 * (config.n_fft / 2) } else { 0 };
        let covered = (config.n_fft + config.hop_length * (n_frames - 1)).saturating_sub(padding);
        let n_samples = length.unwrap_or(covered);
        let mut plan = Stft::new(config)?;
        let mut samples = Vec::new();
        gil::for_each(input.matrices(), |channel| {
            arrays::append(&mut samples, plan.inverse(channel, n_samples));
            Ok(())
        })?;
        Ok((samples, n_samples))
    })?;
    arrays::array(py, samples, &[outer, &[n_samples]].concat())
}

/// The constant-Q transform `(..., n_bins, n_frames)` of a signal `(..., n)`, with the table `cqt` of a specification.
#[pyfunction]
fn cqt<'py>(py: Python<'py>, y: &Bound<'py, PyAny>, spec: &str) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let (rows, n_bins) = gil::detached(py, || {
        let spec = planned_for(&signal, spec)?;
        let config = CqtConfig {
            sample_rate: spec.sample_rate,
            hop_length: spec.hop_length,
            window: spec.window,
            pad_mode: spec.pad_mode,
            ..spec.cqt
        };
        let mut plan = Cqt::new(config)?;
        let mut rows = Vec::new();
        gil::for_each(signal.rows(), |channel| {
            arrays::append(&mut rows, plan.transform(channel));
            Ok(())
        })?;
        Ok((rows, plan.config().n_bins))
    })?;
    arrays::frames(py, rows, n_bins, signal.channels())
}

/// The harmonic and the percussive mask of magnitudes `(..., n_bins, n_frames)`, with the table `hpss` of a specification.
#[pyfunction]
fn hpss_masks<'py>(
    py: Python<'py>,
    magnitude: &Bound<'py, PyAny>,
    spec: &str,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let input = arrays::spectrogram(magnitude, "S")?;
    let (harmonic, percussive) = gil::detached(py, || {
        let mut plan = Hpss::new(planned(spec, 0)?.hpss)?;
        let (mut harmonic, mut percussive) = (Vec::new(), Vec::new());
        gil::for_each(input.matrices(), |channel| {
            let masks = plan.masks(channel, input.n_columns());
            harmonic.extend_from_slice(masks.0);
            percussive.extend_from_slice(masks.1);
            Ok(())
        })?;
        Ok((harmonic, percussive))
    })?;
    Ok((arrays::columns(py, harmonic, &input.shape)?, arrays::columns(py, percussive, &input.shape)?))
}

/// Levels in dB of powers or amplitudes of any shape.
#[pyfunction]
fn to_db<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyAny>,
    is_power: bool,
    reference: f32,
    amin: f32,
    top_db: Option<f32>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut input = arrays::signal(values, "S")?;
    gil::detached(py, || {
        let decibel = Decibel { reference: Reference::Value(reference), amin, top_db };
        let convert = if is_power { power_to_db } else { amplitude_to_db };
        convert(&mut input.values, &decibel);
        Ok(())
    })?;
    arrays::array(py, input.values, &input.shape)
}
