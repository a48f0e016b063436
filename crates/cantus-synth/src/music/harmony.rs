//! Chords, scales and progressions.
//!
//! Pitches are MIDI numbers (60 is middle C). A chord's root is in semitones: above the tonic in a progression, above
//! C in a [`Chart`](super::chart::Chart), which has a key.

/// Chord quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Major,
    Minor,
    /// Root and fifth, as played with distortion.
    Power,
    Dominant7,
    Major7,
    Minor7,
    HalfDiminished,
}

/// A chord: root and quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chord {
    pub root: i32,
    pub quality: Quality,
}

/// A major triad `root` semitones above the tonic.
pub(super) const fn major(root: i32) -> Chord {
    Chord { root, quality: Quality::Major }
}

/// A minor triad.
pub(super) const fn minor(root: i32) -> Chord {
    Chord { root, quality: Quality::Minor }
}

/// A power chord.
pub(super) const fn power(root: i32) -> Chord {
    Chord { root, quality: Quality::Power }
}

/// A dominant seventh.
pub(super) const fn dominant(root: i32) -> Chord {
    Chord { root, quality: Quality::Dominant7 }
}

/// A major seventh.
pub(super) const fn major7(root: i32) -> Chord {
    Chord { root, quality: Quality::Major7 }
}

/// A minor seventh.
pub(super) const fn minor7(root: i32) -> Chord {
    Chord { root, quality: Quality::Minor7 }
}

/// A half-diminished seventh.
pub(super) const fn half_diminished(root: i32) -> Chord {
    Chord { root, quality: Quality::HalfDiminished }
}

impl Chord {
    /// Semitones above the root, ascending.
    pub fn intervals(self) -> &'static [i32] {
        match self.quality {
            Quality::Major => &[0, 4, 7],
            Quality::Minor => &[0, 3, 7],
            Quality::Power => &[0, 7],
            Quality::Dominant7 => &[0, 4, 7, 10],
            Quality::Major7 => &[0, 4, 7, 11],
            Quality::Minor7 => &[0, 3, 7, 10],
            Quality::HalfDiminished => &[0, 3, 6, 10],
        }
    }

    /// The chord transposed up by `semitones`; its root is reduced to 0 to 11.
    pub fn transposed(self, semitones: i32) -> Chord {
        Chord { root: (self.root + semitones).rem_euclid(12), ..self }
    }

    /// The root's lowest pitch at or above `low`.
    pub fn root_from(self, low: i32) -> i32 {
        low + (self.root - low).rem_euclid(12)
    }

    /// Every chord tone once, in the octave that begins at `low`, ascending.
    ///
    /// With the same `low` for a whole progression, all chords are in the same octave and voices move by small intervals.
    pub fn voiced_from(self, low: i32) -> Vec<i32> {
        let place = |interval: &i32| low + (self.root + interval - low).rem_euclid(12);
        let mut pitches: Vec<i32> = self.intervals().iter().map(place).collect();
        pitches.sort_unstable();
        pitches
    }

    /// Voicing of a guitar's barre chord: root and fifth, and all chord tones from the octave of the root up.
    pub fn strummed_from(self, low: i32) -> Vec<i32> {
        let root = self.root_from(low);
        let upper = self.voiced_from(root + 12);
        [root, root + self.fifth()].into_iter().chain(upper).collect()
    }

    /// Semitones from the root to the fifth.
    pub fn fifth(self) -> i32 {
        if self.quality == Quality::HalfDiminished { 6 } else { 7 }
    }

    /// Semitones from the root to the third; 4 for a power chord.
    pub fn third(self) -> i32 {
        if self.is_minor() { 3 } else { 4 }
    }

    /// Whether the third is minor.
    pub fn is_minor(self) -> bool {
        matches!(self.quality, Quality::Minor | Quality::Minor7 | Quality::HalfDiminished)
    }

    /// Whether the pitch is a chord tone, in any octave.
    pub fn contains(self, pitch: i32) -> bool {
        self.intervals().contains(&(pitch - self.root).rem_euclid(12))
    }
}

/// Semitones of a scale above its tonic.
pub(super) type Scale = &'static [i32];

/// Ionian.
pub(super) const MAJOR: Scale = &[0, 2, 4, 5, 7, 9, 11];
/// Aeolian.
pub(super) const MINOR: Scale = &[0, 2, 3, 5, 7, 8, 10];
/// Dorian, as in soul, funk and jazz.
pub(super) const DORIAN: Scale = &[0, 2, 3, 5, 7, 9, 10];
/// Phrygian, with a minor second, as in metal.
pub(super) const PHRYGIAN: Scale = &[0, 1, 3, 5, 7, 8, 10];
/// Major pentatonic, as in country.
pub(super) const MAJOR_PENTATONIC: Scale = &[0, 2, 4, 7, 9];
/// Minor pentatonic, as in rock.
pub(super) const MINOR_PENTATONIC: Scale = &[0, 3, 5, 7, 10];
/// The minor pentatonic with its blue note.
pub(super) const BLUES: Scale = &[0, 3, 5, 6, 7, 10];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seventh_on_g_is_g_b_d_f() {
        let chord = dominant(7).transposed(0);
        assert_eq!(chord.voiced_from(60), [62, 65, 67, 71]);
        assert_eq!(chord.root_from(40), 43);
    }

    #[test]
    fn voices_move_by_at_most_half_an_octave() {
        let progression = [major(0), minor(9), major(5), major(7)];
        for pair in progression.windows(2) {
            let (from, to) = (pair[0].voiced_from(60), pair[1].voiced_from(60));
            assert!(from.iter().zip(&to).all(|(a, b)| (a - b).abs() <= 6));
        }
    }
}
