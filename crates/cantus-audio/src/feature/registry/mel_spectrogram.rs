//! Mel spectrogram, as power (or another exponent) and in dB.
//!
//! # Reference
//! `librosa.feature.melspectrogram` and `librosa.power_to_db` 0.11.

use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::rows::Rows;

/// `|STFT|^power`, summed into mel bands: `[n_frames, n_mels]`.
#[derive(Debug, Clone)]
pub(crate) struct Mel;

impl Feature for Mel {
    type Config = ();
    const NAME: &'static str = "mel";
    const TITLE: &'static str = "Mel spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mel];
    const EQUALS: Option<Intermediate> = Some(Intermediate::Mel);

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.mel.n_mels
    }

    fn bins(_: &(), params: &FrameParams) -> Bins {
        Bins::Hertz(params.mel_hz())
    }

    fn quantity(params: &FrameParams) -> Quantity {
        Quantity::Strength(params.power)
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(input.mel);
    }
}

/// The mel spectrogram in dB, at most `top_db` below the maximum of the segment: `[n_frames, n_mels]`.
#[derive(Debug, Clone)]
pub(crate) struct LogMel;

impl Feature for LogMel {
    type Config = ();
    const NAME: &'static str = "log_mel";
    const TITLE: &'static str = "Mel spectrogram";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::LogMel];
    const EQUALS: Option<Intermediate> = Some(Intermediate::LogMel);

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.mel.n_mels
    }

    fn bins(_: &(), params: &FrameParams) -> Bins {
        Bins::Hertz(params.mel_hz())
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(input.log_mel);
    }
}
