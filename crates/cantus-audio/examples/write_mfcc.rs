//! Writes the course's MFCCs of WAV files as raw little-endian f32 `[n_frames, 13]`, which
//! `tests/reference/gtzan_mfcc.py` compares with librosa's.
//!
//! ```text
//! cargo run --release -p cantus-audio --example write_mfcc -- OUT_DIR WAV...
//! ```

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use cantus_audio::feature::FeatureSpec;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let out_dir = arguments.next().ok_or("usage: write_mfcc OUT_DIR WAV...")?;
    fs::create_dir_all(&out_dir)?;
    let mut extractor = FeatureSpec::course().extractor()?;
    for path in arguments {
        let mfcc = extractor.extract(&read_wav(Path::new(&path))?);
        let bytes: Vec<u8> = mfcc.values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let name = Path::new(&path).with_extension("f32");
        fs::write(Path::new(&out_dir).join(name.file_name().ok_or("a WAV file is expected")?), bytes)?;
    }
    Ok(())
}

/// Mono 16-bit samples as amplitudes in [-1, 1).
fn read_wav(path: &Path) -> Result<Vec<f32>, hound::Error> {
    hound::WavReader::open(path)?
        .into_samples::<i16>()
        .map(|sample| Ok(f32::from(sample?) / 32768.0))
        .collect()
}
