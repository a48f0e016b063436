//! Multinomial logistic regression with an L2 penalty, fitted by L-BFGS.
//!
//! Minimises C · Σᵢ -ln p(yᵢ | xᵢ) + ½ Σ w² over the weights; the intercepts are not penalised. The problem is convex with
//! one minimum, which L-BFGS (Liu & Nocedal 1989, "On the limited memory BFGS method"; Nocedal & Wright 2006, algorithm
//! 7.4) reaches from any start, here from zero: no seed, no learning rate.
//!
//! For two outcomes one row of weights w suffices; two rows that are both penalised end up as ½ w and -½ w. Doubling the
//! penalty's weight, that is halving C, gives the solution of the single row.
//!
//! # Reference
//! `sklearn.linear_model.LogisticRegression(C=1.0)` of scikit-learn 1.9, within 1e-6 (`tests/reference/classification.py`,
//! `tagging.py`).

use std::collections::VecDeque;

/// scikit-learn's default.
const C: f64 = 1.0;
/// Number of past steps that L-BFGS keeps.
const MEMORY: usize = 10;
const MOST_STEPS: usize = 2000;
/// The search ends when no component of the gradient is larger than this, relative to the number of examples.
const TOLERANCE: f64 = 1e-9;
/// Minimum decrease of the loss relative to the linear prediction (Armijo's condition).
const LEAST_FALL: f64 = 1e-4;

/// A fitted model.
#[derive(Debug, Clone)]
pub(super) struct Logistic {
    /// `[n_classes, n_features + 1]`; the last of each row is the intercept.
    weights: Vec<f64>,
    n_classes: usize,
}

impl Logistic {
    /// Fits a model.
    ///
    /// # Shapes
    /// - `x`: `[labels.len(), n_features]`
    pub(super) fn fit(x: &[f64], labels: &[usize], n_classes: usize) -> Self {
        Self::fit_with(C, x, labels, n_classes)
    }

    /// Fits a binary model (1 is positive, 0 is negative) that is penalised as one row of weights.
    ///
    /// # Shapes
    /// - `x`: `[labels.len(), n_features]`
    pub(super) fn fit_binary(x: &[f64], labels: &[usize]) -> Self {
        Self::fit_with(C / 2.0, x, labels, 2)
    }

    fn fit_with(c: f64, x: &[f64], labels: &[usize], n_classes: usize) -> Self {
        let n_features = x.len() / labels.len().max(1);
        let problem = Problem { c, x, labels, n_features, n_classes };
        Self { weights: minimise(&problem, vec![0.0; n_classes * (n_features + 1)]), n_classes }
    }

    /// Probability of each class, for one row of features.
    pub(super) fn probabilities(&self, x: &[f64]) -> Vec<f64> {
        let mut p: Vec<f64> = self.weights.chunks_exact(x.len() + 1).map(|row| net_input(row, x)).collect();
        debug_assert_eq!(p.len(), self.n_classes);
        softmax(&mut p);
        p
    }
}

struct Problem<'a> {
    /// Weight of the data term; the penalty has weight 1.
    c: f64,
    x: &'a [f64],
    labels: &'a [usize],
    n_features: usize,
    n_classes: usize,
}

impl Problem<'_> {
    /// The loss at `weights`, and its gradient.
    fn loss(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let width = self.n_features + 1;
        let mut loss = 0.0;
        let mut p = vec![0.0; self.n_classes];
        for (x, &label) in self.x.chunks_exact(self.n_features.max(1)).zip(self.labels) {
            for (p, row) in p.iter_mut().zip(weights.chunks_exact(width)) {
                *p = net_input(row, x);
            }
            loss += self.c * (softmax(&mut p) - p_of(weights, x, label, width));
            for (class, row) in gradient.chunks_exact_mut(width).enumerate() {
                let slope = self.c * (p[class] - f64::from(u8::from(class == label)));
                row.iter_mut().zip(x).for_each(|(g, x)| *g += slope * x);
                row[self.n_features] += slope;
            }
        }
        for (row, gradient) in weights.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
            for (w, g) in row[..self.n_features].iter().zip(gradient) {
                loss += 0.5 * w * w;
                *g += w;
            }
        }
        loss
    }
}

fn net_input(row: &[f64], x: &[f64]) -> f64 {
    x.iter().zip(row).map(|(x, w)| x * w).sum::<f64>() + row[x.len()]
}

/// The net input of the true class.
fn p_of(weights: &[f64], x: &[f64], label: usize, width: usize) -> f64 {
    net_input(&weights[label * width..][..width], x)
}

/// Turns net inputs into probabilities and returns the logarithm of the sum of their exponentials.
fn softmax(values: &mut [f64]) -> f64 {
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter_mut().for_each(|value| *value = (*value - greatest).exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    greatest + sum.ln()
}

/// L-BFGS from `weights`.
fn minimise(problem: &Problem<'_>, mut weights: Vec<f64>) -> Vec<f64> {
    let mut gradient = vec![0.0; weights.len()];
    let mut loss = problem.loss(&weights, &mut gradient);
    // (step, change of the gradient), the newest last.
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    for _ in 0..MOST_STEPS {
        if gradient.iter().all(|g| g.abs() <= TOLERANCE * problem.labels.len() as f64) {
            break;
        }
        let direction = direction(&gradient, &memory);
        let slope = dot(&direction, &gradient);
        let mut size = 1.0;
        let (moved, new_gradient, new_loss) = loop {
            let moved: Vec<f64> = weights.iter().zip(&direction).map(|(w, d)| w + size * d).collect();
            let mut new_gradient = vec![0.0; weights.len()];
            let new_loss = problem.loss(&moved, &mut new_gradient);
            if new_loss <= loss + LEAST_FALL * size * slope {
                break (moved, new_gradient, new_loss);
            }
            size /= 2.0;
            // No step is small enough: the minimum is reached within the precision of f64.
            if size < 1e-12 {
                return weights;
            }
        };
        let step: Vec<f64> = moved.iter().zip(&weights).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = new_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        // The loss is strictly convex in the weights, but constant along a common shift of all intercepts.
        if dot(&step, &change) > 0.0 {
            memory.push_back((step, change));
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        (weights, gradient, loss) = (moved, new_gradient, new_loss);
    }
    weights
}

/// Descent direction by the L-BFGS two-loop recursion: the negative gradient times an estimate of the inverse Hessian.
fn direction(gradient: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change) in memory.iter().rev() {
        let share = dot(step, &q) / dot(step, change);
        add(&mut q, -share, change);
        shares.push(share);
    }
    let scale = match memory.back() {
        Some((step, change)) => dot(step, change) / dot(change, change),
        None => 1.0 / dot(gradient, gradient).sqrt().max(1.0),
    };
    q.iter_mut().for_each(|q| *q *= scale);
    for ((step, change), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(change, &q) / dot(step, change);
        add(&mut q, share - back, step);
    }
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], share: f64, values: &[f64]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += share * value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Scaler;
    use crate::report::reference::{classification, floats, tagging};

    #[test]
    fn probabilities_match_scikit_learn() {
        let (reference, labels, _) = classification();
        let rows = |name: &str| -> Vec<Vec<f64>> {
            reference["logistic"][name].as_array().unwrap().iter().map(floats).collect()
        };
        let (x, new) = (rows("x"), rows("x_new"));
        let scaler = Scaler::of(&x);
        let scaled: Vec<f64> = x.iter().flat_map(|row| scaler.apply(row)).collect();
        let model = Logistic::fit(&scaled, &labels, 3);
        for (row, expected) in new.iter().zip(rows("probabilities")) {
            let found = model.probabilities(&scaler.apply(row));
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "found {found}, expected {expected}");
            }
        }
        for (class, expected) in rows("coefficients").iter().enumerate() {
            let found = &model.weights[class * 7..][..6];
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, {expected:?}");
        }
    }

    #[test]
    fn binary_probabilities_match_scikit_learn() {
        let (reference, labels, _) = tagging();
        let rows = |name: &str| -> Vec<Vec<f64>> {
            reference["logistic"][name].as_array().unwrap().iter().map(floats).collect()
        };
        let (x, expected) = (rows("x"), rows("probabilities"));
        let scaler = Scaler::of(&x);
        let scaled: Vec<f64> = x.iter().flat_map(|row| scaler.apply(row)).collect();
        for label in 0..4 {
            let predictions: Vec<usize> =
                labels.iter().map(|labels| usize::from(labels.contains(&label))).collect();
            let model = Logistic::fit_binary(&scaled, &predictions);
            for (row, expected) in x.iter().zip(&expected) {
                let found = model.probabilities(&scaler.apply(row))[1];
                assert!(
                    (found - expected[label]).abs() < 1e-6,
                    "found {found}, expected {}",
                    expected[label]
                );
            }
        }
    }

    #[test]
    fn the_gradient_equals_finite_differences_of_the_loss() {
        let x = [0.5, -1.0, 2.0, 0.3, -0.7, 1.1];
        let problem = Problem { c: C, x: &x, labels: &[0, 2, 1], n_features: 2, n_classes: 3 };
        let weights: Vec<f64> = (0..9).map(|i| 0.3 * f64::from(i) - 1.0).collect();
        let mut gradient = vec![0.0; 9];
        problem.loss(&weights, &mut gradient);
        for i in 0..9 {
            let at = |by: f64| {
                let mut moved = weights.clone();
                moved[i] += by;
                problem.loss(&moved, &mut [0.0; 9])
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((gradient[i] - slope).abs() < 1e-7, "{i}: {} against {slope}", gradient[i]);
        }
    }

    #[test]
    fn a_class_without_examples_gets_a_low_probability() {
        let model = Logistic::fit(&[-1.0, 1.0, -2.0, 2.0], &[0, 1, 0, 1], 3);
        let p = model.probabilities(&[1.5]);
        assert!(p[1] > p[0] && p[2] < 0.05 && p.iter().all(|p| p.is_finite()), "{p:?}");
    }
}
