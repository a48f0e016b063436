//! The waveform: the samples themselves, over time.

use super::FeatureSpec;
use super::whole::{Axis, Whole, WholeKind};

/// Amplitudes of a recording at the specification's sample rate: `[n_samples]`.
pub(super) const WAVEFORM: WholeKind = WholeKind {
    name: "waveform",
    title: "Waveform",
    unit: "",
    axis: Axis::TimeS,
    compute: |samples, spec: &FeatureSpec| {
        Ok(Whole {
            values: samples.to_vec(),
            positions: (0..samples.len()).map(|n| n as f64 / f64::from(spec.sample_rate)).collect(),
        })
    },
};
