//! Precision, recall and F1 by class and their averages, from a confusion matrix.
//!
//! Names and definitions are scikit-learn's; a matrix is `[true][predicted]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Scores of one class, or their average; 0 for a zero denominator, as in scikit-learn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClassScores {
    /// True positives over predicted positives.
    pub precision: f64,
    /// True positives over all positives.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// Number of positives.
    pub support: usize,
}

impl ClassScores {
    pub(crate) fn from_counts(n_true_positive: usize, n_predicted: usize, support: usize) -> Self {
        Self {
            precision: share(n_true_positive, n_predicted),
            recall: share(n_true_positive, support),
            f1_score: share(n_true_positive.saturating_mul(2), support.saturating_add(n_predicted)),
            support,
        }
    }
}

/// `part / whole`; 0 if `whole` is 0, as scikit-learn's default `zero_division`.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counts `[true][predicted]`.
pub(crate) fn confusion(pairs: impl Iterator<Item = (usize, usize)>, n_classes: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; n_classes]; n_classes];
    pairs.for_each(|(label, predicted)| counts[label][predicted] += 1);
    counts
}

pub(crate) fn diagonal(confusion: &[Vec<usize>]) -> usize {
    confusion.iter().enumerate().map(|(i, row)| row[i]).sum()
}

/// Scores of the class in row and column `class`, and the number of predictions of it. A count that the matrix, which may be read from
/// a report, does not have is 0.
fn class_scores(confusion: &[Vec<usize>], class: usize) -> (ClassScores, usize) {
    let count =
        |row: usize, column: usize| confusion.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
    let support = confusion.get(class).into_iter().flatten().copied().fold(0, usize::saturating_add);
    let n_predicted = (0..confusion.len()).map(|row| count(row, class)).fold(0, usize::saturating_add);
    (ClassScores::from_counts(count(class, class), n_predicted, support), n_predicted)
}

pub(crate) fn by_label(labels: &[String], confusion: &[Vec<usize>]) -> BTreeMap<String, ClassScores> {
    let scores =
        labels.iter().enumerate().map(|(class, label)| (label.clone(), class_scores(confusion, class).0));
    scores.collect()
}

pub(crate) fn balanced_accuracy(confusion: &[Vec<usize>]) -> f64 {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class).0);
    average(classes.filter(|class| class.support > 0).map(|class| (class, 1.0))).recall
}

/// Unweighted mean over the classes that occur or are predicted.
#[must_use]
pub fn macro_average(confusion: &[Vec<usize>]) -> ClassScores {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class));
    average(
        classes
            .filter(|(class, n_predicted)| class.support > 0 || *n_predicted > 0)
            .map(|(class, _)| (class, 1.0)),
    )
}

/// Mean over the classes, weighted by their support.
#[must_use]
pub fn weighted_average(confusion: &[Vec<usize>]) -> ClassScores {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class).0);
    average(classes.map(|class| (class, class.support as f64)))
}

fn average(classes: impl Iterator<Item = (ClassScores, f64)>) -> ClassScores {
    let (mut sum, mut weights) = (ClassScores::default(), 0.0);
    for (class, weight) in classes {
        sum.precision += weight * class.precision;
        sum.recall += weight * class.recall;
        sum.f1_score += weight * class.f1_score;
        sum.support = sum.support.saturating_add(class.support);
        weights += weight;
    }
    if weights > 0.0 {
        sum.precision /= weights;
        sum.recall /= weights;
        sum.f1_score /= weights;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: the report of a run may have been changed.
    #[test]
    fn a_matrix_with_missing_or_very_large_counts_has_scores() {
        let ragged = [vec![3, 1], vec![0, 2], vec![5]];
        let squared = [vec![3, 1, 0], vec![0, 2, 0], vec![5, 0, 0]];
        assert_eq!(macro_average(&ragged), macro_average(&squared));
        assert_eq!(balanced_accuracy(&ragged), balanced_accuracy(&squared));
        let large = [vec![usize::MAX, usize::MAX], vec![usize::MAX, usize::MAX]];
        assert!(macro_average(&large).f1_score.is_finite());
    }
}
