//! Pitched instruments, by three methods of synthesis.
//!
//! - [`plucked`]: Karplus–Strong strings (guitars, banjo, bass)
//! - [`subtractive`]: saw and pulse waves through a lowpass ([`bowed`], [`brass`], the synthesizers of [`keyboard`])
//! - [`additive`]: sums of decaying harmonics (piano and organ of [`keyboard`])

mod additive;
mod bowed;
mod brass;
mod keyboard;
mod plucked;
mod subtractive;

pub(super) use additive::Additive;
pub(super) use plucked::Plucked;
pub(super) use subtractive::Subtractive;

/// One note in physical units (Hz, seconds), as input of an instrument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    /// Hz.
    pub frequency: f32,
    /// Time until the key is released or the string damped, in seconds.
    pub duration_s: f32,
    /// Loudness in [0, 1].
    pub velocity: f32,
    /// Pitch offset at the onset, in semitones; the pitch slides to 0.
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
    /// Nothing is added for a frequency below 10 Hz or above 0.4 of the sample rate.
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
