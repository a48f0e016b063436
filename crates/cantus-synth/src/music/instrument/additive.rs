//! Additive synthesis: a sum of the first eight harmonics, each with its own amplitude and decay time.
//!
//! On a struck string, high harmonics decay first; on an organ, none decays. Eight harmonics are enough for both below
//! 1 kHz; of higher notes, most further harmonics are above the Nyquist frequency or hardly audible.

use super::Tone;
use crate::music::elementary::{decay, sine};
use crate::music::envelope::Envelope;
use crate::music::oscillator::{Noise, Phasor, harmonics};

const N_HARMONICS: usize = 8;

/// Parameters of a struck (piano) or sustained (organ) tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::music) struct Additive {
    /// Amplitudes at the onset.
    pub harmonics: [f32; N_HARMONICS],
    /// T60 of the fundamental of middle C, in seconds; higher notes decay faster. Infinite for an organ.
    pub t60_s: f32,
    /// How much faster each harmonic decays than the one below, relative to the fundamental's decay rate.
    pub brightness_t60: f32,
    /// Amplitude of the noise of the hammer or key contact, in [0, 1].
    pub hammer: f32,
    /// Depth of the tremolo (amplitude modulation) in [0, 1], and its rate in Hz.
    pub tremolo: f32,
    pub tremolo_hz: f32,
    pub envelope: Envelope,
}

/// Interval between updates of the harmonics' amplitudes, in samples.
const BLOCK: usize = 32;

impl Additive {
    pub(super) fn play(&self, tone: &Tone, out: &mut [f32]) {
        let step = tone.frequency / tone.sample_rate;
        let n = ((0.48 / step) as usize).min(N_HARMONICS); // none above Nyquist
        let mut amplitudes = self.onset_amplitudes(tone.velocity);
        let losses = self.losses(tone);
        let mut levels = self.envelope.levels(tone.duration_s, tone.sample_rate);
        let mut noise = Noise::new(tone.seed);
        let mut phasor = Phasor::new(0.0);
        let (mut thump, thump_loss) = (self.hammer * tone.velocity, decay(0.03, tone.sample_rate));
        for (block, samples) in out.chunks_mut(BLOCK).enumerate() {
            let time_s = (block * BLOCK) as f32 / tone.sample_rate;
            let tremolo_gain = 1.0 - self.tremolo * (0.5 + 0.5 * sine(self.tremolo_hz * time_s));
            if amplitudes.iter().all(|amplitude| *amplitude < 1e-5) {
                return;
            }
            for sample in samples {
                let Some(level) = levels.next() else { return };
                thump *= thump_loss;
                let tonal = tremolo_gain * harmonics(phasor.advance(step), &amplitudes[..n]);
                *sample += level * (tonal + thump * noise.sample());
            }
            amplitudes.iter_mut().zip(losses).for_each(|(amplitude, loss)| *amplitude *= loss);
        }
    }

    /// Amplitudes at the onset: a louder note has relatively stronger high harmonics.
    fn onset_amplitudes(&self, velocity: f32) -> [f32; N_HARMONICS] {
        let softness = 0.75 + 0.25 * velocity;
        let mut level = velocity;
        self.harmonics.map(|amplitude| {
            level *= softness;
            amplitude * level
        })
    }

    /// Decay factor of each harmonic for one block.
    fn losses(&self, tone: &Tone) -> [f32; N_HARMONICS] {
        if self.t60_s.is_infinite() {
            return [1.0; N_HARMONICS];
        }
        let register = (tone.frequency / 262.0).sqrt().max(0.5);
        let blocks_per_s = tone.sample_rate / BLOCK as f32;
        std::array::from_fn(|n| {
            decay(self.t60_s / (register * (1.0 + self.brightness_t60 * n as f32)), blocks_per_s)
        })
    }
}
