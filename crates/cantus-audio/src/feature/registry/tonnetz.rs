//! Tonal centroid (tonnetz): chroma projected on the circles of fifths, minor thirds and major thirds.
//!
//! On each circle the pitch classes have one angle each; the centroid of a frame is their mean position, weighted by
//! chroma: two coordinates per circle. Harmonically related chords have near centroids.
//!
//! # Conventions
//! `[n_frames, 6]`: fifths x and y, minor thirds x and y, major thirds x and y.
//!
//! # Reference
//! Harte, Sandler & Gasser, "Detecting harmonic change in musical audio", 2006; `librosa.feature.tonnetz` 0.11.

use std::f64::consts::PI;

use super::chroma_cqt::{ChromaCqtConfig, ChromaCqtFeature};
use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::rows::Rows;
use crate::transform::Norm;

/// Number of coordinates of a tonal centroid.
pub const N_TONNETZ: usize = 6;

/// Angle from one semitone to the next on each circle, in half turns.
const HALF_TURNS: [f64; N_TONNETZ] = [7.0 / 6.0, 7.0 / 6.0, 3.0 / 2.0, 3.0 / 2.0, 2.0 / 3.0, 2.0 / 3.0];
/// Radii of the circles.
const RADII: [f64; N_TONNETZ] = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5];

/// The tonal centroid of chroma, planned.
#[derive(Debug, Clone)]
pub struct Tonnetz {
    /// `[n_chroma, 6]`, the coordinates of each pitch class.
    positions: Vec<[f32; N_TONNETZ]>,
}

impl Tonnetz {
    /// Plans the centroid of `n_chroma` pitch classes.
    pub fn new(n_chroma: usize) -> Self {
        let position = |chroma: usize| {
            let pitch = 12.0 * chroma as f64 / n_chroma as f64;
            std::array::from_fn(|i| {
                let quarter = if i % 2 == 0 { 0.5 } else { 0.0 }; // a sine is a cosine delayed by a quarter turn
                (RADII[i] * (PI * (HALF_TURNS[i] * pitch - quarter)).cos()) as f32
            })
        };
        Self { positions: (0..n_chroma).map(position).collect() }
    }

    /// The tonal centroid of one frame.
    ///
    /// # Shapes
    /// - `chroma`: `[n_chroma]`, non-negative
    /// - `centroid`: `[6]`, overwritten; zeros for silence
    ///
    /// # Reference
    /// Equals `librosa.feature.tonnetz(chroma=…)` 0.11 within 1e-6.
    pub fn apply(&self, chroma: &[f32], centroid: &mut [f32]) {
        let length = Norm::L1.length(chroma);
        let scale = if length >= f32::MIN_POSITIVE { 1.0 / length } else { 1.0 };
        centroid.fill(0.0);
        for (weight, position) in chroma.iter().zip(&self.positions) {
            for (sum, coordinate) in centroid.iter_mut().zip(position) {
                *sum += weight * scale * coordinate;
            }
        }
    }
}

/// Tonal centroid of CQT chroma: `[n_frames, 6]`.
#[derive(Debug, Clone)]
pub(crate) struct TonnetzFeature {
    chroma: ChromaCqtFeature,
    n_chroma: usize,
    tonnetz: Tonnetz,
}

impl Feature for TonnetzFeature {
    type Config = ChromaCqtConfig;
    const NAME: &'static str = "tonnetz";
    const TITLE: &'static str = "Tonal centroid";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn n_bins(_: &ChromaCqtConfig, _: &FrameParams) -> usize {
        N_TONNETZ
    }

    fn bins(_: &ChromaCqtConfig, _: &FrameParams) -> Bins {
        let names = ["Fifth x", "Fifth y", "Minor x", "Minor y", "Major x", "Major y"];
        Bins::Named("Interval", names.map(str::to_owned).to_vec())
    }

    fn validate(config: &ChromaCqtConfig, params: &FrameParams) -> Result<(), Error> {
        ChromaCqtFeature::validate(config, params)
    }

    fn plan(config: &ChromaCqtConfig, params: &FrameParams) -> Self {
        let n_chroma = config.n_chroma;
        Self { chroma: ChromaCqtFeature::plan(config, params), n_chroma, tonnetz: Tonnetz::new(n_chroma) }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let frames = self.chroma.chroma(input).chunks_exact(self.n_chroma);
        for (chroma, row) in frames.zip(rows.iter_mut()) {
            self.tonnetz.apply(chroma, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn centroid(pitch_classes: &[usize]) -> [f32; N_TONNETZ] {
        let mut chroma = [0.0; 12];
        pitch_classes.iter().for_each(|class| chroma[*class] = 1.0);
        let mut centroid = [f32::NAN; N_TONNETZ];
        Tonnetz::new(12).apply(&chroma, &mut centroid);
        centroid
    }

    #[test]
    fn the_centroid_of_a_chord_equals_librosas() {
        // c = np.zeros((12, 1)); c[[0, 4, 7]] = 1; print(librosa.feature.tonnetz(chroma=c)[:, 0])
        let expected = [0.455_341_801, 0.455_341_801, 0.333_333_333, 0.666_666_667, 0.288_675_135, 0.0];
        assert_close(&centroid(&[0, 4, 7]), &expected, 1e-6);
    }

    #[test]
    fn a_fifth_is_nearer_than_a_tritone() {
        let distance = |a: [f32; 6], b: [f32; 6]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>();
        let c = centroid(&[0, 4, 7]);
        assert!(distance(c, centroid(&[7, 11, 2])) < distance(c, centroid(&[6, 10, 1])));
    }

    #[test]
    fn the_centroid_of_silence_is_zero() {
        assert_eq!(centroid(&[]), [0.0; 6]);
    }
}
