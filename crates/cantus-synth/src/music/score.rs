//! Score: notes and drum hits of each part, with times in beats.

use super::chart::Chart;
use super::drums::{Drum, Kit};
use super::effect::Amplifier;
use super::elementary::sine;
use super::instrument::Instrument;
use super::production::Production;

/// A note of a pitched instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Note {
    /// In beats from the start, before swing is applied.
    pub start: f64,
    /// In beats.
    pub duration: f64,
    /// MIDI number.
    pub pitch: i32,
    /// Loudness in [0, 1].
    pub velocity: f32,
    /// Pitch offset at the onset, in semitones; the pitch slides to 0.
    pub bend: f32,
}

/// A hit of a drum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DrumHit {
    /// In beats from the start, before swing is applied.
    pub start: f64,
    pub drum: Drum,
    /// Loudness in [0, 1].
    pub velocity: f32,
}

/// Function of a part; the arrangement mutes parts by role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Bass,
    Harmony,
    Lead,
}

/// An instrument with its notes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub role: Role,
    pub instrument: Instrument,
    /// RMS of the part in the mix, over the blocks that are not silent.
    pub level: f32,
    pub amplifier: Option<Amplifier>,
    pub notes: Vec<Note>,
}

/// Timing: swing, tempo variation, jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Feel {
    /// Onset of the second note of a pair, as a fraction of the pair: 0.5 straight, 0.667 triplets.
    pub swing: f32,
    /// Length of the pair in beats: 1 swings the eighths, 0.5 the sixteenths.
    pub swung_pair: f64,
    /// Amplitude of the periodic deviation of the beat over four bars, in beats.
    pub rubato: f32,
    /// Scale of the random delay of each note, in seconds.
    pub timing_jitter_s: f32,
}

impl Feel {
    /// No swing, and a few milliseconds of jitter.
    pub const STRAIGHT: Feel = Feel { swing: 0.5, swung_pair: 1.0, rubato: 0.0, timing_jitter_s: 0.003 };

    /// Swung eighths.
    pub fn swung(swing: f32) -> Feel {
        Feel { swing, timing_jitter_s: 0.006, ..Feel::STRAIGHT }
    }
}

/// The whole composition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Score {
    pub chart: Chart,
    pub feel: Feel,
    pub parts: Vec<Part>,
    pub kit: Kit,
    pub drum_hits: Vec<DrumHit>,
    pub drum_level: f32,
    pub production: Production,
}

impl Score {
    /// An empty score.
    pub fn new(chart: Chart, feel: Feel, production: Production) -> Score {
        let kit = Kit::default();
        Score { chart, feel, parts: Vec::new(), kit, drum_hits: Vec::new(), drum_level: 0.0, production }
    }

    /// Adds a part.
    pub fn add(&mut self, role: Role, instrument: Instrument, level: f32, notes: Vec<Note>) {
        self.parts.push(Part { role, instrument, level, amplifier: None, notes });
    }

    /// Adds a part with an amplifier.
    pub fn add_amplified(
        &mut self,
        role: Role,
        instrument: Instrument,
        amplifier: Amplifier,
        level: f32,
        notes: Vec<Note>,
    ) {
        self.parts.push(Part { role, instrument, level, amplifier: Some(amplifier), notes });
    }

    /// Sets the drum part.
    pub fn add_drums(&mut self, kit: Kit, level: f32, drum_hits: Vec<DrumHit>) {
        self.kit = kit;
        self.drum_level = level;
        self.drum_hits = drum_hits;
    }

    /// Time of a beat in seconds, with swing and rubato.
    pub fn seconds(&self, beat: f64) -> f64 {
        let pair = self.feel.swung_pair;
        let swing = f64::from(self.feel.swing);
        let (whole, half) = ((beat / pair).floor(), (beat / pair).fract());
        let swung = if half < 0.5 { half * 2.0 * swing } else { swing + (half - 0.5) * 2.0 * (1.0 - swing) };
        let rubato_beats = (4 * self.chart.beats_per_bar) as f64;
        let deviation = self.feel.rubato * sine((beat / rubato_beats).fract() as f32);
        (pair * (whole + swung) + f64::from(deviation)) * 60.0 / f64::from(self.chart.tempo_bpm)
    }
}
