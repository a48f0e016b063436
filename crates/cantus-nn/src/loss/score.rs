//! Loss and accuracy of one example.

use super::Loss;
use crate::examples::Target;

/// Loss and accuracy of one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    /// Unweighted.
    pub(crate) loss: f64,
    /// 1 if correct, otherwise 0; for several labels, the fraction of correct ones.
    pub(crate) accuracy: f64,
}

/// Keras clips probabilities to this distance from 0 and 1.
pub(super) const EPSILON: f32 = 1e-7;

impl Loss {
    /// Scores the outputs of one example.
    ///
    /// # Shapes
    /// - `outputs`: all outputs of one example, or with `from_logits` the net inputs of their activation (see
    ///   [`Loss::fuses_with`]); cross-entropy goes over rows of `n_classes` and takes their mean
    pub(crate) fn score(
        self,
        outputs: &[f32],
        target: Target<'_>,
        n_classes: usize,
        from_logits: bool,
    ) -> Score {
        let n_rows = (outputs.len() / n_classes) as f64;
        let mut sum = Score { loss: 0.0, accuracy: 0.0 };
        for (row, values) in outputs.chunks_exact(n_classes).enumerate() {
            let target = |j: usize| f64::from(self.smoothed(target, row, j, n_classes));
            let value = |j: usize| f64::from(values[j]);
            let score = match (self, from_logits) {
                (Self::MeanSquaredError, _) => squared_error(n_classes, value, target),
                (Self::BinaryCrossentropy { .. }, false) => {
                    let p = |j: usize| f64::from(values[j].clamp(EPSILON, 1.0 - EPSILON));
                    binary(n_classes, |j| p(j).ln(), |j| (1.0 - p(j)).ln(), target)
                }
                (Self::BinaryCrossentropy { .. }, true) => {
                    binary(n_classes, |j| log_sigmoid(value(j)), |j| log_sigmoid(-value(j)), target)
                }
                (_, false) => {
                    let log_p = |j: usize| f64::from(values[j].clamp(EPSILON, 1.0)).ln();
                    categorical(n_classes, log_p, value, target)
                }
                (_, true) => {
                    let normalizer = log_sum_exp(n_classes, value);
                    categorical(n_classes, |j| value(j) - normalizer, value, target)
                }
            };
            sum.loss += score.loss;
            sum.accuracy += score.accuracy;
        }
        Score { loss: sum.loss / n_rows, accuracy: sum.accuracy / n_rows }
    }

    /// Scores the mean probabilities of several views of one example.
    ///
    /// # Shapes
    /// - `views`: `[n_views, output_len]`; `from_logits` as in [`Loss::score`]
    pub(crate) fn score_mean(
        self,
        views: &[f32],
        output_len: usize,
        target: Target<'_>,
        n_classes: usize,
        from_logits: bool,
    ) -> Score {
        let n_views = views.len() / output_len;
        if n_views == 1 {
            return self.score(views, target, n_classes, from_logits);
        }
        if !from_logits {
            let mean = |i: usize| views.iter().skip(i).step_by(output_len).sum::<f32>() / n_views as f32;
            let means: Vec<f32> = (0..output_len).map(mean).collect();
            return self.score(&means, target, n_classes, false);
        }
        // The logits of the mean probabilities; those of softmax up to a constant, which does not change it.
        let mut log_p = vec![0.0; views.len()];
        let mut log_not_p = vec![0.0; views.len()];
        let rows = views.chunks_exact(n_classes).zip(log_p.chunks_exact_mut(n_classes));
        for ((values, log_p), log_not_p) in rows.zip(log_not_p.chunks_exact_mut(n_classes)) {
            let value = |j: usize| f64::from(values[j]);
            let normalizer = log_sum_exp(n_classes, value);
            for j in 0..n_classes {
                (log_p[j], log_not_p[j]) = match self {
                    Self::BinaryCrossentropy { .. } => (log_sigmoid(value(j)), log_sigmoid(-value(j))),
                    _ => (value(j) - normalizer, 0.0),
                };
            }
        }
        let log_mean = |logs: &[f64], i: usize| log_sum_exp(n_views, |view| logs[view * output_len + i]);
        let logit = |i: usize| (log_mean(&log_p, i) - log_mean(&log_not_p, i)) as f32;
        let logits: Vec<f32> = (0..output_len).map(logit).collect();
        self.score(&logits, target, n_classes, true)
    }
}

fn squared_error(n: usize, value: impl Fn(usize) -> f64, target: impl Fn(usize) -> f64) -> Score {
    let loss = (0..n).map(|j| (value(j) - target(j)).powi(2)).sum::<f64>() / n as f64;
    Score { loss, accuracy: 0.0 }
}

fn binary(
    n: usize,
    log_p: impl Fn(usize) -> f64,
    log_not_p: impl Fn(usize) -> f64,
    target: impl Fn(usize) -> f64,
) -> Score {
    let mut score = Score { loss: 0.0, accuracy: 0.0 };
    for j in 0..n {
        let (yes, no, t) = (log_p(j), log_not_p(j), target(j));
        score.loss -= t * yes + (1.0 - t) * no;
        score.accuracy += f64::from(u8::from((yes > no) == (t > 0.5)));
    }
    Score { loss: score.loss / n as f64, accuracy: score.accuracy / n as f64 }
}

/// `rank` increases with the probability.
fn categorical(
    n: usize,
    log_p: impl Fn(usize) -> f64,
    rank: impl Fn(usize) -> f64,
    target: impl Fn(usize) -> f64,
) -> Score {
    let loss = (0..n).filter(|&j| target(j) != 0.0).map(|j| -target(j) * log_p(j)).sum();
    let is_right = argmax(n, rank) == argmax(n, target);
    Score { loss, accuracy: f64::from(u8::from(is_right)) }
}

/// ln Σ exp(value), without overflow.
fn log_sum_exp(n: usize, value: impl Fn(usize) -> f64) -> f64 {
    let greatest = (0..n).map(&value).fold(f64::NEG_INFINITY, f64::max);
    greatest + (0..n).map(|j| (value(j) - greatest).exp()).sum::<f64>().ln()
}

/// ln 1 / (1 + e⁻ˣ)
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// The first index of the maximum.
fn argmax(n: usize, value: impl Fn(usize) -> f64) -> usize {
    (1..n).fold(0, |best, j| if value(j) > value(best) { j } else { best })
}
