//! Instruments: three ways of making a pitched sound, and the families that each can play.
//!
//! - [`plucked`]: a delay line for a string (guitars, banjo, bass)
//! - [`subtractive`]: saws and pulses through a filter ([`bowed`], [`brass`], [`keyboard`]'s synthesizers)
//! - [`additive`]: harmonics that die away one by one ([`keyboard`]'s piano and organ)

mod additive;
mod bowed;
mod brass;
mod keyboard;
mod plucked;
mod subtractive;

pub(super) use additive::Additive;
pub(super) use plucked::Plucked;
pub(super) use subtractive::Subtractive;

/// One note as an instrument meets it: physical units, no beats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    /// Hz.
    pub frequency: f32,
    /// Until the key is released or the string damped, in seconds.
    pub duration_s: f32,
    /// Loudness in [0, 1].
    pub velocity: f32,
    /// Semitones from which the pitch slides into place.
    pub bend: f32,
    /// Seed of the random variation of the attack.
    pub seed: u32,
    /// Hz.
    pub sample_rate: f32,
}

/// A synthesised instrument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Instrument {
    Plucked(Plucked),
    Subtractive(Subtractive),
    Additive(Additive),
}

impl Instrument {
    /// Whether a note keeps its level until it ends, as bowed strings, winds and organs do.
    pub fn sustains(&self) -> bool {
        match self {
            Instrument::Plucked(_) => false,
            Instrument::Subtractive(_) => true,
            Instrument::Additive(voice) => voice.t60_s.is_infinite(),
        }
    }

    /// Adds `tone` to `out`, which starts at the onset and may be shorter than the tone.
    /// Notes that the sample rate cannot carry are left out.
    pub fn play(&self, tone: &Tone, out: &mut [f32]) {
        if !(10.0..0.4 * tone.sample_rate).contains(&tone.frequency) {
            return;
        }
        match self {
            Instrument::Plucked(string) => string.play(tone, out),
            Instrument::Subtractive(voice) => voice.play(tone, out),
            Instrument::Additive(voice) => voice.play(tone, out),
        }
    }
}
