//! Composition rules of reggae: drums that mostly omit the downbeat, chords on the offbeat.
//!
//! - Rhythm: 66 to 90 bpm. The skank, a short chord, is on every offbeat. One-drop: kick and side stick
//!   together on 2 and 4, neither on 1; or steppers: kick on all four beats.
//! - Bass: loud, melodic, often a rest on the downbeat.
//! - Timbre: short guitar or piano chords, organ on the offbeats, reverberation.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::harmony::{Chord, MAJOR_PENTATONIC, MINOR_PENTATONIC, major, minor};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Role, Score};

const PROGRESSIONS: [[Chord; 4]; 6] = [
    [minor(0), minor(5), minor(0), minor(5)],
    [minor(0), major(10), minor(0), major(10)],
    [major(0), major(5), major(0), major(7)],
    [major(0), minor(9), minor(2), major(7)],
    [minor(0), major(8), major(10), minor(0)],
    [major(0), minor(2), major(0), minor(2)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(PROGRESSIONS);
    let chart = Chart::new(rng.uniform_in([66.0, 90.0]), 4, rng.between(0, 11), &changes, duration_s);
    let feel =
        Feel { swing: rng.uniform_in([0.5, 0.6]), swung_pair: 0.5, timing_jitter_s: 0.005, ..Feel::STRAIGHT };
    let production = Production { reverb: rng.uniform_in([0.08, 0.35]), ..Production::draw(rng, 7000.0) };
    let mut score = Score::new(chart.clone(), feel, production);

    let line = rng.pick([
        ["..1-1-3-5---....", "..1-1-5-3-1-...."],
        ["1---..3-5-..8-5-", "1---..3-5-......"],
        ["..1-..1-5-3-1---", "..1-..1-8-5-...."],
        ["1-1-..5-5-..1-..", "1-1-..5-8-......"],
    ]);
    let bass = if rng.bernoulli(0.7) { Plucked::bass_guitar(rng) } else { Instrument::sub_bass(rng) };
    score.add(Role::Bass, bass, 0.24, chart.bass(&line, 28));
    let skank = rng.pick(["..x...x...x...x.", "..x...x...x...xx", "..xo..xo..xo..xo"]);
    let chop = if rng.bernoulli(0.65) { Plucked::electric(rng) } else { Instrument::piano(rng) };
    score.add(Role::Harmony, chop, 0.15, chart.chords(&[skank], 57));
    if rng.bernoulli(0.6) {
        let bubble = rng.pick([".ox..ox..ox..ox.", "..xo..xo..xo..xo"]);
        score.add(Role::Harmony, Instrument::organ(rng), 0.07, chart.chords(&[bubble], 53));
    }
    lead(rng, &chart, &mut score);
    let kit = Kit { kick_hz: 58.0, kick_t60_s: 0.3, click: 0.25, ..Kit::default() };
    let drum_hits = one_drop(rng, &chart);
    score.add_drums(kit.tuned(rng), 0.12, drum_hits);
    score
}

fn lead(rng: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["..x-xx-x--......", "x---x-x-x---....", "..x-x-x-..x-....", "x-xxx-----......"],
        scale: if chart.changes[0].is_minor() { MINOR_PENTATONIC } else { MAJOR_PENTATONIC },
        range: (60, 77),
        leap_probability: 0.12,
        bend_probability: 0.2,
        rest_probability: 0.5,
    };
    let notes = compose_melody(rng, chart, &melody);
    let singer = match rng.below(5) {
        0 => Instrument::brass_section(rng),
        1 => Instrument::organ(rng),
        2 => Instrument::harmonica(rng), // a melodica is a harmonica with keys
        _ => Instrument::voice(rng),
    };
    score.add(Role::Lead, singer, 0.12, notes);
}

fn one_drop(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let kick = rng.pick([".X.X", ".X.X", ".X.X", "XXXX"]);
    let back = rng.pick([Drum::SideStick, Drum::SideStick, Drum::Snare]);
    let hats = rng.pick(["x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "..x...x...x...x."]);
    let mut drum_hits = chart.groove(&[(Drum::Kick, kick), (back, ".X.X"), (Drum::ClosedHat, hats)]);
    if rng.bernoulli(0.3) {
        drum_hits.extend(chart.drum(Drum::OpenHat, &["", "..............x."]));
    }
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skank_is_off_the_beat_and_the_backbeat_on_two_and_four() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 30.0);
            let skank = score.parts.iter().find(|part| part.role == Role::Harmony).unwrap();
            assert!(skank.notes.iter().all(|note| note.start.fract() >= 0.5), "seed {seed}");
            let kicks = score.drum_hits.iter().filter(|s| s.drum == Drum::Kick);
            let n_kicks = kicks.clone().count();
            let n_dropped = kicks.filter(|s| s.start % 2.0 == 1.0).count();
            assert_eq!(n_dropped, score.chart.n_bars * 2);
            assert!(n_kicks == n_dropped || n_kicks == 2 * n_dropped, "one-drop or steppers");
        }
    }
}
