//! Composition rules of disco: kick on every beat, open hi-hat on the offbeats, octave bass, strings.
//!
//! - Rhythm: 110 to 130 bpm; kick on all four beats (four on the floor), snare and clap on 2 and 4, sixteenths on a
//!   muted guitar.
//! - Harmony: minor-key loops and ii–V vamps with sevenths.
//! - Timbre: string section runs, brass stabs, electric piano.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::harmony::{Chord, DORIAN, MINOR, dominant, major, major7, minor, minor7};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Role, Score};

const PROGRESSIONS: [[Chord; 4]; 5] = [
    [minor7(0), minor7(5), dominant(10), major7(3)],
    [minor(0), major(10), major(8), dominant(7)],
    [minor7(0), minor7(0), dominant(5), dominant(5)],
    [major7(8), dominant(10), minor7(0), minor7(0)],
    [minor7(0), minor7(7), minor7(5), dominant(7)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(PROGRESSIONS);
    let chart = Chart::new(rng.uniform_in([110.0, 130.0]), 4, rng.between(0, 11), &changes, duration_s);
    let production = Production::draw(rng, 9500.0);
    let mut score = Score::new(chart.clone(), Feel::STRAIGHT, production);

    let octaves = rng.pick([["1-8-1-8-1-8-1-8-"], ["1.8.1.8.1.81.81."], ["1.881.881.881.57"]]);
    let bass = if rng.bernoulli(0.7) { Plucked::bass_guitar(rng) } else { Instrument::synth_bass(rng) };
    score.add(Role::Bass, bass, 0.17, chart.bass(&octaves, 29));
    if rng.bernoulli(0.75) {
        let scratch = rng.pick([["..x...xo..x.x.x."], ["x.xx.ox.x.xx.ox."], ["..xo..xo..xo..xo"]]);
        score.add(Role::Harmony, Plucked::muted(rng), 0.08, chart.chords(&scratch, 60));
    }
    let pad = rng.pick([["x-------"], ["x--x--x-"], ["x---x---"]]);
    let keys = match rng.below(3) {
        0 => Instrument::electric_piano(rng),
        1 => Instrument::piano(rng),
        _ => Instrument::string_section(rng),
    };
    score.add(Role::Harmony, keys, 0.09, chart.chords(&pad, 57));
    lead(rng, &chart, &mut score);
    let kit = Kit { kick_hz: 58.0, kick_t60_s: 0.28, click: 0.5, ..Kit::default() };
    let drum_hits = four_on_the_floor(rng, &chart);
    score.add_drums(kit.tuned(rng), 0.15, drum_hits);
    score
}

fn lead(rng: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let stabs = MelodyStyle {
        rhythms: &["x.x...xx", "...x..x-", "x--x--x-", "xxxxx---", "x-------"],
        scale: if chart.changes.iter().any(|chord| chord.root == (chart.tonic + 8) % 12) {
            MINOR
        } else {
            DORIAN
        },
        range: (65, 86),
        leap_probability: 0.2,
        bend_probability: 0.05,
        rest_probability: 0.3,
    };
    let notes = compose_melody(rng, chart, &stabs);
    let instrument = match rng.below(4) {
        0 => Instrument::brass_section(rng),
        1 => Instrument::voice(rng),
        _ => Instrument::string_section(rng),
    };
    score.add(Role::Lead, instrument, 0.12, notes);
}

fn four_on_the_floor(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let mut drum_hits = chart.groove(&[
        (Drum::Snare, "..x...x."),
        (Drum::OpenHat, ".X.X.X.X"),
        (Drum::ClosedHat, rng.pick(["x.o.x.o.x.o.x.o.", "x...x...x...x...", "xo.oxo.oxo.oxo.o"])),
    ]);
    if rng.bernoulli(0.6) {
        drum_hits.extend(chart.drum(Drum::Clap, &["..x...x."]));
    }
    add_fills(rng, chart, 8, &mut drum_hits);
    drum_hits.extend(chart.drum(Drum::Kick, &["XXXX"])); // added last, so that fills do not replace it
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kick_is_on_every_beat_and_nowhere_else() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 30.0);
            let kicks: Vec<f64> =
                score.drum_hits.iter().filter(|s| s.drum == Drum::Kick).map(|s| s.start).collect();
            let beats: Vec<f64> = (0..score.chart.n_bars * 4).map(|beat| beat as f64).collect();
            assert_eq!(kicks, beats, "seed {seed}");
        }
    }
}
