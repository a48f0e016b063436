//! What a recording is, and what is wrong with it: a look before anything is made of it.

use std::path::Path;

use cantus_audio::decode;
use cantus_dataset::tags::{self, Tags};
use serde::Serialize;

use crate::Error;

/// Below this level, in dB of full scale, a stretch of sound counts as silent.
const SILENCE_DB: f32 = -60.0;
/// Length of the stretches that are silent or not, in seconds.
const STRETCH_S: f64 = 0.05;

/// What was found out about one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: String,
    /// Codec, such as `mp3`.
    pub codec: String,
    /// Sample rate in the file, in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub n_channels: u16,
    /// Length in seconds.
    pub duration_s: f64,
    /// Largest amplitude of the mono mix in dB of full scale; none if there is no sound at all.
    pub peak_db: Option<f32>,
    /// Share of the recording that is silent, from 0 to 1: stretches of 50 ms whose peak is below −60 dB.
    pub silence: f64,
    /// Artist, title, album, genre.
    pub tags: Tags,
    /// What is wrong with it, a line each.
    pub faults: Vec<String>,
}

/// Decodes a file and looks at it.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    let recording = decode::decode(path)?;
    let audio = &recording.audio;
    let mut faults: Vec<String> = recording.faults.iter().map(ToString::to_string).collect();
    let tags = tags::read(path).unwrap_or_else(|error| {
        faults.push(error.to_string());
        Tags::default()
    });
    let peak = peak(&audio.samples);
    if peak == 0.0 {
        faults.push("silent from beginning to end".to_owned());
    }
    Ok(Inspection {
        path: path.display().to_string(),
        codec: recording.source.codec,
        sample_rate: recording.source.sample_rate,
        n_channels: recording.source.n_channels,
        duration_s: audio.duration_s(),
        peak_db: (peak > 0.0).then(|| 20.0 * peak.log10()),
        silence: silence(&audio.samples, (STRETCH_S * f64::from(audio.sample_rate)) as usize),
        tags,
        faults,
    })
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// Share of the stretches whose peak lies below [`SILENCE_DB`].
fn silence(samples: &[f32], stretch: usize) -> f64 {
    let threshold = 10.0_f32.powf(SILENCE_DB / 20.0);
    let stretches = samples.chunks(stretch.max(1));
    let n_stretches = stretches.len().max(1);
    stretches.filter(|stretch| peak(stretch) < threshold).count() as f64 / n_stretches as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_recording_of_zeros_is_half_silent() {
        let mut samples = vec![0.5; 1000];
        samples.extend([0.0; 1000]);
        assert_eq!(silence(&samples, 100), 0.5);
        assert_eq!(peak(&samples), 0.5);
    }
}
