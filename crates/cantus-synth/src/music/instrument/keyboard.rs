//! Keyboards (piano, electric piano, organ) and synthesizers (pad, lead, bass, voice).

use cantus_random::KeyedRng;

use super::subtractive::Wave;
use super::{Additive, Instrument, Subtractive};
use crate::music::draw::Draw;
use crate::music::envelope::Envelope;

impl Instrument {
    /// A piano: the harmonics of a struck string, of which the high ones decay first.
    pub fn piano(rng: &mut KeyedRng) -> Instrument {
        let dull = rng.uniform_in([0.5, 0.75]);
        Instrument::Additive(Additive {
            harmonics: std::array::from_fn(|n| (0..n).fold(0.6, |level, _| level * dull) * [1.0, 0.7][n % 2]),
            t60_s: rng.uniform_in([2.5, 4.0]),
            brightness_t60: rng.uniform_in([0.5, 0.8]),
            hammer: rng.uniform_in([0.1, 0.25]),
            tremolo: 0.0,
            tremolo_hz: 5.0,
            envelope: Envelope { attack_s: 0.003, decay_s: 1.0, sustain: 1.0, release_s: 0.12 },
        })
    }

    /// An electric piano with tremolo.
    pub fn electric_piano(rng: &mut KeyedRng) -> Instrument {
        Instrument::Additive(Additive {
            harmonics: [0.7, 0.18, 0.08, 0.03, 0.0, 0.02, 0.04, 0.0],
            t60_s: rng.uniform_in([2.5, 3.5]),
            brightness_t60: 0.9,
            hammer: 0.03,
            tremolo: rng.uniform_in([0.1, 0.4]),
            tremolo_hz: rng.uniform_in([3.0, 6.0]),
            envelope: Envelope { attack_s: 0.004, decay_s: 1.0, sustain: 1.0, release_s: 0.1 },
        })
    }

    /// A tonewheel organ with random drawbars and the tremolo of a rotating loudspeaker.
    pub fn organ(rng: &mut KeyedRng) -> Instrument {
        let mut drawbar = || rng.uniform_in([0.05, 0.3]);
        let harmonics = [0.45, drawbar(), drawbar(), drawbar(), 0.0, 0.5 * drawbar(), 0.0, 0.5 * drawbar()];
        Instrument::Additive(Additive {
            harmonics,
            t60_s: f32::INFINITY,
            brightness_t60: 0.0,
            hammer: 0.08,
            tremolo: rng.uniform_in([0.05, 0.35]),
            tremolo_hz: rng.pick([0.9, 5.8, 6.4]),
            envelope: Envelope { attack_s: 0.008, decay_s: 1.0, sustain: 1.0, release_s: 0.03 },
        })
    }

    /// A synthesizer pad: two detuned oscillators, slow attack.
    pub fn synth_pad(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: rng.pick([Wave::Saw, Wave::Pulse(0.4)]),
            detune: rng.uniform_in([0.08, 0.2]),
            cutoff_hz: rng.around(1000.0, 0.8),
            opening: 1.2,
            breath: 0.0,
            vibrato: 0.0,
            vibrato_hz: 1.0,
            envelope: Envelope { attack_s: 0.25, decay_s: 2.0, sustain: 0.8, release_s: 0.4 },
        })
    }

    /// A synthesizer for melodies.
    pub fn synth_lead(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: rng.pick([Wave::Saw, Wave::Pulse(0.5), Wave::Pulse(0.25)]),
            detune: rng.pick([0.0, 0.1]),
            cutoff_hz: rng.around(1400.0, 0.6),
            opening: 1.4,
            breath: 0.0,
            vibrato: rng.uniform_in([0.05, 0.2]),
            vibrato_hz: 5.5,
            envelope: Envelope { attack_s: 0.012, decay_s: 0.6, sustain: 0.6, release_s: 0.12 },
        })
    }

    /// A synthesizer bass: a saw or square wave through a lowpass that closes as the note decays.
    pub fn synth_bass(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: rng.pick([Wave::Saw, Wave::Pulse(0.5)]),
            detune: 0.0,
            cutoff_hz: rng.around(260.0, 0.4),
            opening: rng.uniform_in([1.5, 3.0]),
            breath: 0.0,
            vibrato: 0.0,
            vibrato_hz: 1.0,
            envelope: Envelope { attack_s: 0.006, decay_s: 0.35, sustain: 0.5, release_s: 0.03 },
        })
    }

    /// A sine bass.
    pub fn sub_bass(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Sine,
            detune: 0.0,
            cutoff_hz: 900.0,
            opening: 0.0,
            breath: 0.0,
            vibrato: 0.0,
            vibrato_hz: 1.0,
            envelope: Envelope {
                attack_s: 0.008,
                decay_s: rng.uniform_in([0.8, 2.0]),
                sustain: 0.5,
                release_s: 0.06,
            },
        })
    }

    /// An approximation of a singing voice without formants: a lowpassed pulse with breath noise and delayed vibrato.
    pub fn voice(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Pulse(rng.uniform_in([0.15, 0.4])),
            detune: 0.0,
            cutoff_hz: rng.around(1100.0, 0.4),
            opening: 1.2,
            breath: rng.uniform_in([0.04, 0.12]),
            vibrato: rng.uniform_in([0.15, 0.4]),
            vibrato_hz: rng.uniform_in([4.8, 6.2]),
            envelope: Envelope { attack_s: 0.05, decay_s: 1.0, sustain: 0.8, release_s: 0.1 },
        })
    }
}
