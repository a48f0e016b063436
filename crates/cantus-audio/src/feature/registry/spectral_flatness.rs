//! Spectral flatness: geometric over arithmetic mean of the power spectrum.
//!
//! Of `|X|^power`: near 1 for white noise, near 0 for a sine.
//!
//! # Reference
//! Dubnov, "Generalization of spectral flatness measure for non-Gaussian linear processes", 2004;
//! `librosa.feature.spectral_flatness` 0.11.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::{LANES, sum_lanes};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::logarithm::{LogSum, log10};

/// Settings of the flatness; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlatnessConfig {
    /// Lower bound of `|X|^power`.
    pub amin: f32,
    /// Exponent of the magnitude: 2 is power.
    pub power: f32,
}

impl Default for FlatnessConfig {
    fn default() -> Self {
        Self { amin: 1e-10, power: 2.0 }
    }
}

/// The flatness of one spectrum, from 0 to 1; 1 for silence.
///
/// # Shapes
/// - `magnitude`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_flatness` 0.11 within 1e-5 of the value, if the magnitudes do: see [`crate::feature`].
pub fn spectral_flatness(magnitude: &[f32], config: &FlatnessConfig) -> f32 {
    let FlatnessConfig { amin, power } = *config;
    if power == 2.0 {
        return of_powers(magnitude, amin);
    }
    flatness(magnitude, |m| m.powf(power).max(amin))
}

#[multiversion]
fn of_powers(magnitude: &[f32], amin: f32) -> f32 {
    flatness(magnitude, |m| if m * m > amin { m * m } else { amin })
}

#[inline(always)]
fn flatness(magnitude: &[f32], strength: impl Fn(f32) -> f32) -> f32 {
    let (mut sum, mut sum_of_logs) = ([0.0; LANES], LogSum::new());
    let (chunks, rest) = magnitude.as_chunks::<LANES>();
    for group in chunks.chunks(LogSum::MAX_FACTORS) {
        for chunk in group {
            let mut strengths = *chunk;
            for (sum, x) in sum.iter_mut().zip(&mut strengths) {
                *x = strength(*x);
                *sum += *x;
            }
            sum_of_logs.multiply(&strengths);
        }
        sum_of_logs.end_product();
    }
    let (mut total, mut log_total) = (sum_lanes(sum), sum_of_logs.total());
    for strength in rest.iter().map(|&m| strength(m)) {
        total += strength;
        log_total += f64::from(log10(strength));
    }
    let n = magnitude.len().max(1) as f32;
    // The quotient as a difference of logarithms, which does not overflow.
    let mean = (total / n).max(f32::MIN_POSITIVE);
    10f32.powf((log_total / f64::from(n)) as f32 - log10(mean))
}

/// [`spectral_flatness`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct SpectralFlatness(FlatnessConfig);

impl Feature for SpectralFlatness {
    type Config = FlatnessConfig;
    const NAME: &'static str = "spectral_flatness";
    const TITLE: &'static str = "Spectral flatness";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::PreciseMagnitude];

    fn validate(config: &FlatnessConfig, _: &FrameParams) -> Result<(), Error> {
        let FlatnessConfig { amin, power } = *config;
        let is_normal = amin.is_finite() && amin >= f32::MIN_POSITIVE;
        require(is_normal, "flatness.amin", amin, || "above 1.2e-38".into())?;
        require(power > 0.0 && power <= 8.0, "flatness.power", power, || "above 0 and at most 8".into())
    }

    fn plan(config: &FlatnessConfig, _: &FrameParams) -> Self {
        Self(*config)
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let n_bins = input.params.n_fft_bins();
        rows.fill_from(input.precise_magnitude, n_bins, |frame| spectral_flatness(frame, &self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_constant_spectrum_has_flatness_1_and_a_peak_0() {
        let config = FlatnessConfig::default();
        assert_close(&[spectral_flatness(&[0.25; 100], &config)], &[1.0], 1e-6);
        assert_close(&[spectral_flatness(&[0.0; 100], &config)], &[1.0], 1e-5);
        let mut peak = [1e-4; 100];
        peak[50] = 10.0;
        assert!(spectral_flatness(&peak, &config) < 1e-6);
    }
}
