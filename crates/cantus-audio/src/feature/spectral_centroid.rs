//! The spectral centroid: the centre of mass of the spectrum, which is heard as brightness.
//!
//! `Σ f · |X(f)| / Σ |X(f)|`, in Hz.
//!
//! # Reference
//! Grey & Gordon, "Perceptual effects of spectral modifications on musical timbres", 1978;
//! `librosa.feature.spectral_centroid` 0.11.

use multiversion::multiversion;

use super::FeatureSpec;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::sum::{sum, sum_of};
use crate::transform::fourier::fft_frequencies;

/// The centroid of one spectrum, in Hz; 0 for silence.
///
/// # Shapes
/// - `magnitude`, `hertz`: `[n_bins]`
///
/// # Reference
/// Equals `librosa.feature.spectral_centroid` 0.11 within 2e-6 of the value.
#[multiversion(targets = "simd")]
pub fn spectral_centroid(magnitude: &[f32], hertz: &[f32]) -> f32 {
    let total = sum(magnitude);
    if total > f32::MIN_POSITIVE { sum_of(magnitude, hertz, |m, f| m * f) / total } else { 0.0 }
}

/// The frequencies of the bins of the FFT, in f32.
pub(super) fn bins_hz(spec: &FeatureSpec) -> Vec<f32> {
    fft_frequencies(spec.sample_rate, spec.n_fft).iter().map(|&hertz| hertz as f32).collect()
}

/// [`spectral_centroid`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(super) struct SpectralCentroid {
    hertz: Vec<f32>,
}

impl Feature for SpectralCentroid {
    const NAME: &'static str = "spectral_centroid";
    const TITLE: &'static str = "Spectral centroid";
    const UNIT: &'static str = "Hz";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn plan(spec: &FeatureSpec) -> Self {
        Self { hertz: bins_hz(spec) }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        rows.fill_from(&sound.shared.magnitude, self.hertz.len(), |frame| {
            spectral_centroid(frame, &self.hertz)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn the_centre_of_two_tones_lies_nearer_to_the_louder() {
        assert_close(
            &[spectral_centroid(&[0.0, 3.0, 0.0, 1.0], &[0.0, 100.0, 200.0, 300.0])],
            &[150.0],
            1e-4,
        );
        assert_eq!(spectral_centroid(&[0.0; 4], &[0.0, 100.0, 200.0, 300.0]), 0.0);
    }
}
