//! Decoding: a part of a recording as samples, mono or all channels, at a sample rate.

use std::path::Path;

use cantus_audio::decode::{self, Decoder};
use cantus_audio::resample::Resampler;
use pyo3::prelude::*;

use crate::arrays;
use crate::errors::{Class, Failure};
use crate::gil;
use crate::recording::Argument;

/// Blocks that are decoded between two checks of signals.
const BLOCKS_PER_CHECK: usize = 64;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(load, module)?)?;
    module.add_function(wrap_pyfunction!(duration, module)?)
}

/// Samples `(n,)` or `(n_channels, n)`, their sample rate in Hz, and the warnings of the decoder.
#[pyfunction]
fn load<'py>(
    py: Python<'py>,
    recording: Argument<'py>,
    sr: Option<u32>,
    mono: bool,
    offset_s: f64,
    duration_s: Option<f64>,
) -> PyResult<(Bound<'py, PyAny>, u32, Vec<String>)> {
    let recording = recording.recording()?;
    let part = Part { offset_s, duration_s };
    let loaded = gil::detached(py, || {
        let decoder = recording.decoder()?.ok_or_else(|| Failure::internal("samples are not decoded"))?;
        Loaded::new(decoder, recording.name(), sr, mono, part)
    })?;
    let n_samples = loaded.channels.first().map_or(0, Vec::len);
    let shape = [loaded.channels.len(), n_samples];
    let first = usize::from(loaded.channels.len() == 1);
    let samples = match <[Vec<f32>; 1]>::try_from(loaded.channels) {
        Ok([mono]) => mono,
        Err(channels) => channels.concat(),
    };
    Ok((arrays::array(py, samples, &shape[first..])?, loaded.sample_rate, loaded.warnings))
}

/// Duration of a file, in seconds, and its sample rate, in Hz.
#[pyfunction]
fn duration(py: Python<'_>, path: std::path::PathBuf) -> PyResult<(f64, u32)> {
    gil::detached(py, || {
        let (duration_s, source) = decode::measure_duration(&path, f64::INFINITY)?;
        Ok((duration_s, source.sample_rate))
    })
}

/// A part of a recording.
#[derive(Debug, Clone, Copy)]
struct Part {
    offset_s: f64,
    /// All that follows if absent.
    duration_s: Option<f64>,
}

impl Part {
    /// The first frame of it, and the one after the last, at a sample rate; rounded down, as by librosa.
    fn frames(self, sample_rate: u32) -> (usize, usize) {
        let at = |seconds: f64| (seconds * f64::from(sample_rate)) as usize;
        let first = at(self.offset_s);
        (first, self.duration_s.map_or(usize::MAX, |duration_s| first.saturating_add(at(duration_s))))
    }
}

/// What has been decoded.
struct Loaded {
    /// The samples of each channel; of one channel if they are averaged.
    channels: Vec<Vec<f32>>,
    sample_rate: u32,
    warnings: Vec<String>,
}

impl Loaded {
    fn new(
        mut decoder: Decoder,
        path: &Path,
        sr: Option<u32>,
        mono: bool,
        part: Part,
    ) -> Result<Self, Failure> {
        let from = decoder.source().sample_rate;
        let mut channels = decoded(&mut decoder, path, mono, part.frames(from))?;
        let to = sr.unwrap_or(from);
        if to != from {
            let resampler = Resampler::new(from, to);
            channels.iter_mut().for_each(|channel| *channel = resampler.process(channel));
        }
        let warnings = decoder.into_warnings().iter().map(ToString::to_string).collect();
        Ok(Self { channels, sample_rate: to, warnings })
    }
}

/// The frames `first..end` of each channel, or of their mean.
fn decoded(
    decoder: &mut Decoder,
    path: &Path,
    mono: bool,
    (first, end): (usize, usize),
) -> Result<Vec<Vec<f32>>, Failure> {
    let n_channels = if mono { 1 } else { usize::from(decoder.source().n_channels) };
    let mut channels = vec![Vec::new(); n_channels];
    let (mut position, mut n_blocks) = (0, 0);
    while position < end
        && let Some(block) = decoder.next_block()?
    {
        let n = block.len();
        let wanted = first.saturating_sub(position).min(n)..(end - position).min(n);
        position += n;
        n_blocks += 1;
        if n_blocks % BLOCKS_PER_CHECK == 0 {
            gil::check_signals()?;
        }
        if wanted.is_empty() {
            continue;
        }
        if mono {
            decode::append(path, &mut channels[0], &block[wanted])?;
        } else {
            append_channels(decoder, path, &mut channels, n, wanted)?;
        }
    }
    Ok(channels)
}

/// Appends a part of the last block, of `n` frames, before the downmix.
fn append_channels(
    decoder: &Decoder,
    path: &Path,
    channels: &mut [Vec<f32>],
    n: usize,
    wanted: std::ops::Range<usize>,
) -> Result<(), Failure> {
    let (interleaved, n_channels) = decoder.frames();
    if interleaved.is_empty() {
        // Silence in place of damage.
        let silence = vec![0.0; wanted.len()];
        return Ok(channels.iter_mut().try_for_each(|channel| decode::append(path, channel, &silence))?);
    }
    if n_channels != channels.len() || interleaved.len() != n * n_channels {
        let reason = "it changes its channels or its sample rate; load it with mono=True";
        return Err(Failure::Cantus(Class::Decode, format!("{}: {reason}", path.display())));
    }
    let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
    for (number, channel) in channels.iter_mut().enumerate() {
        let frames = interleaved.chunks_exact(n_channels).skip(wanted.start).take(wanted.len());
        let samples: Vec<f32> = frames.map(|frame| finite(frame[number])).collect();
        decode::append(path, channel, &samples)?;
    }
    Ok(())
}
