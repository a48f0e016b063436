//! Curves of one class against the rest: how many are found at the price of how many false alarms.
//!
//! The class is named wherever its probability reaches a threshold, and the threshold goes from high to low. The ROC curve
//! draws the share of the class that is found over the share of the rest that is named wrongly; the area under it is the
//! chance that a random member has a higher probability than a random other. The precision-recall curve is the one to look
//! at where the class is rare (Davis & Goadrich 2006, "The relationship between precision-recall and ROC curves").
//!
//! # Reference
//! scikit-learn 1.9's `roc_curve(drop_intermediate=False)`, `roc_auc_score`, `precision_recall_curve` and
//! `average_precision_score`, within 1e-12 (`tests/reference/examination.py`).

/// Both curves of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// (share of the rest that is named wrongly, share of the class that is found), from (0, 0) to (1, 1).
    pub roc: Vec<(f64, f64)>,
    /// Area under the ROC curve.
    pub auc: f64,
    /// (share of the class that is found, share of right ones among the named), by falling threshold, from (0, 1).
    pub precision_recall: Vec<(f64, f64)>,
    /// Mean precision over the steps in recall.
    pub average_precision: f64,
}

/// The curves of a class: `answers` are its probability and whether it is right. None if it is right always or never.
pub fn curves(answers: impl Iterator<Item = (f64, bool)>) -> Option<Curves> {
    let mut answers: Vec<(f64, bool)> = answers.collect();
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n_class = answers.iter().filter(|(_, is_class)| *is_class).count();
    let n_rest = answers.len() - n_class;
    if n_class == 0 || n_rest == 0 {
        return None;
    }
    let mut curves = Curves {
        roc: vec![(0.0, 0.0)],
        auc: 0.0,
        precision_recall: vec![(0.0, 1.0)],
        average_precision: 0.0,
    };
    let (mut n_found, mut n_wrong) = (0, 0);
    // Answers of one probability are named together.
    for equal in answers.chunk_by(|a, b| a.0 == b.0) {
        let found = equal.iter().filter(|(_, is_class)| *is_class).count();
        n_found += found;
        n_wrong += equal.len() - found;
        curves.step(
            n_found as f64 / n_class as f64,
            n_wrong as f64 / n_rest as f64,
            (n_found, n_found + n_wrong),
        );
    }
    Some(curves)
}

impl Curves {
    /// Adds a threshold; `named` is how many are named rightly, and how many in all.
    fn step(&mut self, found: f64, wrong: f64, named: (usize, usize)) {
        let precision = named.0 as f64 / named.1 as f64;
        if let Some((wrong_before, found_before)) = self.roc.last() {
            self.auc += (wrong - wrong_before) * (found + found_before) / 2.0;
            self.average_precision += (found - found_before) * precision;
        }
        self.roc.push((wrong, found));
        self.precision_recall.push((found, precision));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{examination, floats};

    fn assert_close(found: &[f64], expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{what} {i}: found {found}, expected {expected}");
        }
    }

    #[test]
    fn curves_equal_those_of_scikit_learn() {
        let (reference, labels, probabilities) = examination();
        for (class, expected) in reference["curves"].as_array().unwrap().iter().enumerate() {
            let answers = labels.iter().zip(&probabilities).map(|(label, p)| (p[class], *label == class));
            let curves = curves(answers).unwrap();
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
    fn a_class_that_never_or_always_occurs_has_no_curve() {
        assert_eq!(curves([(0.2, false), (0.3, false)].into_iter()), None);
        assert_eq!(curves([(0.2, true)].into_iter()), None);
        assert_eq!(curves(std::iter::empty()), None);
    }
}
