//! Text notation of rhythmic patterns: one character per step of a bar, repeated over the chart.
//!
//! A bar has any number of equal steps: `.` is a rest, `-` holds the note before, any other character begins a note. Drums
//! and chords: `X` accented, `x` plain, `o` soft. Bass lines: degrees above the chord's root (`1`, `3`, `5`, `6`, `7`, and
//! `8`, the octave). Arpeggios: index of the chord tone from the lowest (`0`, `1`, …). The bars of a list alternate.

use super::chart::Chart;
use super::drums::Drum;
use super::harmony::Chord;
use super::score::{DrumHit, Note};

/// A note of a pattern, with its position in the bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub sign: char,
    /// From the start of the bar, in bars.
    pub at: f64,
    /// Until the next note or rest, in bars.
    pub length: f64,
}

/// Reads one bar.
pub(super) fn steps(bar: &str) -> Vec<Step> {
    let n = bar.chars().count() as f64;
    let mut steps: Vec<Step> = Vec::new();
    let mut holding = false;
    for (i, sign) in bar.chars().enumerate() {
        match (sign, steps.last_mut()) {
            ('-', Some(step)) if holding => step.length += 1.0 / n,
            ('-' | '.', _) => holding = false,
            _ => {
                steps.push(Step { sign, at: i as f64 / n, length: 1.0 / n });
                holding = true;
            }
        }
    }
    steps
}

/// Velocity of a note by its character.
fn velocity(sign: char) -> f32 {
    match sign {
        'X' => 1.0,
        'o' => 0.4,
        _ => 0.75,
    }
}

impl Chart {
    /// Every note of `bars` over the whole chart: step, start and length in beats, and the chord at the start.
    pub fn repeat_pattern<'a>(
        &'a self,
        bars: &'a [&str],
    ) -> impl Iterator<Item = (Step, f64, f64, Chord)> + 'a {
        let n_beats = self.beats_per_bar as f64;
        (0..self.n_bars).zip(bars.iter().cycle()).flat_map(move |(number, bar)| {
            steps(bar).into_iter().map(move |step| {
                let beat = self.bar_start(number) + step.at * n_beats;
                (step, beat, step.length * n_beats, self.chord_at(beat))
            })
        })
    }

    /// The hits of one drum.
    pub fn drum(&self, drum: Drum, bars: &[&str]) -> Vec<DrumHit> {
        let hit = |(step, start, _, _): (Step, f64, f64, Chord)| DrumHit {
            start,
            drum,
            velocity: velocity(step.sign),
        };
        self.repeat_pattern(bars).map(hit).collect()
    }

    /// The hits of several drums: each with one bar that is repeated.
    pub fn groove(&self, rows: &[(Drum, &str)]) -> Vec<DrumHit> {
        rows.iter().flat_map(|(drum, bar)| self.drum(*drum, &[bar])).collect()
    }

    /// A bass line of chord degrees, with roots in the octave from `low`.
    pub fn bass(&self, bars: &[&str], low: i32) -> Vec<Note> {
        self.repeat_pattern(bars)
            .map(|(step, start, length, chord)| {
                let pitch = chord.root_from(low) + degree(step.sign, chord);
                Note { start, duration: length * 0.92, pitch, velocity: 0.8, bend: 0.0 }
            })
            .collect()
    }

    /// Chords, with every tone in the octave from `low`.
    pub fn chords(&self, bars: &[&str], low: i32) -> Vec<Note> {
        self.stacked(bars, 0.0, |chord| chord.voiced_from(low))
    }

    /// Strummed chords: a delay from each string to the next higher one; roots in the octave from `low`.
    pub fn strums(&self, bars: &[&str], low: i32) -> Vec<Note> {
        const BETWEEN_STRINGS: f64 = 0.02; // beats
        self.stacked(bars, BETWEEN_STRINGS, |chord| chord.strummed_from(low))
    }

    fn stacked(&self, bars: &[&str], apart: f64, voicing: impl Fn(Chord) -> Vec<i32>) -> Vec<Note> {
        let mut notes = Vec::new();
        for (step, start, length, chord) in self.repeat_pattern(bars) {
            for (i, pitch) in voicing(chord).into_iter().enumerate() {
                notes.push(Note {
                    start: start + apart * i as f64,
                    duration: length * 0.95,
                    pitch,
                    velocity: velocity(step.sign),
                    bend: 0.0,
                });
            }
        }
        notes
    }

    /// Broken chords: `0` is the lowest tone in the octave from `low`; higher indices continue in the next octave.
    pub fn arpeggio(&self, bars: &[&str], low: i32) -> Vec<Note> {
        self.repeat_pattern(bars)
            .map(|(step, start, length, chord)| {
                let tones = chord.voiced_from(low);
                let i = step.sign.to_digit(10).unwrap_or(0) as usize;
                let pitch = tones[i % tones.len()] + 12 * (i / tones.len()) as i32;
                Note { start, duration: length * 1.4, pitch, velocity: 0.7, bend: 0.0 }
            })
            .collect()
    }
}

/// Semitones of a degree above the chord's root.
fn degree(sign: char, chord: Chord) -> i32 {
    match sign {
        '2' => 2,
        '3' => chord.third(),
        '4' => 5,
        '5' => chord.fifth(),
        '6' => 9,
        '7' => 10,
        '8' => 12,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::harmony::{major, minor};

    #[test]
    fn a_bar_is_parsed_into_steps() {
        let read: Vec<_> = steps("x--.X...").iter().map(|step| (step.sign, step.at, step.length)).collect();
        assert_eq!(read, [('x', 0.0, 0.375), ('X', 0.5, 0.125)]);
    }

    #[test]
    fn a_held_sign_after_a_rest_holds_nothing() {
        assert_eq!(steps("x.--").len(), 1);
        assert_eq!(steps("x.--")[0].length, 0.25);
    }

    #[test]
    fn a_bass_line_follows_the_chords() {
        let chart = Chart::new(60.0, 4, 0, &[major(0), minor(9)], 8.0);
        let pitches: Vec<i32> = chart.bass(&["1358"], 36).iter().map(|note| note.pitch).collect();
        assert_eq!(pitches[..8], [36, 40, 43, 48, 45, 48, 52, 57]);
    }
}
