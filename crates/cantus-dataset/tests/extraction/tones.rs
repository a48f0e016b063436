//! Recordings of sines for tests of the extraction, and its specification.

use std::fs;
use std::path::Path;

use cantus_audio::feature::{FeatureSpec, Segments};
use cantus_dataset::{Catalog, Error, ExtractOptions, Extraction, extract};

/// Of all recordings, in Hz.
pub const SAMPLE_RATE: u32 = 22_050;

/// Two segments of 0.1 s.
pub fn spec() -> FeatureSpec {
    let mut spec = FeatureSpec { n_mfcc: 13, ..FeatureSpec::course() };
    spec.segments = Segments::Parts { track_duration_s: 0.2, n_segments: 2 };
    spec
}

/// A sine as a WAV file of 16 bits.
pub fn write_tone(path: &Path, frequency: f64, duration_s: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, format).unwrap();
    for n in 0..(duration_s * f64::from(SAMPLE_RATE)) as usize {
        let phase = 2.0 * std::f64::consts::PI * frequency * n as f64 / f64::from(SAMPLE_RATE);
        wav.write_sample((phase.sin() * 12_000.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

/// 70 tracks of two labels: two parts.
pub fn tones() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..35 {
        write_tone(&dir.path().join(format!("high/{n:02}.wav")), 1000.0 + 40.0 * f64::from(n), 0.21);
        write_tone(&dir.path().join(format!("low/{n:02}.wav")), 100.0 + 4.0 * f64::from(n), 0.21);
    }
    dir
}

/// Extracts a folder with [`spec`].
pub fn run(audio: &Path, out: &Path, jobs: usize) -> Result<Extraction, Error> {
    let options = ExtractOptions { jobs, ..ExtractOptions::default() };
    extract(&Catalog::open(audio)?, &spec(), out, &options, &|_| {})
}
