//! Calibration of a model's probabilities in its report, before and after temperature scaling.

use serde::{Deserialize, Serialize};

use super::format::percent;
use crate::Calibration;
use crate::predictions::Predictions;
use cantus_metrics::{Reliability, TrackDecision};

/// Calibration of the probabilities, before and after temperature scaling.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// The model's temperatures; `None` in a cross-validation, where each fold's model has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperatures: Option<Calibration>,
    /// Of tracks, before calibration.
    pub tracks_before: Reliability,
    /// Of tracks, after calibration.
    pub tracks_after: Reliability,
    /// Of segments, before calibration.
    pub segments_before: Reliability,
    /// Of segments, after calibration.
    pub segments_after: Reliability,
}

impl CalibrationReport {
    /// The reliability of tracks and of segments, for which the functions are given; `of_segments` takes
    /// `[n_segments, n_labels]` probabilities.
    pub(super) fn new(
        predictions: &Predictions,
        temperatures: Option<Calibration>,
        of_tracks: impl Fn(&[TrackDecision]) -> Reliability,
        of_segments: impl Fn(&[f32]) -> Reliability,
    ) -> Self {
        Self {
            temperatures,
            tracks_before: of_tracks(&predictions.uncalibrated.1),
            tracks_after: of_tracks(&predictions.tracks),
            segments_before: of_segments(&predictions.uncalibrated.0),
            segments_after: of_segments(&predictions.probabilities),
        }
    }

    /// Whether the probabilities are calibrated, which requires a validation part.
    pub(super) fn is_calibrated(&self) -> bool {
        self.tracks_after != self.tracks_before || self.segments_after != self.segments_before
    }

    /// The expected calibration error of tracks as a line of text.
    pub(super) fn in_words(&self) -> String {
        let after = percent(self.tracks_after.expected_calibration_error);
        if self.is_calibrated() {
            let before = percent(self.tracks_before.expected_calibration_error);
            format!("calibration error {after} of tracks, {before} before temperature scaling")
        } else {
            format!("calibration error {after} of tracks; not calibrated, since that takes a validation part")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_without_temperature_scaling_are_not_called_calibrated() {
        let error = |expected_calibration_error| Reliability { expected_calibration_error, bins: Vec::new() };
        let (tracks_before, tracks_after) = (error(0.25), error(0.125));
        let calibrated = CalibrationReport { tracks_before, tracks_after, ..CalibrationReport::default() };
        assert!(
            calibrated.in_words().contains("12.5 % of tracks, 25.0 % before"),
            "{}",
            calibrated.in_words()
        );
        let untouched = CalibrationReport { tracks_before: error(0.125), ..calibrated };
        assert!(untouched.in_words().ends_with("not calibrated, since that takes a validation part"));
    }
}
