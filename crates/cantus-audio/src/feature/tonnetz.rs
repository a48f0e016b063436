//! The tonal centroid: where a chord lies on the net of fifths and thirds.
//!
//! Three circles, each with the pitch classes around it in another order: in fifths, in minor thirds, in major thirds.
//! The pitch classes of a frame pull towards their places with their strengths; where the balance lies on each circle
//! is two numbers. Chords that sound akin lie near each other.
//!
//! # Conventions
//! `[n_frames, 6]`: fifths x and y, minor thirds x and y, major thirds x and y.
//!
//! # Reference
//! Harte, Sandler & Gasser, "Detecting harmonic change in musical audio", 2006; `librosa.feature.tonnetz` 0.11.

use std::f64::consts::PI;

use super::FeatureSpec;
use super::chroma_cqt::ChromaCqtKind;
use super::cqt::rows_from_centred;
use super::kind::{Bins, Feature, Rows};
use super::shared::{Intermediate, Sound};
use crate::Error;
use crate::transform::Norm;

/// Number of tonal centroid values.
pub const N_TONNETZ: usize = 6;

/// Half turns around its circle for each of twelve pitch classes.
const HALF_TURNS: [f64; N_TONNETZ] = [7.0 / 6.0, 7.0 / 6.0, 3.0 / 2.0, 3.0 / 2.0, 2.0 / 3.0, 2.0 / 3.0];
/// Radii of the circles: major thirds count half.
const RADII: [f64; N_TONNETZ] = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5];

/// The tonal centroid of chroma, planned.
#[derive(Debug, Clone)]
pub struct Tonnetz {
    /// For each pitch class, its place.
    places: Vec<[f32; N_TONNETZ]>,
}

impl Tonnetz {
    /// Plans the centroid of `n_chroma` pitch classes.
    pub fn new(n_chroma: usize) -> Self {
        let place = |chroma: usize| {
            let pitch = 12.0 * chroma as f64 / n_chroma as f64;
            std::array::from_fn(|i| {
                let quarter = if i % 2 == 0 { 0.5 } else { 0.0 }; // a sine is a cosine a quarter later
                (RADII[i] * (PI * (HALF_TURNS[i] * pitch - quarter)).cos()) as f32
            })
        };
        Self { places: (0..n_chroma).map(place).collect() }
    }

    /// The tonal centroid of one frame.
    ///
    /// # Shapes
    /// - `chroma`: `[n_chroma]`, not negative
    /// - `centroid`: `[6]`, overwritten; zeros for silence
    ///
    /// # Reference
    /// Equals `librosa.feature.tonnetz(chroma=…)` 0.11 within 1e-6.
    pub fn apply(&self, chroma: &[f32], centroid: &mut [f32]) {
        let length = Norm::L1.length(chroma);
        let scale = if length >= f32::MIN_POSITIVE { 1.0 / length } else { 1.0 };
        centroid.fill(0.0);
        for (strength, place) in chroma.iter().zip(&self.places) {
            for (sum, coordinate) in centroid.iter_mut().zip(place) {
                *sum += strength * scale * coordinate;
            }
        }
    }
}

/// The tonal centroid of chroma by the constant-Q transform, with the specification's `chroma_cqt`: `[n_frames, 6]`.
#[derive(Debug, Clone)]
pub(super) struct TonnetzKind {
    chroma: ChromaCqtKind,
    tonnetz: Tonnetz,
}

impl Feature for TonnetzKind {
    const NAME: &'static str = "tonnetz";
    const TITLE: &'static str = "Tonal centroid";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn n_bins(_spec: &FeatureSpec) -> usize {
        N_TONNETZ
    }

    fn bins(_spec: &FeatureSpec) -> Bins {
        let names = ["Fifth x", "Fifth y", "Minor x", "Minor y", "Major x", "Major y"];
        Bins::Named("Interval", names.map(str::to_owned).to_vec())
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        ChromaCqtKind::validate(spec)
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self { chroma: ChromaCqtKind::plan(spec), tonnetz: Tonnetz::new(spec.chroma_cqt.n_chroma) }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let n_chroma = sound.spec.chroma_cqt.n_chroma;
        let chroma = rows_from_centred(sound, self.chroma.chroma(sound.samples), n_chroma);
        for (chroma, row) in chroma.chunks_exact(n_chroma).zip(rows.iter_mut()) {
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
    fn chords_lie_where_librosa_puts_them() {
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
    fn silence_lies_in_the_middle() {
        assert_eq!(centroid(&[]), [0.0; 6]);
    }
}
