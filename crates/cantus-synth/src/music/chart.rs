//! Chord chart: key, tempo, metre and chord progression.

use super::harmony::{Chord, Scale};

/// A chord progression in a key, with tempo and metre, repeated for the length of the piece.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub tempo_bpm: f32,
    pub beats_per_bar: usize,
    /// Pitch class of the key, 0 (C) to 11.
    pub tonic: i32,
    /// Chords, with roots in semitones above C; the sequence is repeated.
    pub changes: Vec<Chord>,
    pub beats_per_change: usize,
    pub n_bars: usize,
}

impl Chart {
    /// The progression `changes` (roots above the tonic) in the key of `tonic`, one chord a bar, for at least `duration_s`.
    pub fn new(
        tempo_bpm: f32,
        beats_per_bar: usize,
        tonic: i32,
        changes: &[Chord],
        duration_s: f64,
    ) -> Chart {
        let n_beats = duration_s * f64::from(tempo_bpm) / 60.0;
        Chart {
            tempo_bpm,
            beats_per_bar,
            tonic,
            changes: changes.iter().map(|chord| chord.transposed(tonic)).collect(),
            beats_per_change: beats_per_bar,
            n_bars: (n_beats / beats_per_bar as f64).ceil() as usize + 1, // one more, since swing and rubato shift beats
        }
    }

    /// The chord at `beat`, counted from 0.
    pub fn chord_at(&self, beat: f64) -> Chord {
        let change = (beat.max(0.0) as usize) / self.beats_per_change;
        self.changes[change % self.changes.len()]
    }

    /// The beat on which a bar begins.
    pub fn bar_start(&self, bar: usize) -> f64 {
        (bar * self.beats_per_bar) as f64
    }

    /// The pitches of a scale on the tonic from `low` to `high`, ascending.
    pub fn scale_pitches(&self, scale: Scale, low: i32, high: i32) -> Vec<i32> {
        (low..=high).filter(|pitch| scale.contains(&(pitch - self.tonic).rem_euclid(12))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::harmony::{MAJOR, major};

    #[test]
    fn a_chart_repeats_its_changes_for_at_least_the_duration() {
        let chart = Chart::new(120.0, 4, 7, &[major(0), major(5)], 10.0);
        assert_eq!(chart.n_bars, 6);
        assert_eq!(chart.chord_at(3.9), major(7));
        assert_eq!(chart.chord_at(4.0), major(0), "the fourth degree of G is C");
        assert_eq!(chart.chord_at(8.0), major(7));
        assert_eq!(chart.scale_pitches(MAJOR, 60, 67), [60, 62, 64, 66, 67]);
    }
}
