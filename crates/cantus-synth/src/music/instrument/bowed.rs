//! Sustained strings: solo violin to cello, string section, pedal steel guitar.

use cantus_random::KeyedRng;

use super::subtractive::Wave;
use super::{Instrument, Subtractive};
use crate::music::draw::Draw;
use crate::music::envelope::Envelope;

impl Instrument {
    /// A solo bowed string, with vibrato and bow noise.
    pub fn violin(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Saw,
            detune: 0.0,
            cutoff_hz: rng.around(1300.0, 0.4),
            opening: 1.3,
            breath: rng.uniform_in([0.02, 0.06]),
            vibrato: rng.uniform_in([0.1, 0.3]),
            vibrato_hz: rng.uniform_in([5.0, 6.5]),
            envelope: Envelope {
                attack_s: rng.uniform_in([0.05, 0.1]),
                decay_s: 1.0,
                sustain: 0.8,
                release_s: 0.15,
            },
        })
    }

    /// A string section: two detuned oscillators, slow attack.
    pub fn string_section(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Saw,
            detune: rng.uniform_in([0.08, 0.16]),
            cutoff_hz: rng.around(1500.0, 0.5),
            opening: 0.8,
            breath: 0.01,
            vibrato: 0.08,
            vibrato_hz: 5.5,
            envelope: Envelope {
                attack_s: rng.uniform_in([0.06, 0.14]),
                decay_s: 2.0,
                sustain: 0.9,
                release_s: 0.25,
            },
        })
    }

    /// A pedal steel guitar: soft attack, long decay; its notes may slide.
    pub fn pedal_steel(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Pulse(0.3),
            detune: 0.0,
            cutoff_hz: rng.around(900.0, 0.3),
            opening: 1.6,
            breath: 0.0,
            vibrato: rng.uniform_in([0.15, 0.3]),
            vibrato_hz: rng.uniform_in([4.5, 5.5]),
            envelope: Envelope { attack_s: 0.03, decay_s: 3.0, sustain: 0.35, release_s: 0.2 },
        })
    }
}
