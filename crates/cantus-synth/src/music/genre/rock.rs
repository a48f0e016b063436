//! Composition rules of rock: distorted guitars, backbeat, eighths in the bass.
//!
//! - Harmony: I–♭VII–IV, i–♭VI–♭VII and similar progressions of power chords.
//! - Rhythm: 100 to 160 bpm, straight; snare on 2 and 4, eighths on the hi-hat, a fill every fourth or eighth bar.
//! - Timbre: distorted guitar, sometimes a clean one with broken chords, bass guitar; pentatonic guitar solo or voice.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{Chord, MINOR_PENTATONIC, power};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Role, Score};

const PROGRESSIONS: [[Chord; 4]; 5] = [
    [power(0), power(10), power(5), power(0)],
    [power(0), power(8), power(10), power(0)],
    [power(0), power(5), power(0), power(7)],
    [power(0), power(3), power(10), power(5)],
    [power(0), power(7), power(5), power(5)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(PROGRESSIONS);
    let chart =
        Chart::new(rng.uniform_in([100.0, 160.0]), 4, rng.pick([4, 9, 2, 7, 0]), &changes, duration_s);
    let production = Production::draw(rng, 8500.0);
    let mut score = Score::new(chart.clone(), Feel { timing_jitter_s: 0.006, ..Feel::STRAIGHT }, production);

    score.add(Role::Bass, Plucked::bass_guitar(rng), 0.17, chart.bass(&["11111111"], 28));
    let crunch = Amplifier { drive: rng.around(5.0, 0.9), cabinet_hz: rng.around(4300.0, 0.35) };
    let strum = rng.pick(["xxxxxxxx", "x--xx-x-", "x-x-x-xx", "x-----x-", "X.xxX.xx"]);
    score.add_amplified(Role::Harmony, Plucked::electric(rng), crunch, 0.16, chart.strums(&[strum], 40));
    if rng.bernoulli(0.35) {
        let broken = rng.pick(["01210121", "0123210.", "02120212"]);
        score.add(Role::Harmony, Plucked::electric(rng), 0.09, chart.arpeggio(&[broken], 57));
    }
    if rng.bernoulli(0.2) {
        score.add(Role::Harmony, Instrument::organ(rng), 0.07, chart.chords(&["x-------"], 57));
    }
    lead(rng, &chart, crunch, &mut score);
    let kit = Kit { kick_hz: 60.0, kick_t60_s: 0.3, click: 0.5, snare_t60_s: 0.3, ..Kit::default() };
    let drum_hits = backbeat(rng, &chart);
    score.add_drums(kit.tuned(rng), 0.14, drum_hits);
    score
}

fn lead(rng: &mut KeyedRng, chart: &Chart, crunch: Amplifier, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["x-x-x---", "xxx-x-x-", "x--xx---", ".xxxx-x-", "x-------"],
        scale: MINOR_PENTATONIC,
        range: (60, 81),
        leap_probability: 0.15,
        bend_probability: 0.25,
        rest_probability: 0.4,
    };
    let notes = compose_melody(rng, chart, &melody);
    if rng.bernoulli(0.45) {
        score.add(Role::Lead, Instrument::voice(rng), 0.13, notes);
    } else {
        let lead = Amplifier { drive: crunch.drive * 1.5, ..crunch };
        score.add_amplified(Role::Lead, Plucked::electric(rng), lead, 0.13, notes);
    }
}

fn backbeat(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let time_keeper = rng.pick([Drum::ClosedHat, Drum::ClosedHat, Drum::OpenHat, Drum::Ride]);
    let mut drum_hits = chart.groove(&[
        (Drum::Kick, rng.pick(["x...x...", "x...xx..", "x..xx...", "x....x.x", "xx..xx.."])),
        (Drum::Snare, "..X...X."),
        (time_keeper, "Xxxxxxxx"),
    ]);
    let n_bars = rng.pick([4, 8]);
    add_fills(rng, chart, n_bars, &mut drum_hits);
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_of_the_snare_are_on_two_and_four() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 20.0);
            let accents = score.drum_hits.iter().filter(|s| s.drum == Drum::Snare && s.velocity == 1.0);
            let beats: Vec<f64> = accents.map(|s| s.start % 4.0).collect();
            assert!(beats.len() >= score.chart.n_bars, "seed {seed}");
            assert!(beats.iter().all(|beat| *beat == 1.0 || *beat == 3.0), "seed {seed}");
        }
    }
}
