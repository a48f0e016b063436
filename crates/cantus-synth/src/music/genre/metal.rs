//! Composition rules of metal: palm-muted power chords, double kick, fast tempo, high distortion.
//!
//! - Rhythm: 125 to 210 bpm; gallops and straight sixteenths on low strings, often doubled by the kick drum.
//! - Harmony: power chords in E, E♭, D or C, Phrygian seconds and tritones.
//! - Timbre: two guitars with strong clipping; fast runs in the solo.

use cantus_random::KeyedRng;

use super::add_fills;
use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::effect::Amplifier;
use crate::music::harmony::{Chord, MINOR, PHRYGIAN, power};
use crate::music::instrument::Plucked;
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Note, Role, Score};

const RIFFS: [[Chord; 4]; 5] = [
    [power(0), power(0), power(1), power(0)],
    [power(0), power(0), power(8), power(10)],
    [power(0), power(3), power(1), power(0)],
    [power(0), power(6), power(5), power(1)],
    [power(0), power(0), power(3), power(5)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick(RIFFS);
    let chart =
        Chart::new(rng.uniform_in([125.0, 210.0]), 4, rng.pick([4, 4, 2, 0, 3]), &changes, duration_s);
    let production = Production { reverb: rng.uniform_in([0.01, 0.15]), ..Production::draw(rng, 9000.0) };
    let mut score = Score::new(chart.clone(), Feel::STRAIGHT, production);

    let riff = rng.pick([
        "x.xxx.xxx.xxX---", // the gallop
        "xxxxxxxxxxxxX-X-",
        "x.x.X--.x.x.X--.",
        "xxx.xxx.xxx.X---",
        "X--.xxxxX--.xxxx",
    ]);
    let high_gain = Amplifier { drive: rng.around(18.0, 0.8), cabinet_hz: rng.around(4600.0, 0.4) };
    let (muted, open) = chugs(&chart, riff);
    score.add_amplified(Role::Harmony, Plucked::muted(rng), high_gain, 0.17, muted);
    score.add_amplified(Role::Harmony, Plucked::electric(rng), high_gain, 0.17, open);
    let bass_line = if rng.bernoulli(0.5) { "1111111111111111" } else { "11111111" };
    score.add(Role::Bass, Plucked::bass_guitar(rng), 0.14, chart.bass(&[bass_line], 28));
    if rng.bernoulli(0.7) {
        solo(rng, &chart, high_gain, &mut score);
    }
    let kit = Kit { kick_hz: 60.0, kick_t60_s: 0.2, click: 1.2, snare_t60_s: 0.22, ..Kit::default() };
    let drum_hits = double_kick(rng, &chart, riff);
    score.add_drums(kit.tuned(rng), 0.14, drum_hits);
    score
}

/// The notes of the riff: palm-muted ones, and accented ones, which are not muted.
fn chugs(chart: &Chart, riff: &str) -> (Vec<Note>, Vec<Note>) {
    let notes = chart.strums(&[riff], 40);
    notes.into_iter().partition(|note| note.velocity < 0.9)
}

fn solo(rng: &mut KeyedRng, chart: &Chart, high_gain: Amplifier, score: &mut Score) {
    let melody = MelodyStyle {
        rhythms: &["xxxxxxxxxxxxxxxx", "x-xxxxxxx-xxxxxx", "x---x---xxxxxxxx", "x-------x-------"],
        scale: if chart.changes.contains(&power(1).transposed(chart.tonic)) { PHRYGIAN } else { MINOR },
        range: (64, 86),
        leap_probability: 0.1,
        bend_probability: 0.1,
        rest_probability: 0.3,
    };
    let notes = compose_melody(rng, chart, &melody);
    score.add_amplified(Role::Lead, Plucked::electric(rng), high_gain, 0.11, notes);
}

fn double_kick(rng: &mut KeyedRng, chart: &Chart, riff: &str) -> Vec<DrumHit> {
    let with_the_riff = riff.replace(['X', '-'], "x");
    let kick = rng.pick(["xxxxxxxxxxxxxxxx", &with_the_riff, "x.x.x.x.x.x.x.x."]);
    let snare = rng.pick(["..X...X.", "..X...X.", ".X.X.X.X", "....X..."]);
    let cymbal = rng.pick([Drum::Ride, Drum::Crash, Drum::ClosedHat]);
    let mut drum_hits = chart.groove(&[(Drum::Kick, kick), (Drum::Snare, snare), (cymbal, "x.x.x.x.")]);
    add_fills(rng, chart, 4, &mut drum_hits);
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guitars_play_power_chords_and_the_kick_is_doubled() {
        for seed in 0..10 {
            let score = compose(&mut KeyedRng::new([seed, 0]), 20.0);
            let guitars = score.parts.iter().filter(|part| part.role == Role::Harmony);
            for note in guitars.flat_map(|part| &part.notes) {
                // The notes of a strum start within 0.1 beats, thus before the chord changes.
                let chord = score.chart.chord_at(note.start);
                assert!([0, 7].contains(&(note.pitch - chord.root).rem_euclid(12)), "seed {seed}: {note:?}");
            }
            let n_kicks = score.drum_hits.iter().filter(|s| s.drum == Drum::Kick).count();
            assert!(n_kicks >= score.chart.n_bars * 8, "seed {seed}: {n_kicks}");
        }
    }
}
