//! Constant-Q spectrogram as a frame-level feature; [`crate::transform::cqt`] has the transform.

use crate::Error;
use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::{FrameParams, MAX_VALUES};
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::{Cqt, CqtConfig};

/// Magnitude of the constant-Q transform: `[n_frames, cqt.n_bins]`.
#[derive(Debug, Clone)]
pub(crate) struct CqtFeature {
    plan: Cqt,
    /// `[n_frames, n_bins]`, centred.
    magnitude: Vec<f32>,
}

impl Feature for CqtFeature {
    type Config = CqtConfig;
    const NAME: &'static str = "cqt";
    const TITLE: &'static str = "Constant-Q spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn n_bins(config: &CqtConfig, _: &FrameParams) -> usize {
        config.n_bins
    }

    fn bins(config: &CqtConfig, _: &FrameParams) -> Bins {
        Bins::Hertz(config.frequencies())
    }

    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn validate(config: &CqtConfig, params: &FrameParams) -> Result<(), Error> {
        config.validate()?;
        validate_cqt_size(params, config.n_bins)
    }

    fn plan(config: &CqtConfig, _: &FrameParams) -> Self {
        Self { plan: Cqt::planned(config.clone()), magnitude: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.plan.magnitude_into(input.samples, &mut self.magnitude);
        rows.copy_from(skip_to_first_frame(input.params, &self.magnitude, self.plan.config().n_bins));
    }
}

/// Aligns centred frames with those of the specification: without `center`, the first frames of `matrix` are dropped, as
/// many as hops fit into half an FFT.
///
/// # Shapes
/// - `matrix`: `[n_centred_frames, n_bins]`, frame `t` centred on sample `t * hop_length`
pub(super) fn skip_to_first_frame<'a>(params: &FrameParams, matrix: &'a [f32], n_bins: usize) -> &'a [f32] {
    let stft = &params.stft;
    let n_skipped = if stft.center { 0 } else { stft.n_fft / (2 * stft.hop_length) };
    matrix.get(n_skipped * n_bins..).unwrap_or_default()
}

/// Checks that the transform of a segment fits into memory.
pub(super) fn validate_cqt_size(params: &FrameParams, n_bins: usize) -> Result<(), Error> {
    let hop_length = params.stft.hop_length;
    let n_frames = params.segment_samples / hop_length + 1;
    require(n_frames.saturating_mul(n_bins) <= MAX_VALUES, "hop_length", hop_length, || {
        format!("a transform of at most {MAX_VALUES} values; this one has {n_frames} frames of {n_bins} bins")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::frame_level::extract_alone;
    use crate::transform::StftConfig;

    #[test]
    fn uncentred_frames_have_the_times_of_the_stft() {
        let samples: Vec<f32> = (0..20_000).map(|n| (n as f32 * n as f32 * 1e-5).sin()).collect();
        let rows = |center| {
            let stft = StftConfig { center, ..StftConfig::default() };
            let params = FrameParams { stft, ..FrameParams::default() };
            extract_alone::<CqtFeature>(&CqtConfig::default(), &params, &samples)
        };
        let (centred, uncentred) = (rows(true), rows(false));
        // FFT of 2048, hop of 512: the middle of the first uncentred frame is two hops later.
        assert_eq!((centred.len(), uncentred.len()), (40 * 84, 36 * 84));
        assert_eq!(uncentred, centred[2 * 84..(2 + 36) * 84]);
    }
}
