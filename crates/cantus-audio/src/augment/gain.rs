//! Random gain.

use serde::{Deserialize, Serialize};

use super::default_probability;

/// Changes the level by a gain drawn from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// dB, from -100 to 100.
    pub range: [f32; 2],
}

/// Applies a gain in dB to a signal in place; 20 dB is a factor of 10.
pub(super) fn apply(samples: &mut [f32], gain_db: f32) {
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
