//! The spectral flatness: whether the spectrum is a plain, like noise, or has peaks, like a tone.
//!
//! Geometric mean over arithmetic mean of `|X|^power`: near 1 for white noise, near 0 for a sine.
//!
//! # Reference
//! Dubnov, "Generalization of spectral flatness measure for non-Gaussian linear processes", 2004;
//! `librosa.feature.spectral_flatness` 0.11.

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use super::sum::sum_of;
use crate::Error;
use crate::transform::fourier;
use crate::transform::logarithm::log10;

/// What the flatness is made of; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlatnessConfig {
    /// Strengths below count as this.
    pub amin: f32,
    /// Exponent of the magnitude: 2 is power.
    pub power: f32,
}

impl Default for FlatnessConfig {
    fn default() -> Self {
        Self { amin: 1e-10, power: 2.0 }
    }
}

/// The flatness of one spectrum, from 0 to 1; silence is perfectly flat.
///
/// # Shapes
/// - `magnitude`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_flatness` 0.11 within 1e-5 of the value; within 2e-3 where a band is empty, as just
/// below half the sample rate after resampling: see [`crate::feature`].
pub fn spectral_flatness(magnitude: &[f32], config: &FlatnessConfig) -> f32 {
    let FlatnessConfig { amin, power } = *config;
    if power == 2.0 {
        return of_powers(magnitude, amin);
    }
    flatness(magnitude, |m| m.powf(power).max(amin))
}

#[multiversion(targets = "simd")]
fn of_powers(magnitude: &[f32], amin: f32) -> f32 {
    flatness(magnitude, |m| if m * m > amin { m * m } else { amin })
}

#[inline(always)]
fn flatness(magnitude: &[f32], strength: impl Fn(f32) -> f32) -> f32 {
    let n = magnitude.len().max(1) as f32;
    let mean = sum_of(magnitude, magnitude, |m, _| strength(m)) / n;
    let mean_log = sum_of(magnitude, magnitude, |m, _| log10(strength(m))) / n;
    // Their quotient as a difference of logarithms: neither mean can overflow.
    10f32.powf(mean_log - log10(mean.max(f32::MIN_POSITIVE)))
}

/// [`spectral_flatness`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(super) struct SpectralFlatness;

impl Feature for SpectralFlatness {
    const NAME: &'static str = "spectral_flatness";
    const TITLE: &'static str = "Spectral flatness";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        let FlatnessConfig { amin, power } = spec.flatness;
        let is_normal = amin.is_finite() && amin >= f32::MIN_POSITIVE;
        require(is_normal, "flatness.amin", amin, || "above 1.2e-38".into())?;
        require(power > 0.0 && power <= 8.0, "flatness.power", power, || "above 0 and at most 8".into())
    }

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let n_bins = fourier::n_bins(sound.spec.n_fft);
        let config = &sound.spec.flatness;
        rows.fill_from(&sound.shared.magnitude, n_bins, |frame| spectral_flatness(frame, config));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_plain_is_flat_and_a_peak_is_not() {
        let config = FlatnessConfig::default();
        assert_close(&[spectral_flatness(&[0.25; 100], &config)], &[1.0], 1e-6);
        assert_close(&[spectral_flatness(&[0.0; 100], &config)], &[1.0], 1e-5);
        let mut peak = [1e-4; 100];
        peak[50] = 10.0;
        assert!(spectral_flatness(&peak, &config) < 1e-6);
    }
}
