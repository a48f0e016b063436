//! Melodies built from recurring motifs that follow the chord progression.
//!
//! A phrase has four bars and two or three motifs (such as A B A C). A motif is a rhythm and a contour; whenever it
//! is repeated, it starts from the current chord and has chord tones on the beat.

use cantus_random::KeyedRng;

use super::chart::Chart;
use super::harmony::{Chord, Scale};
use super::pattern::steps;
use super::score::Note;
use crate::music::draw::Draw;

/// Parameters of a melody.
#[derive(Debug, Clone, Copy)]
pub(super) struct MelodyStyle<'a> {
    /// Rhythms of a bar from which motifs are drawn, in the notation of [`pattern`](super::pattern).
    pub rhythms: &'a [&'a str],
    pub scale: Scale,
    /// Lowest and highest pitch.
    pub range: (i32, i32),
    /// Probability that an interval of the contour is a leap.
    pub leap_probability: f32,
    /// Probability that a note slides in from below.
    pub bend_probability: f32,
    /// Probability that the last bar of a phrase is a rest.
    pub rest_probability: f32,
}

struct Motif<'a> {
    rhythm: &'a str,
    /// First pitch of the motif relative to the middle of the range, in semitones.
    height: i32,
    /// Scale steps before each note.
    contour: Vec<i32>,
}

/// Composes a melody over the whole chart.
pub(super) fn compose_melody(rng: &mut KeyedRng, chart: &Chart, style: &MelodyStyle) -> Vec<Note> {
    let motifs = [(); 3].map(|()| motif(rng, style));
    let form = rng.pick([[0, 1, 0, 2], [0, 0, 1, 2], [0, 1, 2, 1], [0, 0, 0, 1]]);
    let scale_pitches = chart.scale_pitches(style.scale, style.range.0, style.range.1);
    let mut notes = Vec::new();
    for bar in 0..chart.n_bars {
        if bar % 4 == 3 && rng.bernoulli(style.rest_probability) {
            continue;
        }
        compose_bar(rng, chart, style, &scale_pitches, bar, &motifs[form[bar % 4]], &mut notes);
    }
    notes
}

fn motif<'a>(rng: &mut KeyedRng, style: &MelodyStyle<'a>) -> Motif<'a> {
    let rhythm = style.rhythms[rng.below(style.rhythms.len())];
    let contour = steps(rhythm)
        .iter()
        .map(|_| {
            if rng.bernoulli(style.leap_probability) {
                rng.pick([-4, -3, 3, 4])
            } else {
                rng.pick([-1, -1, 0, 1, 1])
            }
        })
        .collect();
    Motif { rhythm, height: rng.between(-5, 5), contour }
}

fn compose_bar(
    rng: &mut KeyedRng,
    chart: &Chart,
    style: &MelodyStyle,
    scale_pitches: &[i32],
    bar: usize,
    motif: &Motif,
    notes: &mut Vec<Note>,
) {
    let n_beats = chart.beats_per_bar as f64;
    let middle = (style.range.0 + style.range.1) / 2 + motif.height;
    let first_pitch = chord_tone_near(chart.chord_at(chart.bar_start(bar)), middle);
    let mut scale_index = scale_pitches.iter().position(|pitch| *pitch >= first_pitch).unwrap_or(0) as i32;
    for (step, move_by) in steps(motif.rhythm).iter().zip(&motif.contour) {
        scale_index = reflected(scale_index + move_by, scale_pitches.len() as i32);
        let start = chart.bar_start(bar) + step.at * n_beats;
        let on_the_beat = start.fract() < 1e-6;
        let scale_tone = scale_pitches.get(scale_index as usize).copied().unwrap_or(middle);
        let pitch = if on_the_beat { chord_tone_near(chart.chord_at(start), scale_tone) } else { scale_tone };
        let bend = if rng.bernoulli(style.bend_probability) { rng.pick([-1.0, -2.0]) } else { 0.0 };
        let velocity = if on_the_beat { 0.85 } else { 0.7 };
        notes.push(Note { start, duration: step.length * n_beats * 0.95, pitch, velocity, bend });
    }
}

/// The chord tone nearest to a pitch, the upper one of two.
pub(super) fn chord_tone_near(chord: Chord, pitch: i32) -> i32 {
    let nearness = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6];
    nearness.into_iter().map(|d| pitch + d).find(|p| chord.contains(*p)).unwrap_or(pitch)
}

/// An index reflected at the ends of `0..n`.
fn reflected(index: i32, n: i32) -> i32 {
    let last = (n - 1).max(0);
    if index < 0 {
        (-index).min(last)
    } else if index > last {
        (2 * last - index).max(0)
    } else {
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::harmony::{MAJOR, major, minor};

    #[test]
    fn a_melody_stays_in_range_and_has_chord_tones_on_the_beat() {
        let chart = Chart::new(100.0, 4, 2, &[major(0), minor(9), major(5), major(7)], 60.0);
        let style = MelodyStyle {
            rhythms: &["x-x-x-x-", "x--xx---"],
            scale: MAJOR,
            range: (60, 79),
            leap_probability: 0.3,
            bend_probability: 0.0,
            rest_probability: 0.2,
        };
        for seed in 0..20 {
            let notes = compose_melody(&mut KeyedRng::new([seed, 0]), &chart, &style);
            assert!(notes.len() > 20);
            for note in &notes {
                assert!((60 - 6..=79 + 6).contains(&note.pitch), "{note:?}");
                let on_the_beat = note.start.fract() == 0.0;
                assert!(!on_the_beat || chart.chord_at(note.start).contains(note.pitch), "{note:?}");
            }
        }
    }

    #[test]
    fn phrases_are_repeated() {
        let chart = Chart::new(100.0, 4, 0, &[major(0)], 60.0);
        let style = MelodyStyle {
            rhythms: &["x-x-x-x-", "x--xx---"],
            scale: MAJOR,
            range: (60, 79),
            leap_probability: 0.3,
            bend_probability: 0.0,
            rest_probability: 0.0,
        };
        let notes = compose_melody(&mut KeyedRng::new([5, 0]), &chart, &style);
        let phrase = |n: usize| -> Vec<(f64, i32)> {
            let from = 16.0 * n as f64;
            let within = notes.iter().filter(|note| (from..from + 16.0).contains(&note.start));
            within.map(|note| (note.start - from, note.pitch)).collect()
        };
        assert_eq!(phrase(0), phrase(1));
    }
}
