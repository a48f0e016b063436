//! Reggae: nothing where others play, and the chord where nobody does.
//!
//! - Rhythm: counted at 66 to 90 bpm. The skank, a short chord, is on every offbeat. One-drop: kick and side stick
//!   together on 2 and 4, nothing on 1; or steppers, with the kick on all four.
//! - Bass: loud, round, melodic, silent on many a downbeat.
//! - Colour: guitar chop, organ bubble, spring reverb.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::harmony::{Chord, MAJOR_PENTATONIC, MINOR_PENTATONIC, major, minor};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{Tune, sing};
use crate::music::mix::Production;
use crate::music::score::{Feel, Role, Score, Stroke};

const PROGRESSIONS: [[Chord; 4]; 6] = [
    [minor(0), minor(5), minor(0), minor(5)],
    [minor(0), major(10), minor(0), major(10)],
    [major(0), major(5), major(0), major(7)],
    [major(0), minor(9), minor(2), major(7)],
    [minor(0), major(8), major(10), minor(0)],
    [major(0), minor(2), major(0), minor(2)],
];

pub(super) fn compose(dice: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = dice.pick(PROGRESSIONS);
    let chart = Chart::new(dice.uniform_in([66.0, 90.0]), 4, dice.between(0, 11), &changes, duration_s);
    let feel =
        Feel { swing: dice.uniform_in([0.5, 0.6]), swung_pair: 0.5, looseness_s: 0.005, ..Feel::STRAIGHT };
    let production = Production { reverb: dice.uniform_in([0.08, 0.35]), ..Production::draw(dice, 7000.0) };
    let mut score = Score::new(chart.clone(), feel, production);

    let line = dice.pick([
        ["..1-1-3-5---....", "..1-1-5-3-1-...."],
        ["1---..3-5-..8-5-", "1---..3-5-......"],
        ["..1-..1-5-3-1---", "..1-..1-8-5-...."],
        ["1-1-..5-5-..1-..", "1-1-..5-8-......"],
    ]);
    let bass = if dice.bernoulli(0.7) { Plucked::bass_guitar(dice) } else { Instrument::sub_bass(dice) };
    score.add(Role::Bass, bass, 0.24, chart.bass(&line, 28));
    let skank = dice.pick(["..x...x...x...x.", "..x...x...x...xx", "..xo..xo..xo..xo"]);
    let chop = if dice.bernoulli(0.65) { Plucked::electric(dice) } else { Instrument::piano(dice) };
    score.add(Role::Harmony, chop, 0.15, chart.chords(&[skank], 57));
    if dice.bernoulli(0.6) {
        let bubble = dice.pick([".ox..ox..ox..ox.", "..xo..xo..xo..xo"]);
        score.add(Role::Harmony, Instrument::organ(dice), 0.07, chart.chords(&[bubble], 53));
    }
    lead(dice, &chart, &mut score);
    let kit = Kit { kick_hz: 58.0, kick_t60_s: 0.3, click: 0.25, ..Kit::default() };
    let strokes = one_drop(dice, &chart);
    score.add_drums(kit.tuned(dice), 0.12, strokes);
    score
}

fn lead(dice: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let tune = Tune {
        rhythms: &["..x-xx-x--......", "x---x-x-x---....", "..x-x-x-..x-....", "x-xxx-----......"],
        scale: if chart.changes[0].is_minor() { MINOR_PENTATONIC } else { MAJOR_PENTATONIC },
        range: (60, 77),
        leap: 0.12,
        bent: 0.2,
        breath: 0.5,
    };
    let notes = sing(dice, chart, &tune);
    let singer = match dice.below(5) {
        0 => Instrument::brass_section(dice),
        1 => Instrument::organ(dice),
        2 => Instrument::harmonica(dice), // a melodica is a harmonica with keys
        _ => Instrument::voice(dice),
    };
    score.add(Role::Lead, singer, 0.12, notes);
}

fn one_drop(dice: &mut KeyedRng, chart: &Chart) -> Vec<Stroke> {
    let kick = dice.pick([".X.X", ".X.X", ".X.X", "XXXX"]);
    let back = dice.pick([Drum::SideStick, Drum::SideStick, Drum::Snare]);
    let hats = dice.pick(["x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "..x...x...x...x."]);
    let mut strokes = chart.groove(&[(Drum::Kick, kick), (back, ".X.X"), (Drum::ClosedHat, hats)]);
    if dice.bernoulli(0.3) {
        strokes.extend(chart.drum(Drum::OpenHat, &["", "..............x."]));
    }
    strokes
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
            let kicks = score.strokes.iter().filter(|s| s.drum == Drum::Kick);
            let n_kicks = kicks.clone().count();
            let n_dropped = kicks.filter(|s| s.start % 2.0 == 1.0).count();
            assert_eq!(n_dropped, score.chart.n_bars * 2);
            assert!(n_kicks == n_dropped || n_kicks == 2 * n_dropped, "one-drop or steppers");
        }
    }
}
