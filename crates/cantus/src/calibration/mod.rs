//! Temperature scaling: calibrates the model's probabilities.
//!
//! Networks tend to be overconfident. Dividing the net inputs by one number, the temperature T, corrects most of it: a
//! probability p becomes p^(1/T), renormalised to a sum of 1. The predicted class does not change (Guo et al. 2017, "On
//! calibration of modern neural networks"). Segments and tracks have separate temperatures, since the mean over segments
//! is less confident than a single segment; the mean is that of the uncalibrated probabilities.
//!
//! For tags, each p is the output of a sigmoid: ln (p / (1 - p)) is divided by T, the same T for all tags, and the threshold
//! p = ½ is unchanged.

use serde::{Deserialize, Serialize};

use crate::Task;

#[cfg(feature = "train")]
mod learn;

/// Temperatures of a model's probabilities; 1 leaves the network's output unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Temperature of the probabilities of a segment.
    pub segment_temperature: f32,
    /// Temperature of the mean over a track's segments.
    pub track_temperature: f32,
}

impl Calibration {
    /// Scales the mean over a track's segments by the track temperature.
    pub(crate) fn of_track(self, mean: &[f64], task: Task) -> Vec<f64> {
        temperature_scaled(mean, self.track_temperature, task)
    }
}

impl Default for Calibration {
    fn default() -> Self {
        Self { segment_temperature: 1.0, track_temperature: 1.0 }
    }
}

/// Smaller probabilities are raised to this value, since the logarithm of 0 is infinite.
const LEAST: f64 = 1e-12;

/// Scales probabilities by a temperature, in place; each row of `n_classes` classes is renormalised to a sum of 1.
pub(crate) fn temperature_scale(probabilities: &mut [f32], n_classes: usize, temperature: f32, task: Task) {
    if temperature == 1.0 {
        return;
    }
    for row in probabilities.chunks_exact_mut(n_classes) {
        let wide: Vec<f64> = row.iter().map(|p| f64::from(*p)).collect();
        for (p, scaled) in row.iter_mut().zip(temperature_scaled(&wide, temperature, task)) {
            *p = scaled as f32;
        }
    }
}

/// One row of probabilities, scaled by a temperature.
pub(crate) fn temperature_scaled(probabilities: &[f64], temperature: f32, task: Task) -> Vec<f64> {
    if temperature == 1.0 {
        return probabilities.to_vec();
    }
    let exponent = 1.0 / f64::from(temperature);
    match task {
        Task::Classification => at_exponent(&logarithms(probabilities), exponent),
        Task::Tagging => log_odds(probabilities).into_iter().map(|z| sigmoid(exponent * z)).collect(),
    }
}

fn logarithms(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| p.max(LEAST).ln()).collect()
}

fn at_exponent(logarithms: &[f64], exponent: f64) -> Vec<f64> {
    let greatest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = logarithms.iter().map(|z| (exponent * (z - greatest)).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|p| p / sum).collect()
}

/// Net inputs of sigmoids, from their outputs.
fn log_odds(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| p.clamp(LEAST, 1.0 - LEAST)).map(|p| (p / (1.0 - p)).ln()).collect()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_keeps_the_predicted_class_and_the_sum_of_one() {
        let mut p = [0.7, 0.2, 0.1, 0.25, 0.25, 0.5];
        temperature_scale(&mut p, 3, 2.0, Task::Classification);
        let expected = [0.7_f32.sqrt(), 0.2_f32.sqrt(), 0.1_f32.sqrt()];
        let sum: f32 = expected.iter().sum();
        for (found, expected) in p.iter().zip(expected) {
            assert!((found - expected / sum).abs() < 1e-6);
        }
        assert_eq!(p[3], p[4]);
        assert!(p[5] > p[4] && (p[3..].iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let unchanged = [0.0, 1.0];
        assert_eq!(temperature_scaled(&unchanged, 1.0, Task::Classification), unchanged);
        assert!(temperature_scaled(&unchanged, 0.5, Task::Classification)[0] < 1e-20);
    }

    #[test]
    fn each_tag_is_scaled_independently_and_stays_on_its_side_of_the_threshold() {
        let found = temperature_scaled(&[0.8, 0.5, 0.2, 0.0, 1.0], 2.0, Task::Tagging);
        // The odds of 0.8 are 4, and their square root is 2.
        for (found, expected) in found.iter().zip([2.0 / 3.0, 0.5, 1.0 / 3.0, 1e-6, 1.0 - 1e-6]) {
            assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
        }
    }
}
