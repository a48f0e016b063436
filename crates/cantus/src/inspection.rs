//! Inspection of an audio file: format, duration, level, silence, tags and damage.

use std::path::Path;

use cantus_dataset::audit::{FileAnalysis, Issue, analyze_file};
use cantus_dataset::tags::{self, Tags};
use serde::Serialize;

use crate::Error;

/// The properties of one audio file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: String,
    /// Its class, if the folder structure gives one.
    pub label: Option<String>,
    /// Codec, such as `mp3`.
    pub codec: String,
    /// Sample rate in the file, in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub n_channels: u16,
    /// Length in seconds.
    pub duration_s: f64,
    /// Peak amplitude of the mono mix in dB relative to full scale; `None` if all samples are 0.
    pub peak_db: Option<f32>,
    /// Share of the recording that is silent, from 0 to 1: windows of 50 ms whose peak is below −60 dB.
    pub silence: f64,
    /// Artist, title, album, genre.
    pub tags: Tags,
    /// Damage, a line each.
    pub faults: Vec<String>,
    /// Issues that an audit of all files found for this one.
    pub findings: Vec<Issue>,
}

/// Decodes and analyses a file.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn inspect(path: &Path) -> Result<(Inspection, FileAnalysis), Error> {
    let analysis = analyze_file(path)?;
    let mut faults: Vec<String> = analysis.faults.iter().map(ToString::to_string).collect();
    let tags = tags::read(path).unwrap_or_else(|error| {
        faults.push(error.to_string());
        Tags::default()
    });
    let inspection = Inspection {
        path: path.display().to_string(),
        label: None,
        codec: analysis.source.codec.clone(),
        sample_rate: analysis.source.sample_rate,
        n_channels: analysis.source.n_channels,
        duration_s: analysis.duration_s(),
        peak_db: (analysis.peak > 0.0).then(|| 20.0 * analysis.peak.log10()),
        silence: analysis.silence,
        tags,
        faults,
        findings: Vec::new(),
    };
    Ok((inspection, analysis))
}
