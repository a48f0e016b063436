//! Measures the time of the MFCCs of a 30 s track in ten segments on one thread, and of the steps before them.
//!
//! ```text
//! cargo run --release -p cantus-audio --example mfcc_speed
//! ```
#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::hint::black_box;
use std::time::Instant;

use cantus_audio::Error;
use cantus_audio::feature::{FeatureKind, FeatureSpec};

fn main() -> Result<(), Error> {
    let course = FeatureSpec::course();
    let track = noise(course.segment_samples() * course.segments.max_per_track());
    for kind in [FeatureKind::Stft, FeatureKind::Mel, FeatureKind::LogMel, FeatureKind::Mfcc] {
        let spec = FeatureSpec { kinds: vec![kind], ..course.clone() };
        let mut extractor = spec.extractor()?;
        let mut values = Vec::new();
        let mut times_ms = Vec::new();
        for _ in 0..100 {
            let start = Instant::now();
            for segment in track.chunks_exact(spec.segment_samples()) {
                extractor.extract_into(black_box(segment), &mut values);
                black_box(&values);
            }
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times_ms.sort_by(f64::total_cmp);
        println!("{:8} median {:.2} ms, best {:.2} ms", kind.name(), times_ms[50], times_ms[0]);
    }
    Ok(())
}

/// White noise from a linear congruential generator.
fn noise(n_samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    };
    (0..n_samples).map(|_| next()).collect()
}
