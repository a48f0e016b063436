//! The spectral roll-off: the frequency below which most of the spectrum lies.
//!
//! # Reference
//! Scheirer & Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator", 1997;
//! `librosa.feature.spectral_rolloff` 0.11.

use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use super::spectral_centroid::bins_hz;
use crate::Error;

/// How much of the spectrum lies below the roll-off; librosa's name and default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloffConfig {
    /// From 0 to 1: 0.99 finds the upper end of the spectrum, 0.01 the lower.
    pub roll_percent: f32,
}

impl Default for RolloffConfig {
    fn default() -> Self {
        Self { roll_percent: 0.85 }
    }
}

/// The lowest frequency up to and with which the magnitudes add up to `roll_percent` of all; 0 for silence.
///
/// The sum runs from bin to bin in f32 as numpy's `cumsum` does, so that the same bin is found.
///
/// # Shapes
/// - `magnitude`, `hertz`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_rolloff` 0.11; where the sum meets the threshold within rounding, it may be the
/// next bin.
pub fn spectral_rolloff(magnitude: &[f32], hertz: &[f32], roll_percent: f32) -> f32 {
    let total = magnitude.iter().fold(0.0, |sum: f32, m| sum + m);
    let threshold = roll_percent * total;
    let mut sum = 0.0f32;
    let reaches = |m: &f32| {
        sum += m;
        sum >= threshold
    };
    magnitude.iter().position(reaches).and_then(|bin| hertz.get(bin)).copied().unwrap_or(0.0)
}

/// [`spectral_rolloff`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(super) struct SpectralRolloff {
    hertz: Vec<f32>,
}

impl Feature for SpectralRolloff {
    const NAME: &'static str = "spectral_rolloff";
    const TITLE: &'static str = "Spectral roll-off";
    const UNIT: &'static str = "Hz";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        let roll_percent = spec.rolloff.roll_percent;
        require(roll_percent > 0.0 && roll_percent < 1.0, "rolloff.roll_percent", roll_percent, || {
            "between 0 and 1".into()
        })
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self { hertz: bins_hz(spec) }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let roll_percent = sound.spec.rolloff.roll_percent;
        rows.fill_from(&sound.shared.magnitude, self.hertz.len(), |frame| {
            spectral_rolloff(frame, &self.hertz, roll_percent)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_lies_below_the_rolloff() {
        let hertz = [0.0, 100.0, 200.0, 300.0];
        assert_eq!(spectral_rolloff(&[1.0; 4], &hertz, 0.85), 300.0);
        assert_eq!(spectral_rolloff(&[1.0; 4], &hertz, 0.5), 100.0);
        assert_eq!(spectral_rolloff(&[0.0; 4], &hertz, 0.85), 0.0);
    }
}
