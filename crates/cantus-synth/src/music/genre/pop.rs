//! Composition rules of pop: four-chord progression, vocal melody, synthesizers, claps.
//!
//! - Harmony: I–V–vi–IV and its rotations.
//! - Rhythm: 90 to 130 bpm, straight; kick syncopated or on every beat; claps on 2 and 4.
//! - Timbre: pads, plucked arpeggio, synthesizer bass, voice; wide bandwidth, no distorted instruments.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::harmony::{Chord, MAJOR, MAJOR_PENTATONIC, major, minor};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Role, Score};

const PROGRESSIONS: [[Chord; 4]; 5] = [
    [major(0), major(7), minor(9), major(5)],
    [minor(9), major(5), major(0), major(7)],
    [major(0), minor(9), major(5), major(7)],
    [major(5), major(7), minor(9), major(0)],
    [major(5), major(0), major(7), minor(9)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(PROGRESSIONS);
    let chart = Chart::new(rng.uniform_in([90.0, 130.0]), 4, rng.between(0, 11), &changes, duration_s);
    let production = Production::draw(rng, 10_000.0);
    let mut score = Score::new(chart.clone(), Feel::STRAIGHT, production);

    let line = rng.pick(["11111111", "1--1--1-", "1-1-1-15", "1-------"]);
    let bass = if rng.bernoulli(0.7) { Instrument::synth_bass(rng) } else { Plucked::bass_guitar(rng) };
    score.add(Role::Bass, bass, 0.16, chart.bass(&[line], 29));
    if rng.bernoulli(0.8) {
        score.add(Role::Harmony, Instrument::synth_pad(rng), 0.09, chart.chords(&["x-------"], 55));
    }
    if rng.bernoulli(0.6) {
        let broken = rng.pick(["01230123", "02132132", "0.12.21.", "3210321032103210"]);
        let instrument = match rng.below(3) {
            0 => Plucked::steel_string(rng),
            1 => Instrument::synth_lead(rng),
            _ => Plucked::muted(rng),
        };
        score.add(Role::Harmony, instrument, 0.08, chart.arpeggio(&[broken], 60));
    }
    if score.parts.len() == 1 || rng.bernoulli(0.35) {
        let stabs = rng.pick(["x--x--x-", "x-x-x-x-", "x---x---"]);
        score.add(Role::Harmony, Instrument::piano(rng), 0.1, chart.chords(&[stabs], 57));
    }
    lead(rng, &chart, &mut score);
    let kit = Kit {
        kick_hz: 52.0,
        kick_t60_s: 0.3,
        click: 0.6,
        snare_t60_s: 0.2,
        cymbal_hz: 7000.0,
        ..Kit::default()
    };
    let drum_hits = beat(rng, &chart);
    score.add_drums(kit.tuned(rng), 0.13, drum_hits);
    score
}

fn lead(rng: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["x-x-x-x-", "x--xx-x-", ".xx-xxx-", "x-xxx---", "x---..xx"],
        scale: rng.pick([MAJOR, MAJOR_PENTATONIC]),
        range: (62, 79),
        leap_probability: 0.15,
        bend_probability: 0.15,
        rest_probability: 0.2,
    };
    let notes = compose_melody(rng, chart, &melody);
    let singer = if rng.bernoulli(0.7) { Instrument::voice(rng) } else { Instrument::synth_lead(rng) };
    score.add(Role::Lead, singer, 0.14, notes);
}

fn beat(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let kick = rng.pick(["x...x...x...x...", "x.....x.x.......", "x..x..x.x..x....", "x.......x.x....."]);
    let hats = rng.pick(["x.x.x.x.x.x.x.x.", "..x...x...x...x.", "xoxoxoxoxoxoxoxo"]);
    let back = rng.pick([Drum::Clap, Drum::Clap, Drum::Snare]);
    let mut drum_hits = chart.groove(&[(Drum::Kick, kick), (back, "..x...x."), (Drum::ClosedHat, hats)]);
    if rng.bernoulli(0.4) {
        drum_hits.extend(chart.drum(Drum::Shaker, &["xoxoxoxoxoxoxoxo"]));
    }
    add_fills(rng, chart, 8, &mut drum_hits);
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_song_has_its_four_chords() {
        for seed in 0..10 {
            let chart = compose(&mut KeyedRng::new([seed, 0]), 20.0).chart;
            let mut roots: Vec<i32> =
                chart.changes.iter().map(|chord| (chord.root - chart.tonic).rem_euclid(12)).collect();
            roots.sort_unstable();
            assert_eq!(roots, [0, 5, 7, 9], "I, IV, V and vi; seed {seed}");
        }
    }
}
