//! Composition rules of classical music: string quartet, piano, violin with piano, or guitar; rubato and dynamics; no drums.
//!
//! - Harmony: functional progressions (I–IV–V–I, falling fifths, Pachelbel's), major or minor, one chord a bar.
//! - Texture: voices that move to the nearest chord tones, or a melody over an Alberti bass (low, high, middle, high).
//! - Rhythm: 3/4 or 4/4 with rubato; crescendo and decrescendo in each phrase.

use cantus_random::KeyedRng;

use crate::music::chart::Chart;
use crate::music::draw::Draw;
use crate::music::elementary::sine;
use crate::music::harmony::{Chord, MAJOR, MINOR, Scale, dominant, half_diminished, major, minor};
use crate::music::instrument::{Instrument, Plucked};
use crate::music::melody::{MelodyStyle, compose_melody};
use crate::music::production::Production;
use crate::music::score::{Feel, Note, Role, Score};

const MAJOR_PROGRESSIONS: [[Chord; 8]; 4] = [
    [major(0), major(5), dominant(7), major(0), minor(9), minor(2), dominant(7), major(0)],
    [major(0), major(7), minor(9), minor(4), major(5), major(0), major(5), dominant(7)],
    [major(0), minor(9), minor(2), dominant(7), major(0), major(5), dominant(7), major(0)],
    [major(0), dominant(7), dominant(7), major(0), major(5), major(0), dominant(7), major(0)],
];
const MINOR_PROGRESSIONS: [[Chord; 8]; 3] = [
    [minor(0), minor(5), major(10), major(3), major(8), half_diminished(2), dominant(7), minor(0)],
    [minor(0), dominant(7), minor(0), minor(5), minor(0), major(8), dominant(7), minor(0)],
    [minor(0), major(8), minor(5), dominant(7), minor(0), major(3), dominant(7), minor(0)],
];

pub(super) fn compose(rng: &mut KeyedRng, duration_s: f64) -> Score {
    let (changes, scale) = if rng.bernoulli(0.6) {
        (rng.pick(MAJOR_PROGRESSIONS), MAJOR)
    } else {
        (rng.pick(MINOR_PROGRESSIONS), MINOR)
    };
    let beats_per_bar = rng.pick([3, 4, 4]);
    let tempo = rng.uniform_in([60.0, 126.0]);
    let chart = Chart::new(tempo, beats_per_bar, rng.between(0, 11), &changes, duration_s);
    let feel = Feel { rubato: rng.uniform_in([0.1, 0.4]), timing_jitter_s: 0.012, ..Feel::STRAIGHT };
    let hall = Production {
        reverb: rng.uniform_in([0.12, 0.4]),
        reverb_s: rng.uniform_in([1.2, 2.8]),
        ..Production::draw(rng, 8000.0)
    };
    let mut score = Score::new(chart.clone(), feel, hall);
    match rng.below(4) {
        0 => quartet(rng, &chart, scale, &mut score),
        1 => keyboard(rng, &chart, scale, &mut score),
        2 => duo(rng, &chart, scale, &mut score),
        _ => guitar(rng, &chart, scale, &mut score),
    }
    for part in &mut score.parts {
        swell(&chart, &mut part.notes);
    }
    score
}

/// String quartet: melody in the first violin, harmony in the other strings.
fn quartet(rng: &mut KeyedRng, chart: &Chart, scale: Scale, score: &mut Score) {
    let held = if rng.bernoulli(0.5) { whole_bar(chart) } else { beats(chart) };
    score.add(Role::Bass, Instrument::violin(rng), 0.13, chart.bass(&[&held], 36));
    let chords = chart.chords(&[&held], 52);
    let middle = if rng.bernoulli(0.4) { Instrument::string_section(rng) } else { Instrument::violin(rng) };
    score.add(Role::Harmony, middle, 0.12, chords);
    let notes = compose_melody(rng, chart, &melody(chart, scale, (67, 86)));
    score.add(Role::Lead, Instrument::violin(rng), 0.12, notes);
}

/// Solo piano: Alberti bass in the left hand, melody in the right.
fn keyboard(rng: &mut KeyedRng, chart: &Chart, scale: Scale, score: &mut Score) {
    score.add(Role::Harmony, Instrument::piano(rng), 0.1, chart.arpeggio(&[alberti(chart)], 48));
    let notes = compose_melody(rng, chart, &melody(chart, scale, (66, 86)));
    score.add(Role::Lead, Instrument::piano(rng), 0.16, notes);
}

/// A violin with a piano.
fn duo(rng: &mut KeyedRng, chart: &Chart, scale: Scale, score: &mut Score) {
    score.add(Role::Bass, Instrument::piano(rng), 0.08, chart.bass(&[&whole_bar(chart)], 36));
    score.add(Role::Harmony, Instrument::piano(rng), 0.1, chart.arpeggio(&[alberti(chart)], 52));
    let notes = compose_melody(rng, chart, &melody(chart, scale, (64, 86)));
    score.add(Role::Lead, Instrument::violin(rng), 0.13, notes);
}

/// Solo nylon-string guitar: bass, broken chords and melody.
fn guitar(rng: &mut KeyedRng, chart: &Chart, scale: Scale, score: &mut Score) {
    let guitar = Plucked::nylon_string(rng);
    score.add(Role::Bass, guitar.clone(), 0.1, chart.bass(&[&whole_bar(chart)], 40));
    score.add(Role::Harmony, guitar.clone(), 0.1, chart.arpeggio(&[alberti(chart)], 52));
    let notes = compose_melody(rng, chart, &melody(chart, scale, (64, 80)));
    score.add(Role::Lead, guitar, 0.12, notes);
}

fn whole_bar(chart: &Chart) -> String {
    format!("x{}", "-".repeat(chart.beats_per_bar - 1))
}

fn beats(chart: &Chart) -> String {
    "x".repeat(chart.beats_per_bar)
}

fn alberti(chart: &Chart) -> &'static str {
    if chart.beats_per_bar == 3 { "021212" } else { "02120212" }
}

fn melody(chart: &Chart, scale: Scale, range: (i32, i32)) -> MelodyStyle<'static> {
    const IN_THREE: &[&str] = &["x---x-", "x-x-x-", "x--xxx", "x-----", "x-xxx-"];
    const IN_FOUR: &[&str] = &["x---x---", "x-x-x-xx", "x--xx-x-", "x-------", "xxxxx---"];
    let rhythms = if chart.beats_per_bar == 3 { IN_THREE } else { IN_FOUR };
    MelodyStyle {
        rhythms,
        scale,
        range,
        leap_probability: 0.15,
        bend_probability: 0.0,
        rest_probability: 0.1,
    }
}

/// Crescendo to the middle of each four-bar phrase, and decrescendo after it.
fn swell(chart: &Chart, notes: &mut [Note]) {
    let phrase = (4 * chart.beats_per_bar) as f64;
    for note in notes {
        let place = (note.start / phrase).fract() as f32;
        note.velocity *= 0.65 + 0.4 * sine(0.5 * place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_drums() {
        for seed in 0..20 {
            assert!(compose(&mut KeyedRng::new([seed, 0]), 30.0).drum_hits.is_empty(), "seed {seed}");
        }
    }

    #[test]
    fn rubato_changes_the_tempo_and_keeps_beats_in_order() {
        let score = compose(&mut KeyedRng::new([2, 0]), 30.0);
        let times: Vec<f64> = (0..200).map(|i| score.seconds(f64::from(i) * 0.25)).collect();
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]));
        let beats: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (short, long) =
            beats.iter().fold((f64::MAX, 0.0_f64), |(low, high), s| (low.min(*s), high.max(*s)));
        assert!(long / short > 1.02, "{short} s to {long} s");
    }
}
