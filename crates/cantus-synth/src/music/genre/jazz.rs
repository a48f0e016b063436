//! Composition rules of jazz: ii–V–I, walking bass, ride cymbal, solos with chromatic approach notes.
//!
//! - Harmony: cadences ii–V–I in major and minor, turnarounds, falling fifths, modal; seventh chords only.
//! - Rhythm: swing, 95 to 220 bpm; swing pattern on the ride, hi-hat on 2 and 4, occasional kick and snare.
//! - Bass: quarter notes, chord tones on the strong beats, a chromatic neighbour before each new chord.
//! - Solo: eighths, mostly steps, chord tones on the beat, approached by half steps.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::drums::{Drum, Kit};
use crate::music::harmony::{Chord, DORIAN, MAJOR, dominant, half_diminished, major7, minor7};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, chord_tone_near, compose_melody};
use crate::music::production::Production;
use crate::music::score::{DrumHit, Feel, Note, Role, Score};

const CADENCES: [Chord; 8] =
    [minor7(2), dominant(7), major7(0), major7(0), minor7(2), dominant(7), major7(0), dominant(9)];
const TURNAROUND: [Chord; 8] =
    [major7(0), dominant(9), minor7(2), dominant(7), minor7(4), dominant(9), minor7(2), dominant(7)];
/// Falling fifths from the key to its relative minor, as in "Autumn Leaves".
const LEAVES: [Chord; 8] =
    [minor7(2), dominant(7), major7(0), major7(5), half_diminished(11), dominant(4), minor7(9), dominant(9)];
/// A minor seventh chord, with two bars a half step higher.
const MODAL: [Chord; 8] =
    [minor7(2), minor7(2), minor7(2), minor7(2), minor7(3), minor7(3), minor7(2), minor7(2)];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let changes = rng.pick([CADENCES, TURNAROUND, LEAVES, LEAVES, MODAL]);
    let key = rng.pick([10, 5, 3, 0, 8, 7]); // B♭, F, E♭, C, A♭, G: mostly flat keys, which wind instruments prefer
    let tempo = rng.uniform_in([95.0, 220.0]);
    let chart = Chart::new(tempo, 4, key, &changes, duration_s);
    let production =
        Production { crackles_per_s: rng.pick([0.0, 0.0, 6.0]), ..Production::draw(rng, 7000.0) };
    let mut score = Score::new(chart.clone(), Feel::swung(rng.uniform_in([0.58, 0.67])), production);

    let bass_line = walking_bass(rng, &chart);
    score.add(Role::Bass, Plucked::upright_bass(rng), 0.2, bass_line);
    let comp = rng.pick([["x..x....", "...x..x-"], ["..x-...x", ".x--...."], ["x--x----", "...x...."]]);
    let (keys, level) = match rng.below(4) {
        0 => (Plucked::electric(rng), 0.08),
        1 => (Instrument::electric_piano(rng), 0.1),
        _ => (Instrument::piano(rng), 0.1),
    };
    score.add(Role::Harmony, keys, level, chart.chords(&comp, 53));
    let solo = improvise(rng, &chart);
    let horn = match rng.below(5) {
        0 => Instrument::piano(rng),
        1 => Plucked::electric(rng),
        2 => Instrument::trumpet(rng),
        _ => Instrument::saxophone(rng),
    };
    score.add(Role::Lead, horn, 0.15, solo);
    if rng.bernoulli(0.9) {
        let kit = Kit {
            kick_hz: 80.0,
            kick_t60_s: 0.2,
            click: 0.1,
            cymbal_hz: 4800.0,
            ring: 1.2,
            ..Kit::default()
        };
        let drum_hits = swing_time(rng, &chart);
        score.add_drums(kit.tuned(rng), 0.07, drum_hits);
    }
    score
}

/// Four quarters in a bar: the root, two chord tones, and a tone a half step from the next root.
fn walking_bass(rng: &mut KeyedRng, chart: &Chart) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut pitch = chart.chord_at(0.0).root_from(36);
    for beat in 0..chart.n_bars * 4 {
        let chord = chart.chord_at(beat as f64);
        let next_root = nearest_root(chart.chord_at((beat + 1) as f64), pitch);
        pitch = match beat % 4 {
            0 => nearest_root(chord, pitch),
            3 => next_root + rng.pick([-1, 1]),
            _ => chord_tone_near(chord, pitch + rng.pick([-4, 3, 4])),
        };
        let velocity = if beat % 2 == 1 { 0.85 } else { 0.75 };
        notes.push(Note { start: beat as f64, duration: 0.9, pitch, velocity, bend: 0.0 });
    }
    notes
}

/// The root closest to a pitch, within the register of a double bass.
fn nearest_root(chord: Chord, pitch: i32) -> i32 {
    let root = chord.root_from(pitch - 5);
    if root < 29 {
        root + 12
    } else if root > 50 {
        root - 12
    } else {
        root
    }
}

fn improvise(rng: &mut KeyedRng, chart: &Chart) -> Vec<Note> {
    let modal = chart.changes[0] == chart.changes[1];
    let (tonic, scale) = if modal { (chart.tonic + 2, DORIAN) } else { (chart.tonic, MAJOR) };
    let melody = MelodyStyle {
        rhythms: &["xxxxxxx-", "x-xxxxxx", ".xxxxxx-", "x--x.xxx", "xxxxx---"],
        scale,
        range: (58, 82),
        leap_probability: 0.18,
        bend_probability: 0.08,
        rest_probability: 0.4,
    };
    let mut notes = compose_melody(rng, &Chart { tonic, ..chart.clone() }, &melody);
    enclose(rng, chart, &mut notes);
    notes
}

/// Moves about half of the offbeat eighths before a chord tone to a half step from it, as in bebop.
fn enclose(rng: &mut KeyedRng, chart: &Chart, notes: &mut [Note]) {
    for i in 1..notes.len() {
        let target = notes[i];
        let approach = &mut notes[i - 1];
        let close = target.start - approach.start <= 0.5;
        if close
            && target.start.fract() == 0.0
            && chart.chord_at(target.start).contains(target.pitch)
            && rng.bernoulli(0.5)
        {
            approach.pitch = target.pitch + rng.pick([-1, -1, 1]);
        }
    }
}

fn swing_time(rng: &mut KeyedRng, chart: &Chart) -> Vec<DrumHit> {
    let mut drum_hits = chart.groove(&[(Drum::Ride, "X.xoX.xo"), (Drum::ClosedHat, "..x...x.")]);
    if rng.bernoulli(0.4) {
        drum_hits.extend(chart.drum(Drum::Brush, &["x.o.x.o."]));
    }
    let accents = chart.groove(&[(Drum::Snare, "...o.o.o"), (Drum::Kick, "o....o.o")]);
    drum_hits.extend(accents.into_iter().filter(|_| rng.bernoulli(0.3)));
    drum_hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bass_plays_quarters_and_approaches_the_next_root_by_a_half_step() {
        let chart = Chart::new(140.0, 4, 5, &CADENCES, 30.0);
        let notes = walking_bass(&mut KeyedRng::new([4, 0]), &chart);
        assert_eq!(notes.len(), chart.n_bars * 4);
        for bar in notes.chunks_exact(4).zip(notes[4..].iter().step_by(4)) {
            let (now, next) = bar;
            assert_eq!((now[3].pitch - next.pitch).abs(), 1, "{now:?}");
            assert_eq!((now[0].pitch - chart.chord_at(now[0].start).root).rem_euclid(12), 0);
        }
    }

    #[test]
    fn the_ride_swings() {
        let score = compose(&mut KeyedRng::new([1, 0]), 20.0);
        assert!(score.feel.swing > 0.57);
        assert!(score.chart.changes.iter().all(|chord| chord.intervals().len() == 4), "sevenths throughout");
    }
}
