//! Composition rules of blues: twelve-bar form of dominant sevenths, shuffled eighths, call and response.
//!
//! - Form: the twelve-bar blues, often with the quick change to IV in bar 2; the turnaround ends on V.
//! - Rhythm: triplet shuffle, 65 to 130 bpm; backbeat; bass walking 1-3-5-6.
//! - Guitar: boogie figure, alternating fifth and sixth above the root.
//! - Solo: blues scale, notes bent from below; the fourth bar of a phrase is mostly a rest.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{BLUES, Chord, dominant};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Note, Role, Score};

const I: Chord = dominant(0);
const IV: Chord = dominant(5);
const V: Chord = dominant(7);

pub(in crate::music) const TWELVE_BARS: [Chord; 12] = [I, I, I, I, IV, IV, I, I, V, IV, I, V];
const QUICK_CHANGE: [Chord; 12] = [I, IV, I, I, IV, IV, I, I, V, IV, I, V];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick([TWELVE_BARS, QUICK_CHANGE]);
    let key = rng.pick([4, 9, 7, 0, 10, 2]); // E, A, G, C, B♭, D; E, A and G are easy on the guitar
    let chart = Chart::new(rng.uniform_in([65.0, 130.0]), 4, key, &changes, duration_s);
    let production =
        Production { crackles_per_s: rng.pick([0.0, 0.0, 6.0]), ..Production::draw(rng, 6500.0) };
    let mut score = Score::new(chart.clone(), Feel::swung(rng.uniform_in([0.62, 0.68])), production);

    let walking = rng.pick([["1-3-5-6-", "8-6-5-3-"], ["1-1-3-5-", "6-5-3-1-"], ["1-3-5-6-", "7-6-5-3-"]]);
    let bass = if rng.bernoulli(0.5) { Plucked::upright_bass(rng) } else { Plucked::bass_guitar(rng) };
    score.add(Role::Bass, bass, 0.2, chart.bass(&walking, 28));

    let crunch = Amplifier { drive: rng.around(2.0, 0.7), cabinet_hz: rng.around(3800.0, 0.3) };
    if rng.bernoulli(0.75) {
        score.add_amplified(Role::Harmony, Plucked::electric(rng), crunch, 0.13, boogie(&chart));
    }
    if rng.bernoulli(0.4) {
        let comp = rng.pick([["..x-..x-"], ["...x..x-"], ["x--x----"]]);
        let keys = if rng.bernoulli(0.6) { Instrument::piano(rng) } else { Instrument::organ(rng) };
        score.add(Role::Harmony, keys, 0.08, chart.chords(&comp, 55));
    }
    if score.parts.len() == 1 {
        score.add(Role::Harmony, Plucked::steel_string(rng), 0.15, boogie(&chart));
    }
    solo(rng, &chart, crunch, &mut score);
    if rng.bernoulli(0.85) {
        let drum_hits = shuffle(rng, &chart);
        let kit = Kit { kick_hz: 62.0, click: 0.25, cymbal_hz: 5000.0, ..Kit::default() };
        score.add_drums(kit.tuned(rng), 0.11, drum_hits);
    }
    score
}

/// The boogie figure: root with fifth, then root with sixth, two eighths each.
fn boogie(chart: &Chart) -> Vec<Note> {
    let low = chart.bass(&["11111111"], 40);
    let high = chart.bass(&["55665566"], 40);
    low.into_iter().chain(high).collect()
}

fn solo(rng: &mut KeyedRng, chart: &Chart, crunch: Amplifier, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["x-xxx---", "xxx-x---", ".xxxx-x-", "x--xx---", "..xxxxx-"],
        scale: BLUES,
        range: (60, 80),
        leap_probability: 0.2,
        bend_probability: 0.45,
        rest_probability: 0.8,
    };
    let notes = compose_melody(rng, chart, &melody);
    match rng.below(4) {
        0 => score.add(Role::Lead, Instrument::harmonica(rng), 0.15, notes),
        1 => score.add(Role::Lead, Instrument::saxophone(rng), 0.14, notes),
        _ => {
            let lead = Amplifier { drive: crunch.drive * 2.0, ..crunch };
            score.add_amplified(Role::Lead, Plucked::electric(rng), lead, 0.15, notes);
        }
    }
}

fn shuffle(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let time_keeper = rng.pick([Drum::ClosedHat, Drum::Ride]);
    let mut drum_hits = chart.groove(&[
        (Drum::Kick, rng.pick(["x...x...", "x...xx..", "x..xx..."])),
        (Drum::Snare, rng.pick(["..X...X.", "..X..oX.", "..X...Xo"])),
        (time_keeper, "Xoxoxoxo"),
    ]);
    add_fills(rng, chart, 12, &mut drum_hits);
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_has_twelve_bars_on_i_iv_and_v() {
        for seed in 0..10 {
            let chart = compose(&mut KeyedRng::new([seed, 0]), 30.0).chart;
            assert_eq!(chart.changes.len(), 12);
            let degrees: Vec<i32> =
                chart.changes.iter().map(|chord| (chord.root - chart.tonic).rem_euclid(12)).collect();
            assert_eq!((degrees[0], degrees[4], degrees[6], degrees[8]), (0, 5, 0, 7), "seed {seed}");
        }
    }

    #[test]
    fn eighths_are_shuffled() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 10.0);
            let beat_s = score.seconds(1.0) - score.seconds(0.0);
            let late = (score.seconds(0.5) - score.seconds(0.0)) / beat_s;
            assert!((0.6..0.7).contains(&late), "seed {seed}: {late}");
        }
    }
}
