//! Access to real music for tests; it is not in the repository.

use std::path::Path;

/// The first tracks of each genre of GTZAN, which may not be redistributed.
pub const MUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/gtzan-clips");

/// Whether the music is available; prints a line if it is not.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub fn is_available() -> bool {
    let is_available = Path::new(MUSIC).is_dir();
    if !is_available {
        println!("skipped: {MUSIC} is not there");
    }
    is_available
}

/// Mono 16-bit samples of a track as amplitudes in [-1, 1).
pub fn read_wav(name: &str) -> Result<Vec<f32>, hound::Error> {
    hound::WavReader::open(Path::new(MUSIC).join(name))?
        .into_samples::<i16>()
        .map(|sample| Ok(f32::from(sample?) / 32_768.0))
        .collect()
}
