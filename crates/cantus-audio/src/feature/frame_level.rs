//! The trait of frame-level features, and the description of their bins.

use std::fmt;

use super::frame_params::FrameParams;
use super::front_end::{FrameInput, Intermediate};
use super::rows::Rows;
use crate::Error;

/// The axis of a feature's bins.
#[derive(Debug, Clone, PartialEq)]
pub enum Bins {
    /// One number per frame.
    One,
    /// Indices from 0, with the name of what is counted.
    Numbered(&'static str),
    /// Frequencies in Hz, one per bin, ascending.
    Hertz(Vec<f64>),
    /// The name of the axis, and a name per bin, such as pitch classes.
    Named(&'static str, Vec<String>),
}

/// The quantity that a feature's values measure; determines the scale on which they are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// Drawn on a linear scale.
    Plain,
    /// An amplitude raised to this exponent: 1 for amplitudes, 2 for powers. Drawn in dB.
    Strength(f32),
    /// Coefficients, each with its own range. Drawn standardised.
    Coefficients,
}

/// A planned frame-level feature: a segment in, one row of numbers per frame out.
///
/// After [`Self::validate`] nothing fails. Every feature has the frames of the STFT, in number and position, so that
/// features can be concatenated along the bins.
pub(super) trait Feature: fmt::Debug + Clone + Sized {
    /// The feature's own settings; `()` for none.
    type Config;
    /// The name in specifications, files and tables: the variant of [`FeatureKind`](super::FeatureKind), in snake case.
    const NAME: &'static str;
    /// The name in the heading of a picture.
    const TITLE: &'static str;
    /// Unit of the values; empty for none.
    const UNIT: &'static str;
    /// What it is computed from, besides the samples.
    const NEEDS: &'static [Intermediate];
    /// The intermediate that the feature is equal to, if any: it is moved out instead of copied.
    const EQUALS: Option<Intermediate> = None;

    /// Number of bins.
    fn n_bins(_: &Self::Config, _: &FrameParams) -> usize {
        1
    }

    /// The axis of the bins; of valid settings.
    fn bins(_: &Self::Config, _: &FrameParams) -> Bins {
        Bins::One
    }

    /// The quantity that the values measure.
    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Plain
    }

    /// Checks the feature's own settings; `params` are valid.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter out of range.
    fn validate(_: &Self::Config, _: &FrameParams) -> Result<(), Error> {
        Ok(())
    }

    /// Plans the feature; both arguments are valid.
    fn plan(config: &Self::Config, params: &FrameParams) -> Self;

    /// Writes one row per frame.
    ///
    /// # Shapes
    /// - `rows`: `[input.n_frames, n_bins]`, zeros
    fn compute(&mut self, input: &FrameInput<'_>, rows: Rows<'_>);
}

/// The values of one feature alone: `[n_frames, n_bins]`.
#[cfg(test)]
pub(super) fn extract_alone<F: Feature>(
    config: &F::Config,
    params: &FrameParams,
    samples: &[f32],
) -> Vec<f32> {
    use super::front_end::FrontEnd;

    F::validate(config, params).unwrap();
    let mut front_end = FrontEnd::new(F::NEEDS, params.clone()).unwrap();
    front_end.compute(samples);
    let (n_frames, n_bins) = (params.n_frames(samples.len()), F::n_bins(config, params));
    let mut values = vec![0.0; n_frames * n_bins];
    F::plan(config, params).compute(&front_end.input(samples), Rows::new(&mut values, n_bins, 0, n_bins));
    values
}
