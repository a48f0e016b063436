//! Measures the speed of time stretch and pitch shift as a multiple of real time, on one thread.
//!
//! `tests/reference/stretch_speed.py` runs it and librosa.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::time::Instant;

use cantus_audio::augment::pitch_shift::shift;
use cantus_audio::augment::time_stretch::PhaseVocoder;
use cantus_synth::{Genre, compose};

fn main() {
    let samples = compose(Genre::Pop, 1, 30.0, 22_050).samples;
    let mut vocoder = PhaseVocoder::new(22_050);
    let mut measure = |name: &str, work: &mut dyn FnMut(&mut PhaseVocoder) -> Vec<f32>| {
        let best = (0..10)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(work(&mut vocoder));
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        println!("{name} {:.0}", 30.0 / best);
    };
    measure("time_stretch_1.25", &mut |vocoder| vocoder.stretch(&samples, 1.25));
    measure("time_stretch_0.8", &mut |vocoder| vocoder.stretch(&samples, 0.8));
    measure("pitch_shift_+2", &mut |vocoder| shift(&samples, 2.0, vocoder));
    measure("pitch_shift_-5", &mut |vocoder| shift(&samples, -5.0, vocoder));
}
