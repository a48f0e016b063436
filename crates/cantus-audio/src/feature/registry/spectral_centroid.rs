//! Spectral centroid: the centre of mass of the magnitude spectrum, which correlates with brightness.
//!
//! `Σ f · |X(f)| / Σ |X(f)|`, in Hz.
//!
//! # Reference
//! Grey & Gordon, "Perceptual effects of spectral modifications on musical timbres", 1978;
//! `librosa.feature.spectral_centroid` 0.11.

use cantus_simd::multiversion;

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::{sum, sum_of};
use crate::feature::rows::Rows;

/// The centroid of one spectrum, in Hz; 0 for silence.
///
/// # Shapes
/// - `magnitude`, `hertz`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_centroid` 0.11 within 2e-6 of the value.
#[multiversion]
pub fn spectral_centroid(magnitude: &[f32], hertz: &[f32]) -> f32 {
    let total = sum(magnitude);
    if total > f32::MIN_POSITIVE { sum_of(magnitude, hertz, |m, f| m * f) / total } else { 0.0 }
}

/// [`spectral_centroid`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct SpectralCentroid {
    /// `[n_fft / 2 + 1]`, frequencies of the bins.
    hertz: Vec<f32>,
}

impl Feature for SpectralCentroid {
    type Config = ();
    const NAME: &'static str = "spectral_centroid";
    const TITLE: &'static str = "Spectral centroid";
    const UNIT: &'static str = "Hz";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn plan(_: &(), params: &FrameParams) -> Self {
        Self { hertz: params.fft_hz_f32() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.fill_from(input.magnitude, self.hertz.len(), |frame| spectral_centroid(frame, &self.hertz));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn the_centroid_of_two_tones_is_their_weighted_mean() {
        assert_close(
            &[spectral_centroid(&[0.0, 3.0, 0.0, 1.0], &[0.0, 100.0, 200.0, 300.0])],
            &[150.0],
            1e-4,
        );
        assert_eq!(spectral_centroid(&[0.0; 4], &[0.0, 100.0, 200.0, 300.0]), 0.0);
    }
}
