//! Time of each part of the audit of a recording, beside decoding and the course's features.
//!
//!     cargo run --release -p cantus-dataset --example audit_speed -- RECORDING...

#![expect(clippy::print_stdout, reason = "an example")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cantus_audio::decode;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::fingerprint::Fingerprinter;
use cantus_audio::level::LevelMeter;
use cantus_dataset::audit::analyze_file;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

/// Runs of which the fastest counts.
const N_RUNS: usize = 30;
/// Samples in a block of the decoder.
const BLOCK: usize = 1152;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        println!("{path}");
        measure(Path::new(&path))?;
    }
    Ok(())
}

fn measure(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let recording = decode::decode(path)?;
    let (samples, rate) = (&recording.audio.samples, recording.audio.sample_rate);
    let resampled = decode::load(path, 22_050)?.audio;
    let mut extractor = FeatureSpec::course().extractor()?;
    time("decode", || decode::decode(path).is_ok());
    time("decode and resample", || decode::load(path, 22_050).is_ok());
    time("features", || extractor.segment(&resampled, usize::MAX).is_ok());
    time("decode and analyse", || analyze_file(path).is_ok());
    time("fingerprint", || {
        let mut fingerprinter = Fingerprinter::new(rate);
        samples.chunks(BLOCK).for_each(|block| fingerprinter.consume(block));
        fingerprinter.finish()
    });
    time("levels of one channel", || {
        let mut meter = LevelMeter::default();
        samples.chunks(BLOCK).for_each(|block| meter.add(block, 1));
        meter.finish()
    });
    time("XXH3 of 128 bits", || XxHash3_128::oneshot(bytemuck::cast_slice(samples)));
    time("SHA-256", || Sha256::digest(bytemuck::cast_slice::<f32, u8>(samples)));
    Ok(())
}

fn time<T>(name: &str, mut run: impl FnMut() -> T) {
    let seconds = (0..N_RUNS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64()
    });
    println!("  {:8.3} ms  {name}", 1000.0 * seconds.fold(f64::INFINITY, f64::min));
}
