//! Tempogram, tempo and beats of an onset curve.

use cantus_audio::feature::beat::{BeatConfig, BeatTracker, Beats};
use cantus_audio::feature::tempo::{Tempo, TempoConfig};
use cantus_audio::feature::tempogram::{Tempogram, TempogramConfig};
use pyo3::prelude::*;

use crate::arrays::{self, Array};
use crate::errors::{Failure, value_error};
use crate::feature::planned;
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(tempogram, module)?)?;
    module.add_function(wrap_pyfunction!(tempo, module)?)?;
    module.add_function(wrap_pyfunction!(beat_track, module)?)
}

/// The tempogram `(..., win_length, n_frames)` of onset curves `(..., n_frames)`, with the table `tempogram` of a specification.
#[pyfunction]
fn tempogram<'py>(
    py: Python<'py>,
    onset_envelope: &Bound<'py, PyAny>,
    spec: &str,
    center: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let curve = arrays::signal(onset_envelope, "onset_envelope")?;
    let (rows, win_length) = gil::detached(py, || {
        let config = TempogramConfig { center, ..planned(spec, 0)?.tempogram };
        let mut plan = Tempogram::new(config)?;
        let (n_rows, win_length) = (plan.n_rows(curve.n_columns()), plan.config().win_length);
        if n_rows == 0 {
            return Err(Failure::parameter(format!(
                "win_length = {win_length}: at most the {} frames of onset_envelope, where center = False",
                curve.n_columns()
            )));
        }
        let mut rows = Vec::new();
        gil::for_each(curve.rows(), |channel| {
            let mut of_channel = vec![0.0; n_rows * win_length];
            plan.apply(channel, &mut of_channel);
            arrays::append(&mut rows, of_channel);
            Ok(())
        })?;
        Ok((rows, win_length))
    })?;
    arrays::frames(py, rows, win_length, curve.channels())
}

/// The tempo of each onset curve of `(..., n_frames)`, in beats per minute, with the table `tempo` of a specification.
#[pyfunction]
fn tempo<'py>(
    py: Python<'py>,
    onset_envelope: &Bound<'py, PyAny>,
    spec: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let curve = arrays::signal(onset_envelope, "onset_envelope")?;
    let tempi: Vec<f64> = gil::detached(py, || {
        let mut plan = Tempo::new(tempo_config(spec)?)?;
        Ok(curve.rows().map(|channel| plan.estimate(channel)).collect())
    })?;
    arrays::array(py, tempi, &[curve.channels(), &[1]].concat())
}

/// The tempo in beats per minute and the frames of the beats of an onset curve `(n_frames,)`, with the tables `tempo` and
/// `beat` of a specification.
#[pyfunction]
fn beat_track<'py>(
    py: Python<'py>,
    onset_envelope: &Bound<'py, PyAny>,
    spec: &str,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let curve: Array<f32> = arrays::signal(onset_envelope, "onset_envelope")?;
    if curve.shape.len() > 1 {
        let shape = &curve.shape;
        return Err(value_error(format!("onset_envelope must have shape (n_frames,), found {shape:?}")));
    }
    let Beats { bpm, frames } = gil::detached(py, || {
        let config = BeatConfig { tempo: tempo_config(spec)?, ..planned(spec, 0)?.beat };
        Ok(BeatTracker::new(config)?.track(&curve.values))
    })?;
    let frames: Vec<i64> = frames.into_iter().map(|frame| frame as i64).collect();
    let n_beats = frames.len();
    Ok((bpm, arrays::array(py, frames, &[n_beats])?))
}

fn tempo_config(spec: &str) -> Result<TempoConfig, Failure> {
    let spec = planned(spec, 0)?;
    Ok(TempoConfig { sample_rate: spec.sample_rate, hop_length: spec.hop_length, ..spec.tempo })
}
