//! Subtractive synthesis: saw, pulse or sine oscillators through a lowpass whose cutoff follows the envelope.
//!
//! It approximates bowed strings and brass, too, whose strings or lips produce a wave similar to a saw, which the body or
//! bell filters.

use super::Tone;
use crate::music::elementary::{exp2, sine};
use crate::music::envelope::Envelope;
use crate::music::filter::OnePole;
use crate::music::oscillator::{Noise, Phasor, pulse, saw};

/// Waveform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::music) enum Wave {
    Saw,
    /// Share of the cycle in which the wave is high.
    Pulse(f32),
    Sine,
}

/// Parameters: one or two oscillators, a filter, an envelope and vibrato.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::music) struct Subtractive {
    pub wave: Wave,
    /// Semitones between two oscillators; 0 for a single one.
    pub detune: f32,
    /// Cutoff at envelope level 0, in Hz.
    pub cutoff_hz: f32,
    /// Increase of the cutoff at full level and velocity, in octaves.
    pub opening: f32,
    /// Amplitude of breath or bow noise, in [0, 1].
    pub breath: f32,
    /// Depth of the vibrato in semitones, reached 0.3 s after the onset.
    pub vibrato: f32,
    /// Rate of the vibrato in Hz.
    pub vibrato_hz: f32,
    pub envelope: Envelope,
}

/// Interval between updates of pitch and cutoff, in samples.
const BLOCK: usize = 32;

impl Subtractive {
    pub(super) fn play(&self, tone: &Tone, out: &mut [f32]) {
        let mut levels = self.envelope.levels(tone.duration_s, tone.sample_rate);
        let mut noise = Noise::new(tone.seed);
        let mut one = Phasor::new(0.5 + 0.5 * noise.sample());
        let mut two = Phasor::new(0.5 + 0.5 * noise.sample());
        let mut filters = [0, 1].map(|_| OnePole::lowpass(self.cutoff_hz, tone.sample_rate));
        let apart = if self.detune == 0.0 { 1.0 } else { exp2(self.detune / 12.0) };
        let mut level = 0.0;
        for (block, samples) in out.chunks_mut(BLOCK).enumerate() {
            let time_s = (block * BLOCK) as f32 / tone.sample_rate;
            let step = self.pitch(tone, time_s) / tone.sample_rate;
            let cutoff = self.cutoff_hz * exp2(self.opening * level * tone.velocity);
            filters.iter_mut().for_each(|filter| filter.set_cutoff(cutoff, tone.sample_rate));
            for sample in samples {
                let Some(now) = levels.next() else { return };
                level = now;
                let mut x = self.oscillate(&mut one, step);
                if self.detune != 0.0 {
                    x = 0.6 * (x + self.oscillate(&mut two, step * apart));
                }
                x += self.breath * noise.sample();
                let [first, second] = &mut filters;
                *sample += tone.velocity * level * second.process(first.process(x));
            }
        }
    }

    #[inline]
    fn oscillate(&self, phasor: &mut Phasor, step: f32) -> f32 {
        let phase = phasor.advance(step);
        match self.wave {
            Wave::Saw => saw(phase, step),
            Wave::Pulse(width) => pulse(phase, step, width),
            Wave::Sine => sine(phase),
        }
    }

    /// Frequency in Hz at a time after the onset, with bend and vibrato.
    fn pitch(&self, tone: &Tone, time_s: f32) -> f32 {
        const SLIDE_S: f32 = 0.06;
        const VIBRATO_AFTER_S: f32 = 0.3;
        let slide = tone.bend * exp2(-time_s / SLIDE_S);
        let onset = (time_s / VIBRATO_AFTER_S).min(1.0);
        let vibrato = self.vibrato * onset * onset * sine(self.vibrato_hz * time_s);
        tone.frequency * exp2((slide + vibrato) / 12.0)
    }
}
