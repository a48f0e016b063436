//! Cross-validation results of a classifier: the scores of each fold and their spread.
//!
//! All folds together are scored as one test part, since every track is predicted once. The spread over the folds shows the
//! dependence on the choice of test tracks; it is not a confidence interval, because the folds' training parts overlap
//! (Bengio & Grandvalet 2004, "No unbiased estimator of the variance of k-fold cross-validation").

use serde::{Deserialize, Serialize};

use super::text::percent;
use super::{PartSize, Report};

/// The folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// Whether the folds are predefined by the manifest.
    pub given: bool,
    /// Track accuracy over the folds.
    pub track_accuracy: Spread,
    /// Segment accuracy over the folds.
    pub accuracy: Spread,
    /// The results of each fold.
    pub folds: Vec<FoldSummary>,
}

/// Spread of a score over the folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Unweighted mean over the folds.
    pub mean: f64,
    /// Sample standard deviation over the folds (`ddof=1`).
    pub deviation: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldSummary {
    /// Its name; its run is in `fold-NAME`.
    pub fold: String,
    /// Its track accuracy.
    pub track_accuracy: f64,
    /// Its segment accuracy.
    pub accuracy: f64,
    /// Sizes of the training part.
    pub train_part: PartSize,
    /// Sizes of the validation part.
    pub validation_part: PartSize,
    /// Sizes of the test part: the fold itself.
    pub test_part: PartSize,
    /// Number of trained epochs.
    pub n_epochs: usize,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
}

impl Spread {
    /// Spread of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { mean, deviation, low, high }
    }
}

impl FoldSummary {
    /// Sizes of its training, validation and test part.
    pub(super) fn parts(&self) -> [PartSize; 3] {
        [self.train_part, self.validation_part, self.test_part]
    }

    /// The results from the report of a fold's own run.
    pub(crate) fn new(fold: &str, report: &Report) -> Self {
        Self {
            fold: fold.to_owned(),
            track_accuracy: report.scores.track_accuracy,
            accuracy: report.scores.accuracy,
            train_part: report.split.train_part,
            validation_part: report.split.validation_part,
            test_part: report.split.test_part,
            n_epochs: report.model.n_epochs.unwrap_or(0),
            best_epoch: report.model.best_epoch.unwrap_or(0),
        }
    }
}

impl CrossValidation {
    pub(crate) fn new(given: bool, folds: Vec<FoldSummary>) -> Self {
        let spread =
            |score: fn(&FoldSummary) -> f64| Spread::of(&folds.iter().map(score).collect::<Vec<_>>());
        let (track_accuracy, accuracy) = (spread(|fold| fold.track_accuracy), spread(|fold| fold.accuracy));
        Self { given, track_accuracy, accuracy, folds }
    }

    /// The folds as a text table.
    pub(super) fn to_text(&self) -> String {
        let mut out = format!(
            "{}-fold cross-validation: every track was predicted once, by a model trained on the other folds\n\n",
            self.folds.len()
        );
        let widest = self.folds.iter().map(|fold| fold.fold.chars().count()).max().unwrap_or(0).max(4);
        out += &format!("{:>widest$}  tracks  track accuracy  segment accuracy  best epoch\n", "fold");
        for fold in &self.folds {
            let epochs = format!("{} of {}", fold.best_epoch, fold.n_epochs);
            out += &format!(
                "{:>widest$}  {:>6}  {:>14}  {:>16}  {epochs:>10}\n",
                fold.fold,
                fold.test_part.n_tracks,
                percent(fold.track_accuracy),
                percent(fold.accuracy),
            );
        }
        for (name, value) in [("mean", Spread::mean as fn(&Spread) -> f64), ("±", |spread| spread.deviation)]
        {
            out += &format!(
                "{name:>widest$}  {:>6}  {:>14}  {:>16}\n",
                "",
                percent(value(&self.track_accuracy)),
                percent(value(&self.accuracy)),
            );
        }
        out + "\nall folds together:\n\n"
    }
}

impl Spread {
    fn mean(&self) -> f64 {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.std([0.5, 0.6, 0.4, 0.7], ddof=1)` is 0.12909944487358058, NumPy 2.4.6.
    #[test]
    fn the_spread_matches_numpy() {
        let spread = Spread::of(&[0.5, 0.6, 0.4, 0.7]);
        assert!((spread.mean - 0.55).abs() < 1e-12);
        assert!((spread.deviation - 0.129_099_444_873_580_58).abs() < 1e-12);
        assert_eq!((spread.low, spread.high), (0.4, 0.7));
        assert_eq!(Spread::of(&[0.5]).deviation, 0.0);
    }
}
