//! Polarity: the signal upside down, as if the wires of a loudspeaker were exchanged. Nobody hears it, and a network
//! that is given waveforms should not either; features of magnitudes do not change at all.

use serde::{Deserialize, Serialize};

use super::always;

/// Turns the signal upside down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polarity {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
}

/// Turns a signal upside down.
pub fn invert(samples: &mut [f32]) {
    samples.iter_mut().for_each(|sample| *sample = -*sample);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_changes_its_sign() {
        let mut samples = [0.5, -0.25, 0.0];
        invert(&mut samples);
        assert_eq!(samples, [-0.5, 0.25, 0.0]);
    }
}
