//! Reliability diagram and expected calibration error.
//!
//! Predictions are grouped into 15 bins of equal width by the probability of the predicted label. The expected calibration
//! error is the mean absolute difference between confidence and accuracy, weighted by the size of the bins (Guo et al. 2017,
//! "On calibration of modern neural networks").

use serde::{Deserialize, Serialize};

const N_BINS: usize = 15;

/// Calibration of predicted probabilities.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reliability {
    /// Expected calibration error, 0..=1.
    pub expected_calibration_error: f64,
    /// Bins that are not empty, by rising probability.
    pub bins: Vec<ReliabilityBin>,
}

/// Predictions with similar probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of predictions.
    pub n: usize,
    /// Mean probability of the predicted label.
    pub probability: f64,
    /// Proportion of correct predictions.
    pub accuracy: f64,
}

/// Calibration of predictions: probability of the predicted label, and whether it is correct.
pub fn reliability(predictions: impl Iterator<Item = (f64, bool)>) -> Reliability {
    let mut sums = [(0_usize, 0.0_f64, 0_usize); N_BINS];
    for (probability, is_correct) in predictions {
        // Intervals are open below and closed above.
        let bin = ((probability * N_BINS as f64).ceil() as usize).clamp(1, N_BINS) - 1;
        let (n, sum, n_correct) = &mut sums[bin];
        *n += 1;
        *sum += probability;
        *n_correct += usize::from(is_correct);
    }
    let filled = sums.into_iter().filter(|(n, ..)| *n > 0);
    let bins: Vec<ReliabilityBin> = filled
        .map(|(n, sum, n_correct)| ReliabilityBin {
            n,
            probability: sum / n as f64,
            accuracy: n_correct as f64 / n as f64,
        })
        .collect();
    let n_predictions = bins.iter().map(|bin| bin.n).sum::<usize>().max(1) as f64;
    let error = |bin: &ReliabilityBin| bin.n as f64 / n_predictions * (bin.accuracy - bin.probability).abs();
    Reliability { expected_calibration_error: bins.iter().map(error).sum(), bins }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::arg_max;
    use crate::reference::classification;

    #[test]
    fn the_error_and_the_bins_equal_those_of_numpy() {
        let (reference, labels, probabilities) = classification();
        let named = probabilities.iter().map(|p| arg_max(p));
        let predictions =
            named.zip(&labels).zip(&probabilities).map(|((named, label), p)| (p[named], named == *label));
        let found = reliability(predictions);
        let expected = reference["ece"].as_f64().unwrap();
        assert!(
            (found.expected_calibration_error - expected).abs() < 1e-12,
            "{found:?}, expected {expected}"
        );
        let bins: Vec<(usize, f64, f64)> = serde_json::from_value(reference["bins"].clone()).unwrap();
        assert_eq!(found.bins.len(), bins.len());
        for (found, (n, probability, accuracy)) in found.bins.iter().zip(bins) {
            assert_eq!(found.n, n);
            assert!((found.probability - probability).abs() < 1e-12);
            assert!((found.accuracy - accuracy).abs() < 1e-12);
        }
    }

    #[test]
    fn without_predictions_the_error_is_zero() {
        assert_eq!(reliability(std::iter::empty()), Reliability::default());
    }
}
