//! Composition rules of hip-hop (boom-bap): a two-bar loop in the manner of a sampled record, sub-bass, loud drums.
//!
//! - Rhythm: 80 to 100 bpm, swung sixteenths; kick and snare rarely coincide.
//! - Harmony: a loop of two chords, as in soul and jazz.
//! - Timbre: the loop is band-limited, bass and drums are not; record crackle in some tracks; at most a short lead
//!   phrase instead of a melody, since rap is speech.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{Chord, MINOR_PENTATONIC, dominant, major7, minor, minor7};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Note, Role, Score};

const LOOPS: [[Chord; 2]; 6] = [
    [minor7(0), minor7(5)],
    [minor7(0), major7(8)],
    [minor(0), minor(0)],
    [major7(5), minor7(4)],
    [minor7(2), dominant(7)],
    [minor(0), dominant(7)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(LOOPS);
    let chart = Chart::new(rng.uniform_in([80.0, 100.0]), 4, rng.between(0, 11), &changes, duration_s);
    let feel = Feel { swing: rng.uniform_in([0.53, 0.62]), swung_pair: 0.5, ..Feel::STRAIGHT };
    let production = Production {
        crackles_per_s: rng.pick([0.0, 5.0, 15.0]),
        reverb: rng.uniform_in([0.01, 0.12]),
        ..Production::draw(rng, 8500.0)
    };
    let mut score = Score::new(chart.clone(), feel, production);

    let line = rng.pick([
        ["1---..1...1-....", "1---..1-..5-.1.."],
        ["1-----..1-..1...", "1--1..8-..1-...."],
        ["1..1....1---....", "1..1....5---3-.."],
    ]);
    let bass = match rng.below(4) {
        0 => Plucked::bass_guitar(rng),
        1 => Instrument::synth_bass(rng),
        _ => Instrument::sub_bass(rng),
    };
    score.add(Role::Bass, bass, 0.22, chart.bass(&line, 28));
    sample(rng, &chart, &mut score);
    let kit = Kit {
        kick_hz: 52.0,
        kick_t60_s: 0.4,
        click: 0.6,
        snare_hz: 200.0,
        snare_t60_s: 0.2,
        ..Kit::default()
    };
    let drum_hits = boom_bap(rng, &chart);
    score.add_drums(kit.tuned(rng), 0.2, drum_hits);
    score
}

/// The loop: band-limited chords and, in some tracks, a lead phrase; both repeat every two bars.
fn sample(rng: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let record = Amplifier { drive: 1.2, cabinet_hz: rng.around(2200.0, 0.6) };
    let chops = rng.pick([
        ["x---..x-..x-....", "x---..x-...x--.."],
        ["x---------x-....", "..x---..x-----.."],
        ["x-x-..x---..x-..", "x-x-..x---......"],
    ]);
    let source = match rng.below(4) {
        0 => Instrument::piano(rng),
        1 => Instrument::string_section(rng),
        2 => Plucked::electric(rng),
        _ => Instrument::electric_piano(rng),
    };
    score.add_amplified(Role::Harmony, source, record, 0.11, chart.chords(&chops, 58));
    if rng.bernoulli(0.6) {
        let melody = MelodyStyle {
            rhythms: &["x.x.x--.....", "..x-xx-x--..", "x-----x-...."],
            scale: MINOR_PENTATONIC,
            range: (65, 82),
            leap_probability: 0.2,
            bend_probability: 0.1,
            rest_probability: 0.0,
        };
        let lick = looped(&compose_melody(rng, chart, &melody), chart);
        let instrument = match rng.below(3) {
            0 => Instrument::trumpet(rng),
            1 => Instrument::synth_lead(rng),
            _ => Instrument::piano(rng),
        };
        score.add_amplified(Role::Lead, instrument, record, 0.08, lick);
    }
}

/// The first two bars, repeated to the end.
fn looped(notes: &[Note], chart: &Chart) -> Vec<Note> {
    let again = |bar: usize| {
        let first = notes.iter().filter(|note| note.start < chart.bar_start(2));
        first.map(move |note| Note { start: note.start + chart.bar_start(bar), ..*note })
    };
    (0..chart.n_bars).step_by(2).flat_map(again).collect()
}

fn boom_bap(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let kick = rng.pick([
        ["X......x..x.....", "X..x......x....."],
        ["X.....x...x..x..", "X.....x...x....."],
        ["X..x......X.....", "X..x...x..X..x.."],
    ]);
    let back = rng.pick([Drum::Snare, Drum::Snare, Drum::Clap]);
    let hats = rng.pick(["x.x.x.x.x.x.x.x.", "x.xox.x.x.xox.xo", "xoxoxoxoxoxoxoxo"]);
    let mut drum_hits = chart.drum(Drum::Kick, &kick);
    drum_hits.extend(chart.groove(&[(back, "....X.......X..."), (Drum::ClosedHat, hats)]));
    if rng.bernoulli(0.5) {
        drum_hits.extend(chart.drum(Drum::Snare, &[".......o.o......", ""]));
    }
    if rng.bernoulli(0.4) {
        drum_hits.extend(chart.drum(Drum::OpenHat, &["", "..............x."]));
    }
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_comes_back_every_two_bars_and_the_snare_is_on_two_and_four() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 30.0);
            let harmony = score.parts.iter().find(|part| part.role == Role::Harmony).unwrap();
            let loop_of = |n: usize| -> Vec<(f64, i32)> {
                let from = 8.0 * n as f64;
                let within = harmony.notes.iter().filter(|note| (from..from + 8.0).contains(&note.start));
                within.map(|note| (note.start - from, note.pitch)).collect()
            };
            assert_eq!(loop_of(0), loop_of(1), "seed {seed}");
            let back = score.drum_hits.iter().filter(|s| s.velocity == 1.0 && s.drum != Drum::Kick);
            assert!(back.into_iter().all(|s| s.start % 4.0 == 1.0 || s.start % 4.0 == 3.0));
        }
    }
}
