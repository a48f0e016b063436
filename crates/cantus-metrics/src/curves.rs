//! ROC and precision-recall curves of one class against the rest.
//!
//! An example is predicted positive if its probability reaches a threshold, which falls from high to low. The ROC curve is
//! the true positive rate over the false positive rate; the area under it is the probability that a random positive has a
//! higher score than a random negative. For rare classes the precision-recall curve is more informative (Davis & Goadrich
//! 2006, "The relationship between precision-recall and ROC curves").
//!
//! # Reference
//! scikit-learn 1.9's `roc_curve(drop_intermediate=False)`, `roc_auc_score`, `precision_recall_curve` and
//! `average_precision_score`, within 1e-12 (`tests/reference/classification.py`).

/// Both curves of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// (false positive rate, true positive rate), from (0, 0) to (1, 1).
    pub roc: Vec<(f64, f64)>,
    /// Area under the ROC curve.
    pub auc: f64,
    /// (recall, precision), by falling threshold, from (0, 1).
    pub precision_recall: Vec<(f64, f64)>,
    /// Mean precision over the steps in recall.
    pub average_precision: f64,
}

/// Curves of a class; `examples` are its probability and whether it is true. `None` if all or no examples are positive.
pub fn curves(examples: impl Iterator<Item = (f64, bool)>) -> Option<Curves> {
    let mut examples: Vec<(f64, bool)> = examples.collect();
    examples.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n_positive = examples.iter().filter(|(_, is_positive)| *is_positive).count();
    let n_negative = examples.len() - n_positive;
    if n_positive == 0 || n_negative == 0 {
        return None;
    }
    let mut curves = Curves {
        roc: vec![(0.0, 0.0)],
        auc: 0.0,
        precision_recall: vec![(0.0, 1.0)],
        average_precision: 0.0,
    };
    let (mut n_true_positive, mut n_false_positive) = (0, 0);
    // Examples of equal probability reach the threshold together.
    for equal in examples.chunk_by(|a, b| a.0 == b.0) {
        let n_new = equal.iter().filter(|(_, is_positive)| *is_positive).count();
        n_true_positive += n_new;
        n_false_positive += equal.len() - n_new;
        curves.add_threshold(
            n_true_positive as f64 / n_positive as f64,
            n_false_positive as f64 / n_negative as f64,
            n_true_positive as f64 / (n_true_positive + n_false_positive) as f64,
        );
    }
    Some(curves)
}

impl Curves {
    fn add_threshold(&mut self, recall: f64, false_positive_rate: f64, precision: f64) {
        if let Some((last_false_positive_rate, last_recall)) = self.roc.last() {
            self.auc += (false_positive_rate - last_false_positive_rate) * (recall + last_recall) / 2.0;
            self.average_precision += (recall - last_recall) * precision;
        }
        self.roc.push((false_positive_rate, recall));
        self.precision_recall.push((recall, precision));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{classification, floats};

    fn assert_close(found: &[f64], expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{what} {i}: found {found}, expected {expected}");
        }
    }

    #[test]
    fn curves_equal_those_of_scikit_learn() {
        let (reference, labels, probabilities) = classification();
        for (class, expected) in reference["curves"].as_array().unwrap().iter().enumerate() {
            let examples = labels.iter().zip(&probabilities).map(|(label, p)| (p[class], *label == class));
            let curves = curves(examples).unwrap();
            let (wrong, found): (Vec<f64>, Vec<f64>) = curves.roc.iter().copied().unzip();
            assert_close(&wrong, &floats(&expected["fpr"]), "false positive rate");
            assert_close(&found, &floats(&expected["tpr"]), "true positive rate");
            // scikit-learn gives them by rising threshold.
            let (recall, precision): (Vec<f64>, Vec<f64>) =
                curves.precision_recall.iter().rev().copied().unzip();
            assert_close(&recall, &floats(&expected["recall"]), "recall");
            assert_close(&precision, &floats(&expected["precision"]), "precision");
            assert_close(&[curves.auc], &[expected["auc"].as_f64().unwrap()], "area");
            let average = expected["average_precision"].as_f64().unwrap();
            assert_close(&[curves.average_precision], &[average], "average precision");
        }
    }

    #[test]
    fn without_positives_or_negatives_there_are_no_curves() {
        assert_eq!(curves([(0.2, false), (0.3, false)].into_iter()), None);
        assert_eq!(curves([(0.2, true)].into_iter()), None);
        assert_eq!(curves(std::iter::empty()), None);
    }
}
