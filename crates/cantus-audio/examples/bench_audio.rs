//! The part of `bench/audio` for Cantus: `bench_audio load PATH`, `bench_audio load_mfcc PATH` or `bench_audio KIND PATH`
//! prints the median time of several runs in ms, on one thread.
#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cantus_audio::decode;
use cantus_audio::feature::{FeatureKind, FeatureSpec, TrackFeatureKind};

const SAMPLE_RATE: u32 = 22_050;
/// Number of warm-up runs.
const N_WARM: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, task, path] = arguments.as_slice() else {
        return Err("usage: bench_audio load|load_mfcc|KIND PATH".into());
    };
    let path = Path::new(path);
    let ms = match task.as_str() {
        "load" => median_ms(11, || decode::load(path, SAMPLE_RATE).map(drop))?,
        "load_mfcc" => load_mfcc(path)?,
        kind => feature(kind, path)?,
    };
    println!("{{\"ms\": {ms}}}");
    Ok(())
}

/// The course's features of a recording, from the file to ten segments.
fn load_mfcc(path: &Path) -> Result<f64, cantus_audio::Error> {
    let mut extractor = FeatureSpec::course().extractor()?;
    median_ms(31, || {
        let recording = decode::load(path, SAMPLE_RATE)?;
        let _ = black_box(extractor.segment(&recording.audio, 10));
        Ok(())
    })
}

/// One kind of feature of a decoded recording.
fn feature(kind: &str, path: &Path) -> Result<f64, Box<dyn Error>> {
    let samples = decode::load(path, SAMPLE_RATE)?.audio.samples;
    if let Some(whole) = TrackFeatureKind::ALL.iter().find(|whole| whole.name() == kind) {
        let spec = FeatureSpec::default();
        return Ok(median_ms(11, || whole.compute(black_box(&samples), &spec).map(drop))?);
    }
    let found = FeatureKind::ALL.iter().find(|known| known.name() == kind);
    let &kind = found.ok_or_else(|| format!("{kind}: no such kind"))?;
    let mut extractor = FeatureSpec { kinds: vec![kind], ..FeatureSpec::default() }.extractor()?;
    let mut values = Vec::new();
    Ok(median_ms(11, || {
        extractor.extract_into(black_box(&samples), &mut values);
        black_box(&values);
        Ok(())
    })?)
}

fn median_ms(
    n_runs: usize,
    mut run: impl FnMut() -> Result<(), cantus_audio::Error>,
) -> Result<f64, cantus_audio::Error> {
    let mut times_ms = Vec::new();
    for _ in 0..N_WARM + n_runs {
        let start = Instant::now();
        run()?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let mut times_ms = times_ms.split_off(N_WARM);
    times_ms.sort_by(f64::total_cmp);
    Ok(times_ms[n_runs / 2])
}
