//! Random polarity inversion: inaudible, and without effect on magnitude features, but not on waveforms.

use serde::{Deserialize, Serialize};

use super::default_probability;

/// Inverts the polarity of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polarity {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
}

/// Inverts the polarity of a signal in place.
pub(super) fn invert(samples: &mut [f32]) {
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
