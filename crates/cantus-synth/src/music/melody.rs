//! Melodies: motifs that come back, bent to the chords under them.
//!
//! A phrase has four bars and two or three motifs (such as A B A C). A motif is a rhythm and a contour; whenever it
//! returns it starts from the chord of the moment and lands on chord tones on the beat, so it is recognised and yet
//! follows the harmony.

use cantus_random::KeyedRng;

use super::chart::Chart;
use super::harmony::{Chord, Scale};
use super::pattern::steps;
use super::score::Note;
use crate::music::draw::Draw;

/// What a player may do with a tune.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tune<'a> {
    /// Bars to choose a motif's rhythm from, in the notation of [`pattern`](super::pattern).
    pub rhythms: &'a [&'a str],
    pub scale: Scale,
    /// Lowest and highest pitch.
    pub range: (i32, i32),
    /// Probability that a step of the contour is a leap.
    pub leap: f32,
    /// Probability that a note slides in from below.
    pub bent: f32,
    /// Probability that a phrase's last bar is left empty, for an answer or a breath.
    pub breath: f32,
}

struct Motif<'a> {
    rhythm: &'a str,
    /// Semitones from the middle of the range at which it likes to begin.
    height: i32,
    /// Steps up or down the scale before each note.
    contour: Vec<i32>,
}

/// Sings over the whole chart.
pub(super) fn sing(dice: &mut KeyedRng, chart: &Chart, tune: &Tune) -> Vec<Note> {
    let motifs = [(); 3].map(|()| motif(dice, tune));
    let form = dice.pick([[0, 1, 0, 2], [0, 0, 1, 2], [0, 1, 2, 1], [0, 0, 0, 1]]);
    let ladder = chart.ladder(tune.scale, tune.range.0, tune.range.1);
    let mut notes = Vec::new();
    for bar in 0..chart.n_bars {
        if bar % 4 == 3 && dice.bernoulli(tune.breath) {
            continue;
        }
        sing_bar(dice, chart, tune, &ladder, bar, &motifs[form[bar % 4]], &mut notes);
    }
    notes
}

fn motif<'a>(dice: &mut KeyedRng, tune: &Tune<'a>) -> Motif<'a> {
    let rhythm = tune.rhythms[dice.below(tune.rhythms.len())];
    let contour =
        steps(rhythm)
            .iter()
            .map(|_| {
                if dice.bernoulli(tune.leap) {
                    dice.pick([-4, -3, 3, 4])
                } else {
                    dice.pick([-1, -1, 0, 1, 1])
                }
            })
            .collect();
    Motif { rhythm, height: dice.between(-5, 5), contour }
}

fn sing_bar(
    dice: &mut KeyedRng,
    chart: &Chart,
    tune: &Tune,
    ladder: &[i32],
    bar: usize,
    motif: &Motif,
    notes: &mut Vec<Note>,
) {
    let n_beats = chart.beats_per_bar as f64;
    let middle = (tune.range.0 + tune.range.1) / 2 + motif.height;
    let home = chord_tone_near(chart.chord_at(chart.bar_start(bar)), middle);
    let mut rung = ladder.iter().position(|pitch| *pitch >= home).unwrap_or(0) as i32;
    for (step, move_by) in steps(motif.rhythm).iter().zip(&motif.contour) {
        rung = reflected(rung + move_by, ladder.len() as i32);
        let start = chart.bar_start(bar) + step.at * n_beats;
        let on_the_beat = start.fract() < 1e-6;
        let scale_tone = ladder.get(rung as usize).copied().unwrap_or(middle);
        let pitch = if on_the_beat { chord_tone_near(chart.chord_at(start), scale_tone) } else { scale_tone };
        let bend = if dice.bernoulli(tune.bent) { dice.pick([-1.0, -2.0]) } else { 0.0 };
        let velocity = if on_the_beat { 0.85 } else { 0.7 };
        notes.push(Note { start, duration: step.length * n_beats * 0.95, pitch, velocity, bend });
    }
}

/// The chord tone nearest to a pitch, the upper one of two.
pub(super) fn chord_tone_near(chord: Chord, pitch: i32) -> i32 {
    let nearness = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6];
    nearness.into_iter().map(|d| pitch + d).find(|p| chord.contains(*p)).unwrap_or(pitch)
}

/// An index turned back at the ends of a ladder of `n` rungs.
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
    fn a_melody_stays_in_range_and_lands_on_chord_tones() {
        let chart = Chart::new(100.0, 4, 2, &[major(0), minor(9), major(5), major(7)], 60.0);
        let tune = Tune {
            rhythms: &["x-x-x-x-", "x--xx---"],
            scale: MAJOR,
            range: (60, 79),
            leap: 0.3,
            bent: 0.0,
            breath: 0.2,
        };
        for seed in 0..20 {
            let notes = sing(&mut KeyedRng::new([seed, 0]), &chart, &tune);
            assert!(notes.len() > 20);
            for note in &notes {
                assert!((60 - 6..=79 + 6).contains(&note.pitch), "{note:?}");
                let on_the_beat = note.start.fract() == 0.0;
                assert!(!on_the_beat || chart.chord_at(note.start).contains(note.pitch), "{note:?}");
            }
        }
    }

    #[test]
    fn phrases_come_back() {
        let chart = Chart::new(100.0, 4, 0, &[major(0)], 60.0);
        let tune = Tune {
            rhythms: &["x-x-x-x-", "x--xx---"],
            scale: MAJOR,
            range: (60, 79),
            leap: 0.3,
            bent: 0.0,
            breath: 0.0,
        };
        let notes = sing(&mut KeyedRng::new([5, 0]), &chart, &tune);
        let phrase = |n: usize| -> Vec<(f64, i32)> {
            let from = 16.0 * n as f64;
            let within = notes.iter().filter(|note| (from..from + 16.0).contains(&note.start));
            within.map(|note| (note.start - from, note.pitch)).collect()
        };
        assert_eq!(phrase(0), phrase(1));
    }
}
