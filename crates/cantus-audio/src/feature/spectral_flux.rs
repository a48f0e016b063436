//! The spectral flux: how much the spectrum changes from one frame to the next; large where something begins.
//!
//! `√(Σ (|X_t| - |X_{t-1}|)²)`; the first frame has none before it, and no flux.
//!
//! # Reference
//! librosa has none of this name (its onset strength is a flux of mel bands). It is
//! `np.linalg.norm(np.diff(S, axis=1, prepend=S[:, :1]), axis=0)` of librosa's magnitudes `S`, within 1e-5 of the
//! largest. Lerch, "An Introduction to Audio Content Analysis", 2012, chapter 3, where it is also divided by the
//! number of bins.

use multiversion::multiversion;

use super::FeatureSpec;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::sum::sum_of;
use crate::transform::fourier;

/// How far apart two spectra are.
///
/// # Shapes
/// - `before`, `now`: `[n_bins]`, magnitudes
#[multiversion(targets = "simd")]
pub fn spectral_flux(before: &[f32], now: &[f32]) -> f32 {
    sum_of(before, now, |a, b| (b - a) * (b - a)).sqrt()
}

/// [`spectral_flux`] of each frame and the one before it: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(super) struct SpectralFlux;

impl Feature for SpectralFlux {
    const NAME: &'static str = "spectral_flux";
    const TITLE: &'static str = "Spectral flux";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn plan(_spec: &FeatureSpec) -> Self {
        Self
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let n_bins = fourier::n_bins(sound.spec.n_fft);
        let mut before = sound.shared.magnitude.get(..n_bins).unwrap_or_default();
        for (row, now) in rows.iter_mut().zip(sound.shared.magnitude.chunks_exact(n_bins)) {
            row[0] = spectral_flux(before, now);
            before = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_has_no_flux() {
        assert_eq!(spectral_flux(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
        assert_eq!(spectral_flux(&[0.0, 4.0], &[3.0, 0.0]), 5.0);
    }
}
