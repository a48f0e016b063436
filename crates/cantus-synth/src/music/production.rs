//! Parameters of recording and mastering: bandwidth, equalisation, reverberation, saturation, noise, level.

use cantus_random::KeyedRng;

use super::draw::Draw;
use super::elementary::amplitude;

/// Parameters of the recording chain of a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Production {
    /// Lower and upper limit of the band, in Hz.
    pub low_cut_hz: f32,
    pub high_cut_hz: f32,
    /// Gain of a high shelf, dB.
    pub tilt_db: f32,
    /// A peaking filter, for a resonance of the room or microphone: centre in Hz and gain in dB.
    pub colour_hz: f32,
    pub colour_db: f32,
    /// Share of reverberation in the mix, and its T60 in seconds.
    pub reverb: f32,
    pub reverb_s: f32,
    /// Gain before soft clipping, as in analogue recording.
    pub saturation: f32,
    /// Amplitude of the hiss, and number of clicks per second.
    pub hiss: f32,
    pub crackles_per_s: f32,
    /// Peak of the finished track.
    pub peak: f32,
}

impl Production {
    /// Random parameters; `bandwidth_hz` is the centre of the upper band limit.
    pub fn draw(rng: &mut KeyedRng, bandwidth_hz: f32) -> Production {
        let noisy = rng.bernoulli(0.35);
        Production {
            low_cut_hz: rng.around(42.0, 0.5),
            high_cut_hz: rng.around(bandwidth_hz, 0.25),
            tilt_db: rng.uniform_in([-2.5, 2.5]),
            colour_hz: rng.around(900.0, 2.0),
            colour_db: rng.uniform_in([-3.0, 3.0]),
            reverb: rng.uniform_in([0.02, 0.3]),
            reverb_s: rng.around(0.9, 0.9),
            saturation: rng.around(1.2, 0.5),
            hiss: if noisy { amplitude(rng.uniform_in([-65.0, -46.0])) } else { amplitude(-72.0) },
            crackles_per_s: 0.0,
            peak: rng.uniform_in([0.25, 0.93]),
        }
    }
}
