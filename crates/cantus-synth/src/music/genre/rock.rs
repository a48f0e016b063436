//! Rock: guitars that crunch, a backbeat, eighths in the bass.
//!
//! - Harmony: I–♭VII–IV, i–♭VI–♭VII and their kin, as power chords or open triads.
//! - Rhythm: 100 to 160 bpm, straight; snare on 2 and 4, eighths on the hi-hat, a fill every fourth or eighth bar.
//! - Colour: two guitars (one of them sometimes clean and broken), bass guitar, pentatonic solo or a voice.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{Chord, MINOR_PENTATONIC, power};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{Tune, sing};
use crate::music::mix::Production;
use crate::music::score::{Feel, Role, Score, Stroke};

const PROGRESSIONS: [[Chord; 4]; 5] = [
    [power(0), power(10), power(5), power(0)],
    [power(0), power(8), power(10), power(0)],
    [power(0), power(5), power(0), power(7)],
    [power(0), power(3), power(10), power(5)],
    [power(0), power(7), power(5), power(5)],
];

pub(super) fn compose(dice: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = dice.pick(PROGRESSIONS);
    let chart =
        Chart::new(dice.uniform_in([100.0, 160.0]), 4, dice.pick([4, 9, 2, 7, 0]), &changes, duration_s);
    let production = Production::draw(dice, 8500.0);
    let mut score = Score::new(chart.clone(), Feel { looseness_s: 0.006, ..Feel::STRAIGHT }, production);

    score.add(Role::Bass, Plucked::bass_guitar(dice), 0.17, chart.bass(&["11111111"], 28));
    let crunch = Amplifier { drive: dice.around(5.0, 0.9), cabinet_hz: dice.around(4300.0, 0.35) };
    let strum = dice.pick(["xxxxxxxx", "x--xx-x-", "x-x-x-xx", "x-----x-", "X.xxX.xx"]);
    score.add_amplified(Role::Harmony, Plucked::electric(dice), crunch, 0.16, chart.strums(&[strum], 40));
    if dice.bernoulli(0.35) {
        let broken = dice.pick(["01210121", "0123210.", "02120212"]);
        score.add(Role::Harmony, Plucked::electric(dice), 0.09, chart.arpeggio(&[broken], 57));
    }
    if dice.bernoulli(0.2) {
        score.add(Role::Harmony, Instrument::organ(dice), 0.07, chart.chords(&["x-------"], 57));
    }
    lead(dice, &chart, crunch, &mut score);
    let kit = Kit { kick_hz: 60.0, kick_t60_s: 0.3, click: 0.5, snare_t60_s: 0.3, ..Kit::default() };
    let strokes = backbeat(dice, &chart);
    score.add_drums(kit.tuned(dice), 0.14, strokes);
    score
}

fn lead(dice: &mut KeyedRng, chart: &Chart, crunch: Amplifier, score: &mut Score) {
    let tune = Tune {
        rhythms: &["x-x-x---", "xxx-x-x-", "x--xx---", ".xxxx-x-", "x-------"],
        scale: MINOR_PENTATONIC,
        range: (60, 81),
        leap: 0.15,
        bent: 0.25,
        breath: 0.4,
    };
    let notes = sing(dice, chart, &tune);
    if dice.bernoulli(0.45) {
        score.add(Role::Lead, Instrument::voice(dice), 0.13, notes);
    } else {
        let lead = Amplifier { drive: crunch.drive * 1.5, ..crunch };
        score.add_amplified(Role::Lead, Plucked::electric(dice), lead, 0.13, notes);
    }
}

fn backbeat(dice: &mut KeyedRng, chart: &Chart) -> Vec<Stroke> {
    let time_keeper = dice.pick([Drum::ClosedHat, Drum::ClosedHat, Drum::OpenHat, Drum::Ride]);
    let mut strokes = chart.groove(&[
        (Drum::Kick, dice.pick(["x...x...", "x...xx..", "x..xx...", "x....x.x", "xx..xx.."])),
        (Drum::Snare, "..X...X."),
        (time_keeper, "Xxxxxxxx"),
    ]);
    let n_bars = dice.pick([4, 8]);
    add_fills(dice, chart, n_bars, &mut strokes);
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snare_has_the_backbeat() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 20.0);
            let accents = score.strokes.iter().filter(|s| s.drum == Drum::Snare && s.velocity == 1.0);
            let beats: Vec<f64> = accents.map(|s| s.start % 4.0).collect();
            assert!(beats.len() >= score.chart.n_bars, "seed {seed}");
            assert!(beats.iter().all(|beat| *beat == 1.0 || *beat == 3.0), "seed {seed}");
        }
    }
}
