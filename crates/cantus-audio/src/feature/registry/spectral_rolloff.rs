//! Spectral roll-off: the frequency below which a given share of the magnitude spectrum lies.
//!
//! # Reference
//! Scheirer & Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator", 1997;
//! `librosa.feature.spectral_rolloff` 0.11.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;

/// Settings of the roll-off; librosa's name and default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloffConfig {
    /// Share of the magnitudes below the roll-off, between 0 and 1.
    pub roll_percent: f32,
}

impl Default for RolloffConfig {
    fn default() -> Self {
        Self { roll_percent: 0.85 }
    }
}

/// The lowest frequency up to which, inclusive, the magnitudes sum to `roll_percent` of the total, in Hz; 0 for silence.
///
/// Summed sequentially in f32 like numpy's `cumsum`, so that the same bin is found.
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
pub(crate) struct SpectralRolloff {
    roll_percent: f32,
    /// `[n_fft / 2 + 1]`, frequencies of the bins.
    hertz: Vec<f32>,
}

impl Feature for SpectralRolloff {
    type Config = RolloffConfig;
    const NAME: &'static str = "spectral_rolloff";
    const TITLE: &'static str = "Spectral roll-off";
    const UNIT: &'static str = "Hz";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn validate(config: &RolloffConfig, _: &FrameParams) -> Result<(), Error> {
        let roll_percent = config.roll_percent;
        require(roll_percent > 0.0 && roll_percent < 1.0, "rolloff.roll_percent", roll_percent, || {
            "between 0 and 1".into()
        })
    }

    fn plan(config: &RolloffConfig, params: &FrameParams) -> Self {
        Self { roll_percent: config.roll_percent, hertz: params.fft_hz_f32() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.fill_from(input.magnitude, self.hertz.len(), |frame| {
            spectral_rolloff(frame, &self.hertz, self.roll_percent)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rolloff_is_the_bin_that_reaches_the_share() {
        let hertz = [0.0, 100.0, 200.0, 300.0];
        assert_eq!(spectral_rolloff(&[1.0; 4], &hertz, 0.85), 300.0);
        assert_eq!(spectral_rolloff(&[1.0; 4], &hertz, 0.5), 100.0);
        assert_eq!(spectral_rolloff(&[0.0; 4], &hertz, 0.85), 0.0);
    }
}
