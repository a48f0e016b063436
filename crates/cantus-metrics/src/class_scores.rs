//! Scores that follow from a confusion matrix: precision, recall and F1 by class, and their averages.
//!
//! Names and definitions are scikit-learn's; a matrix is `[true][predicted]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Scores of one class, or their average; a share of nothing is 0, as in scikit-learn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClassScores {
    /// Share of right answers among those that name the class.
    pub precision: f64,
    /// Share of the class that was recognised.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// How often the class occurs.
    pub support: usize,
}

/// Zero of nothing, as scikit-learn's `zero_division` has it by default.
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

/// Scores of the class in row and column `class`, and how often it was predicted.
fn class_scores(confusion: &[Vec<usize>], class: usize) -> (ClassScores, usize) {
    let right = confusion[class][class];
    let support = confusion[class].iter().sum();
    let predicted = confusion.iter().map(|row| row[class]).sum();
    let scores = ClassScores {
        precision: share(right, predicted),
        recall: share(right, support),
        f1_score: share(2 * right, support + predicted),
        support,
    };
    (scores, predicted)
}

pub(crate) fn named(labels: &[String], confusion: &[Vec<usize>]) -> BTreeMap<String, ClassScores> {
    let scores =
        labels.iter().enumerate().map(|(class, label)| (label.clone(), class_scores(confusion, class).0));
    scores.collect()
}

pub(crate) fn balanced_accuracy(confusion: &[Vec<usize>]) -> f64 {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class).0);
    average(classes.filter(|class| class.support > 0).map(|class| (class, 1.0))).recall
}

/// Plain mean over the classes that occur or were predicted; one that does neither says nothing of the classifier.
pub fn macro_average(confusion: &[Vec<usize>]) -> ClassScores {
    let classes = (0..confusion.len()).map(|class| class_scores(confusion, class));
    average(classes.filter(|(class, predicted)| class.support + predicted > 0).map(|(class, _)| (class, 1.0)))
}

/// Mean over the classes, weighted by how often they occur.
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
        sum.support += class.support;
        weights += weight;
    }
    if weights > 0.0 {
        sum.precision /= weights;
        sum.recall /= weights;
        sum.f1_score /= weights;
    }
    sum
}
