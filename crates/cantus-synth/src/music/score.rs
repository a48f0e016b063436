//! A composition as plain data: who plays what and when, in beats. Nothing here makes a sound.

use super::chart::Chart;
use super::drums::{Drum, Kit};
use super::effect::Amplifier;
use super::elementary::sine;
use super::instrument::Instrument;
use super::mix::Production;

/// A note of a pitched instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Note {
    /// In beats from the beginning, without swing.
    pub start: f64,
    /// In beats.
    pub duration: f64,
    /// MIDI number.
    pub pitch: i32,
    /// Loudness in [0, 1].
    pub velocity: f32,
    /// Semitones from which it slides into its pitch.
    pub bend: f32,
}

/// A stroke on the drum kit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    /// In beats from the beginning, without swing.
    pub start: f64,
    pub drum: Drum,
    /// Loudness in [0, 1].
    pub velocity: f32,
}

/// What a part does in the band; the arrangement lets players rest by role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Bass,
    Harmony,
    Lead,
}

/// One player.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub role: Role,
    pub instrument: Instrument,
    /// Loudness in the mix: the part's RMS while it sounds.
    pub level: f32,
    pub amplifier: Option<Amplifier>,
    pub notes: Vec<Note>,
}

/// From beats to seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Feel {
    /// Where the second half of a pair of notes falls, as a share of the pair: 0.5 straight, 0.667 triplets.
    pub swing: f32,
    /// Length of the pair in beats: 1 swings the eighths, 0.5 the sixteenths.
    pub swung_pair: f64,
    /// How far the beat wanders from the clock over four bars, in beats.
    pub rubato: f32,
    /// How far single notes stray, in seconds.
    pub looseness_s: f32,
}

impl Feel {
    /// As the sequencer plays, up to a few milliseconds.
    pub const STRAIGHT: Feel = Feel { swing: 0.5, swung_pair: 1.0, rubato: 0.0, looseness_s: 0.003 };

    /// Swung eighths.
    pub fn swung(swing: f32) -> Feel {
        Feel { swing, looseness_s: 0.006, ..Feel::STRAIGHT }
    }
}

/// The whole composition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Score {
    pub chart: Chart,
    pub feel: Feel,
    pub parts: Vec<Part>,
    pub kit: Kit,
    pub strokes: Vec<Stroke>,
    pub drum_level: f32,
    pub production: Production,
}

impl Score {
    /// An empty score: players are added to it.
    pub fn new(chart: Chart, feel: Feel, production: Production) -> Score {
        let kit = Kit::default();
        Score { chart, feel, parts: Vec::new(), kit, strokes: Vec::new(), drum_level: 0.0, production }
    }

    /// Adds a player.
    pub fn add(&mut self, role: Role, instrument: Instrument, level: f32, notes: Vec<Note>) {
        self.parts.push(Part { role, instrument, level, amplifier: None, notes });
    }

    /// Adds a player with an amplifier.
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

    /// Seats a drummer.
    pub fn add_drums(&mut self, kit: Kit, level: f32, strokes: Vec<Stroke>) {
        self.kit = kit;
        self.drum_level = level;
        self.strokes = strokes;
    }

    /// When a beat sounds, in seconds.
    pub fn seconds(&self, beat: f64) -> f64 {
        let pair = self.feel.swung_pair;
        let swing = f64::from(self.feel.swing);
        let (whole, half) = ((beat / pair).floor(), (beat / pair).fract());
        let swung = if half < 0.5 { half * 2.0 * swing } else { swing + (half - 0.5) * 2.0 * (1.0 - swing) };
        let wander_beats = (4 * self.chart.beats_per_bar) as f64;
        let wander = self.feel.rubato * sine((beat / wander_beats).fract() as f32);
        (pair * (whole + swung) + f64::from(wander)) * 60.0 / f64::from(self.chart.tempo_bpm)
    }
}
