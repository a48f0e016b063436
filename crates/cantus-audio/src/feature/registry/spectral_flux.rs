//! Spectral flux: the Euclidean distance of successive magnitude spectra; high at onsets.
//!
//! `√(Σ (|X_t| - |X_{t-1}|)²)`; 0 in the first frame.
//!
//! # Reference
//! librosa has none of this name (its onset strength is a flux of mel bands). It is
//! `np.linalg.norm(np.diff(S, axis=1, prepend=S[:, :1]), axis=0)` of librosa's magnitudes `S`, within 1e-5 of the
//! largest. Lerch, "An Introduction to Audio Content Analysis", 2012, chapter 3, where it is also divided by the
//! number of bins.

use cantus_simd::multiversion;

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::sum_of;
use crate::feature::rows::Rows;

/// The Euclidean distance of two spectra.
///
/// # Shapes
/// - `previous`, `current`: `[n_bins]`, magnitudes
#[multiversion]
pub fn spectral_flux(previous: &[f32], current: &[f32]) -> f32 {
    sum_of(previous, current, |a, b| (b - a) * (b - a)).sqrt()
}

/// [`spectral_flux`] of each frame and the one before it: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct SpectralFlux;

impl Feature for SpectralFlux {
    type Config = ();
    const NAME: &'static str = "spectral_flux";
    const TITLE: &'static str = "Spectral flux";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn plan(_: &Self::Config, _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let n_bins = input.params.n_fft_bins();
        let mut previous = input.magnitude.get(..n_bins).unwrap_or_default();
        for (row, current) in rows.iter_mut().zip(input.magnitude.chunks_exact(n_bins)) {
            row[0] = spectral_flux(previous, current);
            previous = current;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_spectra_have_no_flux() {
        assert_eq!(spectral_flux(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
        assert_eq!(spectral_flux(&[0.0, 4.0], &[3.0, 0.0]), 5.0);
    }
}
