//! Spectral bandwidth: the spread of the magnitude spectrum about its centroid.
//!
//! `(Σ |X(f)| / Σ |X| · |f - centroid|^p)^(1/p)`, in Hz: with `p = 2` a standard deviation.
//!
//! # Reference
//! Klapuri & Davy, "Signal Processing Methods for Music Transcription", 2006, chapter 5;
//! `librosa.feature.spectral_bandwidth` 0.11.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::spectral_centroid::spectral_centroid;
use crate::Error;
use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::{sum, sum_of};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;

/// Settings of the bandwidth; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandwidthConfig {
    /// Exponent of the distance from the centroid.
    pub p: f32,
    /// Whether each spectrum is divided by its sum first, which makes the bandwidth independent of the level.
    pub norm: bool,
}

impl Default for BandwidthConfig {
    fn default() -> Self {
        Self { p: 2.0, norm: true }
    }
}

/// The bandwidth of one spectrum; in Hz, if normalised.
///
/// # Shapes
/// - `magnitude`, `hertz`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_bandwidth` 0.11 within 2e-6 of the value.
pub fn spectral_bandwidth(magnitude: &[f32], hertz: &[f32], config: &BandwidthConfig) -> f32 {
    let centroid = spectral_centroid(magnitude, hertz);
    let (p, total) = (config.p, sum(magnitude));
    let scale = if config.norm && total > f32::MIN_POSITIVE { total } else { 1.0 };
    if p == 2.0 {
        return (spread(magnitude, hertz, centroid) / scale).sqrt();
    }
    (sum_of(magnitude, hertz, |m, f| m * (f - centroid).abs().powf(p)) / scale).powf(1.0 / p)
}

/// `Σ m · (f - centroid)²`
#[multiversion]
fn spread(magnitude: &[f32], hertz: &[f32], centroid: f32) -> f32 {
    sum_of(magnitude, hertz, |m, f| m * (f - centroid) * (f - centroid))
}

/// [`spectral_bandwidth`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct SpectralBandwidth {
    config: BandwidthConfig,
    /// `[n_fft / 2 + 1]`, frequencies of the bins.
    hertz: Vec<f32>,
}

impl Feature for SpectralBandwidth {
    type Config = BandwidthConfig;
    const NAME: &'static str = "spectral_bandwidth";
    const TITLE: &'static str = "Spectral bandwidth";
    const UNIT: &'static str = "Hz";
    const NEEDS: &'static [Intermediate] = &[Intermediate::PreciseMagnitude];

    fn validate(config: &BandwidthConfig, _: &FrameParams) -> Result<(), Error> {
        let p = config.p;
        require(p > 0.0 && p <= 8.0, "bandwidth.p", p, || "above 0 and at most 8".into())
    }

    fn plan(config: &BandwidthConfig, params: &FrameParams) -> Self {
        Self { config: *config, hertz: params.fft_hz_f32() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.fill_from(input.precise_magnitude, self.hertz.len(), |frame| {
            spectral_bandwidth(frame, &self.hertz, &self.config)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn two_equal_tones_have_half_their_distance() {
        let hertz = [0.0, 100.0, 200.0, 300.0];
        for p in [1.0, 2.0, 3.0] {
            let config = BandwidthConfig { p, norm: true };
            assert_close(&[spectral_bandwidth(&[0.0, 2.0, 0.0, 0.0], &hertz, &config)], &[0.0], 1e-4);
            assert_close(&[spectral_bandwidth(&[0.0, 2.0, 0.0, 2.0], &hertz, &config)], &[100.0], 1e-3);
        }
    }

    #[test]
    fn without_norm_the_bandwidth_grows_with_the_level() {
        let config = BandwidthConfig { norm: false, ..BandwidthConfig::default() };
        let hertz = [0.0, 100.0, 200.0, 300.0];
        assert_close(&[spectral_bandwidth(&[0.0, 2.0, 0.0, 2.0], &hertz, &config)], &[200.0], 1e-3);
    }
}
