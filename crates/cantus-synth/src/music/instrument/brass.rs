//! Wind instruments: brass, with brightness that follows loudness (Risset 1966), saxophone, harmonica.

use cantus_random::KeyedRng;

use super::subtractive::Wave;
use super::{Instrument, Subtractive};
use crate::music::draw::Draw;
use crate::music::envelope::Envelope;

impl Instrument {
    /// A trumpet.
    pub fn trumpet(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Saw,
            detune: 0.0,
            cutoff_hz: rng.around(650.0, 0.3),
            opening: rng.uniform_in([2.0, 2.8]),
            breath: 0.02,
            vibrato: rng.uniform_in([0.05, 0.2]),
            vibrato_hz: rng.uniform_in([4.5, 6.0]),
            envelope: Envelope { attack_s: 0.03, decay_s: 0.5, sustain: 0.75, release_s: 0.06 },
        })
    }

    /// A brass section: two detuned oscillators, short attack.
    pub fn brass_section(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Saw,
            detune: rng.uniform_in([0.06, 0.14]),
            cutoff_hz: rng.around(800.0, 0.3),
            opening: 2.4,
            breath: 0.01,
            vibrato: 0.03,
            vibrato_hz: 5.0,
            envelope: Envelope { attack_s: 0.025, decay_s: 0.4, sustain: 0.7, release_s: 0.08 },
        })
    }

    /// A tenor saxophone.
    pub fn saxophone(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Pulse(rng.uniform_in([0.2, 0.3])),
            detune: 0.0,
            cutoff_hz: rng.around(850.0, 0.3),
            opening: 1.6,
            breath: rng.uniform_in([0.06, 0.14]),
            vibrato: rng.uniform_in([0.1, 0.25]),
            vibrato_hz: rng.uniform_in([4.5, 5.5]),
            envelope: Envelope { attack_s: 0.04, decay_s: 0.6, sustain: 0.8, release_s: 0.07 },
        })
    }

    /// A harmonica.
    pub fn harmonica(rng: &mut KeyedRng) -> Instrument {
        Instrument::Subtractive(Subtractive {
            wave: Wave::Pulse(rng.uniform_in([0.12, 0.2])),
            detune: 0.05,
            cutoff_hz: rng.around(1600.0, 0.3),
            opening: 0.8,
            breath: rng.uniform_in([0.05, 0.1]),
            vibrato: rng.uniform_in([0.15, 0.35]),
            vibrato_hz: rng.uniform_in([4.5, 6.0]),
            envelope: Envelope { attack_s: 0.04, decay_s: 1.0, sustain: 0.85, release_s: 0.08 },
        })
    }
}
