//! Resampling, time stretch, pitch shift, harmonic-percussive separation and random augmentation of signals.

use cantus_audio::Audio;
use cantus_audio::augment::AugmentSpec;
use cantus_audio::augment::pitch_shift::shift;
use cantus_audio::augment::time_stretch::PhaseVocoder;
use cantus_audio::resample::Resampler;
use cantus_audio::transform::{Hpss, Stft};
use pyo3::prelude::*;

use crate::arrays::{self, Array};
use crate::errors::Failure;
use crate::feature::planned_for;
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(resample, module)?)?;
    module.add_function(wrap_pyfunction!(time_stretch, module)?)?;
    module.add_function(wrap_pyfunction!(pitch_shift, module)?)?;
    module.add_function(wrap_pyfunction!(hpss, module)?)?;
    module.add_function(wrap_pyfunction!(deemphasis, module)?)?;
    module.add_function(wrap_pyfunction!(augment, module)?)
}

/// A signal `(..., n)` at another sample rate, in Hz.
#[pyfunction]
fn resample<'py>(
    py: Python<'py>,
    y: &Bound<'py, PyAny>,
    orig_sr: u32,
    target_sr: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let resampled = gil::detached(py, || {
        let resampler = Resampler::new(orig_sr, target_sr);
        of_channels(&signal, |channel| resampler.process(channel))
    })?;
    in_channels(py, resampled, &signal)
}

/// A signal `(..., n)` at `rate` times its tempo.
#[pyfunction]
fn time_stretch<'py>(py: Python<'py>, y: &Bound<'py, PyAny>, rate: f64) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let stretched = gil::detached(py, || {
        // librosa's frames of 2048 samples.
        let mut vocoder = PhaseVocoder::new(22_050);
        of_channels(&signal, |channel| vocoder.stretch(channel, rate))
    })?;
    in_channels(py, stretched, &signal)
}

/// A signal `(..., n)` with its pitch shifted by a number of semitones.
#[pyfunction]
fn pitch_shift<'py>(
    py: Python<'py>,
    y: &Bound<'py, PyAny>,
    sr: u32,
    semitones: f32,
) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let shifted = gil::detached(py, || {
        let mut vocoder = PhaseVocoder::new(sr);
        of_channels(&signal, |channel| shift(channel, semitones, &mut vocoder))
    })?;
    in_channels(py, shifted, &signal)
}

/// The harmonic and the percussive part of a signal `(..., n)`, with the framing and the table `hpss` of a specification.
#[pyfunction]
fn hpss<'py>(
    py: Python<'py>,
    y: &Bound<'py, PyAny>,
    spec: &str,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let signal = arrays::signal(y, "y")?;
    let (harmonic, percussive) = gil::detached(py, || {
        let spec = planned_for(&signal, spec)?;
        let (mut plan, mut stft) = (Hpss::new(spec.hpss.clone())?, Stft::new(spec.stft_config())?);
        let (mut harmonic, mut percussive) = (Vec::new(), Vec::new());
        gil::for_each(signal.rows(), |channel| {
            let parts = plan.separate(channel, &mut stft);
            arrays::append(&mut harmonic, parts.0);
            arrays::append(&mut percussive, parts.1);
            Ok(())
        })?;
        Ok((harmonic, percussive))
    })?;
    Ok((in_channels(py, harmonic, &signal)?, in_channels(py, percussive, &signal)?))
}

/// The inverse of `y[n] - coef · y[n - 1]`, whose first sample is `3 · y[0] - y[1]`, of a signal `(..., n)`, n ≥ 2.
#[pyfunction]
fn deemphasis<'py>(py: Python<'py>, y: &Bound<'py, PyAny>, coef: f64) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let original = gil::detached(py, || {
        if signal.n_columns() < 2 {
            return Err(Failure::parameter("y must have at least 2 samples"));
        }
        of_channels(&signal, |channel| integrated(channel, coef))
    })?;
    in_channels(py, original, &signal)
}

fn integrated(channel: &[f32], coef: f64) -> Vec<f32> {
    let first_two: f64 = channel.iter().take(2).map(|x| f64::from(*x)).sum();
    let mut previous = first_two / (3.0 - coef);
    let rest = channel.iter().skip(1).map(|x| {
        previous = f64::from(*x) + coef * previous;
        previous as f32
    });
    std::iter::once((first_two / (3.0 - coef)) as f32).chain(rest).collect()
}

/// A randomly altered copy of a signal `(n,)`, by an augmentation specification in JSON.
#[pyfunction]
fn augment<'py>(
    py: Python<'py>,
    y: &Bound<'py, PyAny>,
    sr: u32,
    spec: &str,
    name: &str,
    number: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let signal = arrays::signal(y, "y")?;
    let altered = gil::detached(py, || {
        let spec: AugmentSpec = serde_json::from_str(spec).map_err(|error| Failure::json(&error))?;
        spec.validate()?;
        let recording = Audio { samples: signal.values, sample_rate: sr };
        Ok(spec.plan(sr)?.copy(&recording, name, number).samples)
    })?;
    let n_samples = altered.len();
    arrays::array(py, altered, &[n_samples])
}

/// `alter` of each channel, one after the other.
fn of_channels(signal: &Array<f32>, mut alter: impl FnMut(&[f32]) -> Vec<f32>) -> Result<Vec<f32>, Failure> {
    let mut altered = Vec::new();
    gil::for_each(signal.rows(), |channel| {
        arrays::append(&mut altered, alter(channel));
        Ok(())
    })?;
    Ok(altered)
}

/// Samples of the channels of `signal`, which may have another length.
fn in_channels<'py>(py: Python<'py>, samples: Vec<f32>, signal: &Array<f32>) -> PyResult<Bound<'py, PyAny>> {
    let channels = signal.channels();
    let n_samples = samples.len() / channels.iter().product::<usize>().max(1);
    arrays::array(py, samples, &[channels, &[n_samples]].concat())
}
