//! Gain: the same music louder or softer.

use serde::{Deserialize, Serialize};

use super::always;

/// Changes the level by a number of decibels drawn from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
    /// dB, from -100 to 100.
    pub range: [f32; 2],
}

/// Multiplies a signal by a gain in dB: 20 dB is ten times the amplitude.
pub fn apply(samples: &mut [f32], gain_db: f32) {
    let factor = 10.0_f32.powf(gain_db / 20.0);
    samples.iter_mut().for_each(|sample| *sample *= factor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn twenty_decibels_are_ten_times_the_amplitude() {
        let mut samples = [0.1, -0.02, 0.0];
        apply(&mut samples, 20.0);
        assert_close(&samples, &[1.0_f32, -0.2, 0.0], 1e-6);
        apply(&mut samples, -6.020_6);
        assert_close(&samples, &[0.5_f32, -0.1, 0.0], 1e-6);
    }
}
