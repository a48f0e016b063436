//! Decodes, resamples or computes features for `bench/counts.py`, which counts the instructions of one run.
//!
//! `audio_counts decode RUNS FILE`, `audio_counts resample RUNS` or `audio_counts KIND RUNS`, KIND being a kind of features. Samples are 3 s of
//! pseudorandom numbers and a tone at 22,050 Hz; `resample` takes them as 44,100 Hz. Runs on one thread, prints nothing.

use std::error::Error;
use std::f32::consts::TAU;
use std::hint::black_box;
use std::path::Path;

use cantus_audio::decode;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_audio::resample::resample;

const SAMPLE_RATE: u32 = 22_050;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, n_runs, path) = match arguments.as_slice() {
        [task, n_runs] => (task.as_str(), n_runs.parse()?, None),
        [task, n_runs, path] => (task.as_str(), n_runs.parse()?, Some(Path::new(path))),
        _ => return Err("usage: audio_counts decode|resample|KIND RUNS [FILE]".into()),
    };
    let samples = samples(3 * SAMPLE_RATE as usize);
    match (task, path) {
        ("decode", Some(path)) => run(n_runs, || decode::decode(path).map(drop)),
        ("resample", None) => run(n_runs, || {
            black_box(resample(black_box(&samples), 2 * SAMPLE_RATE, SAMPLE_RATE));
            Ok(())
        }),
        (kind, None) => {
            let found = FeatureKind::ALL.iter().find(|known| known.name() == kind);
            let &kind = found.ok_or_else(|| format!("{kind}: no such kind"))?;
            let mut extractor = FeatureSpec { kinds: vec![kind], ..FeatureSpec::default() }.extractor()?;
            let mut values = Vec::new();
            run(n_runs, || {
                extractor.extract_into(black_box(&samples), &mut values);
                black_box(&values);
                Ok(())
            })
        }
        (task, Some(_)) => Err(format!("{task} takes no file").into()),
    }
}

fn run(
    n_runs: usize,
    mut run: impl FnMut() -> Result<(), cantus_audio::Error>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..n_runs {
        run()?;
    }
    Ok(())
}

/// Noise in [-0.1, 0.1) and a tone of 440 Hz.
fn samples(n: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 24) as f32 * 0.2 - 0.1
    };
    let tone = |i: usize| 0.5 * (TAU * 440.0 * i as f32 / SAMPLE_RATE as f32).sin();
    (0..n).map(|i| tone(i) + noise()).collect()
}
