//! MFCCs as a frame-level feature; [`crate::feature::mfcc`] has the transform.

use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::rows::Rows;

/// MFCCs: `[n_frames, n_mfcc]`.
#[derive(Debug, Clone)]
pub(crate) struct MfccFeature;

impl Feature for MfccFeature {
    type Config = ();
    const NAME: &'static str = "mfcc";
    const TITLE: &'static str = "MFCC";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mfcc];
    const EQUALS: Option<Intermediate> = Some(Intermediate::Mfcc);

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.n_mfcc
    }

    fn bins(_: &(), _: &FrameParams) -> Bins {
        Bins::Numbered("MFCC")
    }

    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Coefficients
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(input.mfcc);
    }
}
