//! The trait of track-level features: waveform, spectrum, tempo and beats of a whole recording, without frames.
//!
//! They are not part of a feature specification's `kinds`, because networks take segments of frames; they are for
//! inspection and for other programs.

use super::frame_params::FrameParams;
use crate::Error;

/// The axis of a track-level feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Time, in seconds.
    TimeS,
    /// Frequency, in Hz.
    FrequencyHz,
    /// None: the values are only numbered.
    Count,
}

/// The values of a track-level feature.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackFeature {
    /// `[n]`
    pub values: Vec<f32>,
    /// The position of each value on the feature's axis: `[n]`; empty for [`Axis::Count`].
    pub positions: Vec<f64>,
}

/// A feature of a whole recording.
pub(super) trait TrackLevel {
    /// The feature's own settings; `()` for none.
    type Config;
    /// The name in files and on the command line: the variant of
    /// [`TrackFeatureKind`](super::TrackFeatureKind), in snake case.
    const NAME: &'static str;
    /// The name in the heading of a picture.
    const TITLE: &'static str;
    /// Unit of the values; empty for none.
    const UNIT: &'static str;
    /// The axis of the values.
    const AXIS: Axis;

    /// Computes the feature; `params` are valid.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`, at `params.sample_rate`
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first of the feature's own settings that is out of range.
    fn compute(samples: &[f32], config: &Self::Config, params: &FrameParams) -> Result<TrackFeature, Error>;
}
