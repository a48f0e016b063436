//! Amplitude envelope of a note: attack, decay, sustain, release.

use super::elementary::decay;

/// Linear attack, exponential decay to `sustain`, linear release after the note's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Envelope {
    pub attack_s: f32,
    /// Time to fall by 60 dB toward the sustain level.
    pub decay_s: f32,
    /// Level held, in [0, 1].
    pub sustain: f32,
    pub release_s: f32,
}

impl Envelope {
    /// The envelope of one note of `duration_s`; yields a level per sample and ends at zero.
    pub fn levels(self, duration_s: f32, sample_rate: f32) -> Levels {
        let n_attack = (self.attack_s * sample_rate).max(1.0);
        Levels {
            level: 0.0,
            rise: 1.0 / n_attack,
            rising: true,
            sustain: self.sustain,
            decay: decay(self.decay_s, sample_rate),
            n_held: (duration_s * sample_rate) as usize,
            n_release: (self.release_s * sample_rate).max(1.0),
            fall: None,
        }
    }
}

/// Iterator over the levels of one note.
pub(super) struct Levels {
    level: f32,
    rise: f32,
    rising: bool,
    sustain: f32,
    decay: f32,
    n_held: usize,
    n_release: f32,
    /// Decrease per sample during the release; `None` before it.
    fall: Option<f32>,
}

impl Iterator for Levels {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.n_held == 0 {
            let fall = *self.fall.get_or_insert(self.level / self.n_release);
            self.level -= fall;
            return (self.level > 0.0 && fall > 1e-9).then_some(self.level);
        }
        self.n_held -= 1;
        if self.rising {
            self.level = (self.level + self.rise).min(1.0);
            self.rising = self.level < 1.0;
        } else {
            self.level = self.sustain + (self.level - self.sustain) * self.decay;
        }
        Some(self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_rises_holds_and_ends_at_zero() {
        let envelope = Envelope { attack_s: 0.1, decay_s: 0.2, sustain: 0.5, release_s: 0.1 };
        let levels: Vec<f32> = envelope.levels(1.0, 1000.0).collect();
        assert!(levels.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.02), "no jump");
        assert!((levels[99] - 1.0).abs() < 0.02);
        assert!((levels[999] - 0.5).abs() < 1e-3);
        assert!((1095..=1101).contains(&levels.len()), "{}", levels.len());
        assert!(levels[levels.len() - 1] < 0.01);
    }
}
