//! Fits the temperatures of temperature scaling on the validation part.
//!
//! T minimises the cross-entropy of the validation part plus ½ (ln T)². Tracks are the independent units, so that all
//! segments of a track together have the weight of one track. The penalty is a normal prior on ln T with deviation 1: it
//! keeps T finite and near 1 where few tracks are all predicted correctly.
//!
//! # Reference
//! `scipy.optimize.minimize_scalar` on the same loss, within 1e-6 (`tests/reference/classification.py`, `tagging.py`).

use super::{Calibration, at_exponent, log_odds, logarithms};
use crate::Task;
use cantus_metrics::{ScoresError, SegmentResult, track_decisions};

impl Calibration {
    /// Fits both temperatures on uncalibrated predictions of the validation part's segments.
    pub(crate) fn learn(
        predictions: &[SegmentResult<'_>],
        n_labels: usize,
        task: Task,
    ) -> Result<Self, ScoresError> {
        if predictions.is_empty() {
            return Ok(Self::default());
        }
        let tracks = track_decisions(predictions, n_labels)?;
        let n_tracks = tracks.len();
        let wide = |result: &SegmentResult<'_>| result.probabilities.iter().map(|p| f64::from(*p)).collect();
        let rows: Vec<Vec<f64>> = predictions.iter().map(wide).collect();
        let labelled = rows.iter().zip(predictions).map(|(row, result)| (row.as_slice(), result.labels));
        let segment_temperature = temperature(labelled, n_tracks, task);

        let labelled = tracks.iter().map(|track| (track.probabilities.as_slice(), track.labels.as_slice()));
        Ok(Self { segment_temperature, track_temperature: temperature(labelled, n_tracks, task) })
    }
}

/// The search covers temperatures between e^-3 and e^3.
const WIDEST: f64 = 3.0;
/// Grid points on either side of T = 1, before the golden-section search around the lowest.
const N_PLACES: i32 = 30;
/// Iterations of the golden-section search; each leaves 62 % of the interval, which ends in an error of 1e-7.
const N_CUTS: usize = 30;

/// The temperature that minimises the penalised cross-entropy; 1 if there are no predictions.
///
/// `predictions` are probabilities with the true class or tags; `n_tracks` is the number of tracks they come from.
pub(crate) fn temperature<'a>(
    predictions: impl Iterator<Item = (&'a [f64], &'a [usize])>,
    n_tracks: usize,
    task: Task,
) -> f32 {
    let net_inputs = match task {
        Task::Classification => logarithms,
        Task::Tagging => log_odds,
    };
    let predictions: Vec<Labelled<'a>> = predictions.map(|(p, labels)| (net_inputs(p), labels)).collect();
    if predictions.is_empty() {
        return 1.0;
    }
    let loss = |log_t: f64| {
        n_tracks as f64 * cross_entropy(&predictions, (-log_t).exp(), task) + 0.5 * log_t * log_t
    };
    // The loss may have several local minima: a grid search, then a golden-section search around its minimum.
    let places = (-N_PLACES..=N_PLACES).map(|i| f64::from(i) * WIDEST / f64::from(N_PLACES));
    let lowest = places
        .map(|log_t| (loss(log_t), log_t))
        .reduce(|best, other| if other.0 < best.0 { other } else { best });
    let centre = lowest.map_or(0.0, |(_, log_t)| log_t);
    let step = WIDEST / f64::from(N_PLACES);
    golden_section(loss, centre - step, centre + step).exp() as f32
}

/// Net inputs, and the true class or tags.
type Labelled<'a> = (Vec<f64>, &'a [usize]);

/// Mean cross-entropy of the predictions at the exponent 1/T; for tags, each prediction's sum over all tags.
fn cross_entropy(predictions: &[Labelled<'_>], exponent: f64, task: Task) -> f64 {
    let of_prediction = |(z, labels): &Labelled<'_>| -> f64 {
        match task {
            Task::Classification => {
                let p = at_exponent(z, exponent);
                labels.iter().map(|&label| -p[label].max(f64::MIN_POSITIVE).ln()).sum()
            }
            Task::Tagging => {
                // -ln of a sigmoid, without its overflow.
                let surprise = |z: f64| (-z.abs()).exp().ln_1p() + (-z).max(0.0);
                let sign = |label: usize| if labels.contains(&label) { 1.0 } else { -1.0 };
                z.iter().enumerate().map(|(label, z)| surprise(sign(label) * exponent * z)).sum()
            }
        }
    };
    predictions.iter().map(of_prediction).sum::<f64>() / predictions.len() as f64
}

/// Minimum of a unimodal function on an interval by golden-section search (Kiefer 1953).
fn golden_section(loss: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const SHARE: f64 = 0.618_033_988_749_894_9;
    for _ in 0..N_CUTS {
        let (a, b) = (high - SHARE * (high - low), low + SHARE * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::temperature_scaled;
    use super::*;
    use crate::report::reference::{classification, tagging};

    #[test]
    fn the_temperature_matches_scipy() {
        let (reference, labels, probabilities) = classification();
        let predictions = probabilities[12..].iter().zip(&labels[12..]);
        let predictions = predictions.map(|(p, label)| (p.as_slice(), std::slice::from_ref(label)));
        let found = f64::from(temperature(predictions, labels.len() - 12, Task::Classification));
        let expected = reference["temperature"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6 * expected, "found {found}, expected {expected}");
    }

    #[test]
    fn the_temperature_of_tags_matches_scipy() {
        let (reference, labels, probabilities) = tagging();
        let predictions =
            probabilities.iter().zip(&labels).map(|(p, labels)| (p.as_slice(), labels.as_slice()));
        let found = f64::from(temperature(predictions, labels.len(), Task::Tagging));
        let expected = reference["temperature"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6 * expected, "found {found}, expected {expected}");
    }

    #[test]
    fn a_few_correct_predictions_do_not_give_certainty() {
        let confident = [0.9, 0.1];
        let classes = Task::Classification;
        let predictions = |n| std::iter::repeat_n((&confident[..], &[0][..]), n);
        let [few, many] = [5, 5000]
            .map(|n| temperature_scaled(&confident, temperature(predictions(n), n, classes), classes)[0]);
        assert!(few > 0.9 && few < 0.98, "{few}");
        assert!(many > 0.999, "{many}");
        assert_eq!(temperature(predictions(0), 0, classes), 1.0);
    }

    #[test]
    fn ten_segments_of_a_track_have_the_weight_of_one_track() {
        let p = [[0.7, 0.3], [0.4, 0.6], [0.8, 0.2]];
        for task in [Task::Classification, Task::Tagging] {
            let once = temperature(p.iter().map(|p| (&p[..], &[0][..])), 3, task);
            let tenfold = p.iter().flat_map(|p| std::iter::repeat_n((&p[..], &[0][..]), 10));
            let tenfold = temperature(tenfold, 3, task);
            assert!((once - tenfold).abs() < 1e-5, "{task:?}: {once} against {tenfold}");
        }
    }
}
