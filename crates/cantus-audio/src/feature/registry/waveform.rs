//! Waveform of a recording: its samples over time.

use crate::Error;
use crate::feature::frame_params::FrameParams;
use crate::feature::track_level::{Axis, TrackFeature, TrackLevel};

/// The samples, with their times in seconds: `[n_samples]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waveform;

impl TrackLevel for Waveform {
    type Config = ();
    const NAME: &'static str = "waveform";
    const TITLE: &'static str = "Waveform";
    const UNIT: &'static str = "";
    const AXIS: Axis = Axis::TimeS;

    fn compute(samples: &[f32], _: &(), params: &FrameParams) -> Result<TrackFeature, Error> {
        let positions = (0..samples.len()).map(|n| n as f64 / f64::from(params.sample_rate)).collect();
        Ok(TrackFeature { values: samples.to_vec(), positions })
    }
}
