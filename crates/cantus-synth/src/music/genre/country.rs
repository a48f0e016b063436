//! Composition rules of country: bass on beats 1 and 3, strums on 2 and 4 (boom-chick), slide instruments.
//!
//! - Harmony: I, IV and V, triads, long stretches of one chord.
//! - Rhythm: two-beat, 96 to 148 bpm, straight or lightly swung; the bass alternates root and fifth; the drummer
//!   plays a train beat with brushes, or a side stick on the backbeat.
//! - Timbre: steel-string guitar, banjo rolls, pedal steel, fiddle; major pentatonic.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{Chord, MAJOR_PENTATONIC, dominant, major, minor};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Role, Score};

const PROGRESSIONS: [[Chord; 8]; 4] = [
    [major(0), major(0), major(5), major(0), major(0), major(0), dominant(7), major(0)],
    [major(0), major(5), major(0), dominant(7), major(0), major(5), dominant(7), major(0)],
    [major(0), major(0), major(7), major(7), major(5), major(5), major(0), dominant(7)],
    [major(0), minor(9), major(5), major(7), major(0), minor(9), major(5), dominant(7)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(PROGRESSIONS);
    let key = rng.pick([7, 0, 2, 9, 4]); // G, C, D, A, E: keys with open strings on the guitar
    let chart = Chart::new(rng.uniform_in([96.0, 148.0]), 4, key, &changes, duration_s);
    let feel = Feel { swing: rng.pick([0.5, 0.5, 0.56, 0.62]), timing_jitter_s: 0.006, ..Feel::STRAIGHT };
    let production = Production::draw(rng, 7500.0);
    let mut score = Score::new(chart.clone(), feel, production);

    let bass = if rng.bernoulli(0.5) { Plucked::upright_bass(rng) } else { Plucked::bass_guitar(rng) };
    score.add(Role::Bass, bass, 0.18, chart.bass(&["1---5---", "1---5-3-"], 28));
    let chick = rng.pick([["..x...x."], ["..x-..xo"], ["..xo..xo"]]);
    score.add(Role::Harmony, Plucked::steel_string(rng), 0.12, chart.strums(&chick, 45));
    if rng.bernoulli(0.5) {
        let roll = rng.pick(["0213021302130213", "0120312001203120", "3210321032103210"]);
        let rolling = if rng.bernoulli(0.6) { Plucked::banjo(rng) } else { Plucked::steel_string(rng) };
        score.add(Role::Harmony, rolling, 0.09, chart.arpeggio(&[roll], 57));
    }
    lead(rng, &chart, &mut score);
    if rng.bernoulli(0.75) {
        let kit = Kit { kick_hz: 65.0, kick_t60_s: 0.22, click: 0.2, snare_t60_s: 0.15, ..Kit::default() };
        let drum_hits = two_beat(rng, &chart);
        score.add_drums(kit.tuned(rng), 0.08, drum_hits);
    }
    score
}

fn lead(rng: &mut KeyedRng, chart: &Chart, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["x--xx-x-", "x-x-x---", "xxx-x-x-", "x---x-xx", ".xxxx---"],
        scale: MAJOR_PENTATONIC,
        range: (62, 81),
        leap_probability: 0.12,
        bend_probability: 0.35,
        rest_probability: 0.5,
    };
    let notes = compose_melody(rng, chart, &melody);
    match rng.below(4) {
        0 => score.add(Role::Lead, Instrument::violin(rng), 0.11, notes),
        1 => score.add(Role::Lead, Instrument::voice(rng), 0.13, notes),
        2 => {
            let twang = Amplifier { drive: rng.uniform_in([1.0, 2.0]), cabinet_hz: 6000.0 };
            score.add_amplified(Role::Lead, Plucked::electric(rng), twang, 0.13, notes);
        }
        _ => score.add(Role::Lead, Instrument::pedal_steel(rng), 0.12, notes),
    }
}

fn two_beat(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    if rng.bernoulli(0.4) {
        // Train beat: sixteenths on the snare with offbeat accents.
        return chart.groove(&[(Drum::Kick, "x...x..."), (Drum::Brush, "ooXoooXoooXoooXo")]);
    }
    let back = rng.pick([Drum::SideStick, Drum::Snare]);
    chart.groove(&[(Drum::Kick, "x...x..."), (back, "..x...x."), (Drum::ClosedHat, "x.x.x.x.")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bass_alternates_root_and_fifth_on_one_and_three() {
        let score = compose(&mut KeyedRng::new([3, 0]), 20.0);
        let bass = &score.parts[0];
        assert_eq!(bass.role, Role::Bass);
        for note in bass.notes.iter().filter(|note| note.start % 2.0 == 0.0) {
            let above = (note.pitch - score.chart.chord_at(note.start).root).rem_euclid(12);
            assert_eq!(above, if note.start % 4.0 == 0.0 { 0 } else { 7 }, "{note:?}");
        }
    }
}
