//! How fast music is stretched and shifted: times real time, on one thread.
//!
//! `tests/reference/stretch_speed.py` prints librosa's figures beside these.

#![expect(clippy::print_stdout, reason = "an example that is run to be read")]

use std::time::Instant;

use cantus_audio::augment::pitch_shift::shift;
use cantus_audio::augment::time_stretch::Stretcher;
use cantus_synth::{Genre, compose};

fn main() {
    let samples = compose(Genre::Pop, 1, 30.0, 22_050).samples;
    let mut stretcher = Stretcher::new(22_050);
    let mut measure = |name: &str, work: &mut dyn FnMut(&mut Stretcher) -> Vec<f32>| {
        let best = (0..10)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(work(&mut stretcher));
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        println!("{name} {:.0}", 30.0 / best);
    };
    measure("time_stretch_1.25", &mut |stretcher| stretcher.stretch(&samples, 1.25));
    measure("time_stretch_0.8", &mut |stretcher| stretcher.stretch(&samples, 0.8));
    measure("pitch_shift_+2", &mut |stretcher| shift(&samples, 2.0, stretcher));
    measure("pitch_shift_-5", &mut |stretcher| shift(&samples, -5.0, stretcher));
}
