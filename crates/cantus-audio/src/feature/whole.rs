//! What is computed of a whole sound and has no frames: the waveform, its spectrum.
//!
//! These stand in no [`FeatureSpec`], since a network hears segments of frames; they are for looking at, and for other
//! programs. A new one is a constant in its own file, and a line in [`WHOLE`].

use super::FeatureSpec;
use crate::Error;

/// One thing that is computed of a whole sound.
#[derive(Debug, Clone, Copy)]
pub struct WholeKind {
    /// The name in files and on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Unit of the numbers; empty if they have none.
    pub unit: &'static str,
    /// What the numbers stand over.
    pub axis: Axis,
    /// How it is computed of samples at the specification's sample rate.
    pub(super) compute: fn(&[f32], &FeatureSpec) -> Result<Whole, Error>,
}

/// What the numbers of a [`Whole`] stand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Time, in seconds.
    TimeS,
    /// Frequency, in Hz.
    FrequencyHz,
    /// Nothing: they are counted.
    Count,
}

/// Numbers about a whole sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The numbers.
    pub values: Vec<f32>,
    /// Where each stands on the kind's axis; empty if they are only counted.
    pub positions: Vec<f64>,
}

/// Every one of them.
pub const WHOLE: &[WholeKind] = &[
    super::waveform::WAVEFORM,
    super::spectrum::SPECTRUM,
    super::spectrum::SPECTRUM_FULL,
    super::spectrum::POWER_SPECTRUM,
    super::spectrum::POWER_SPECTRUM_FULL,
    super::tempo::TEMPO,
    super::beat::BEATS,
];

impl WholeKind {
    /// Computes it.
    ///
    /// # Shapes
    /// - `samples`: at the specification's sample rate
    ///
    /// # Errors
    /// Those of [`FeatureSpec::validate`], and [`Error::InvalidSpec`] if a parameter of its own is out of range.
    pub fn compute(&self, samples: &[f32], spec: &FeatureSpec) -> Result<Whole, Error> {
        spec.validate()?;
        (self.compute)(samples, spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::FeatureKind;

    #[test]
    fn every_number_has_a_place_and_every_kind_a_name_of_its_own() {
        let samples: Vec<f32> = (0..3001).map(|n| (n as f32 * 0.1).sin()).collect();
        for (i, kind) in WHOLE.iter().enumerate() {
            let whole = kind.compute(&samples, &FeatureSpec::default()).unwrap();
            let n_expected = if kind.axis == Axis::Count { 0 } else { whole.values.len() };
            assert_eq!(whole.positions.len(), n_expected, "{}", kind.name);
            assert!(WHOLE[..i].iter().all(|other| other.name != kind.name));
            assert!(FeatureKind::ALL.iter().all(|other| other.name() != kind.name));
        }
    }

    #[test]
    fn of_no_sound_there_is_nothing_to_say() {
        for kind in WHOLE {
            let whole = kind.compute(&[], &FeatureSpec::default()).unwrap();
            assert!(whole.values.iter().all(|value| value.is_finite()), "{}", kind.name);
        }
    }
}
