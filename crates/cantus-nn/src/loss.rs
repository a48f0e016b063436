//! Losses: how wrong an answer is.
//!
//! The loss of a batch is the mean over its examples (each times its weight), to which the network's
//! regularisers add their penalty, as in Keras.

mod spelling;

use crate::activation::Activation;
use crate::examples::Target;

/// What training makes small, spelled as Keras spells it: by its name, `"mean_squared_error"`, or with settings,
/// `{ type = "categorical_crossentropy", label_smoothing = 0.1 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Loss {
    /// Mean of (p - t)² over the outputs.
    MeanSquaredError,
    /// -ln p of the right class, for examples that belong to one class each (or are a mixture of two).
    #[default]
    SparseCategoricalCrossentropy,
    /// -Σ t ln p, where the target t is a distribution over the classes, or one class.
    CategoricalCrossentropy {
        /// Takes this share of the target and spreads it over all classes (Szegedy et al. 2016); 0 for none.
        label_smoothing: f32,
    },
    /// Mean of -t ln p - (1 - t) ln(1 - p) over the outputs: each output answers a question of its own
    /// (several labels).
    BinaryCrossentropy {
        /// Moves targets towards ½ by this share; 0 for none.
        label_smoothing: f32,
    },
}

/// How one example was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    /// Unweighted.
    pub(crate) loss: f64,
    /// 1 if right, 0 if wrong; for several labels, the share of right ones.
    pub(crate) accuracy: f64,
}

/// Keras keeps probabilities this far from 0 and 1.
const EPSILON: f32 = 1e-7;

impl Loss {
    /// Whether answers can be right or wrong, and not only near or far.
    pub(crate) fn has_accuracy(self) -> bool {
        self != Self::MeanSquaredError
    }

    /// Whether the gradient behind this last activation has the simple form p - t, for which `gradient` skips
    /// the activation's own derivative (and never divides by a small p).
    pub(crate) fn fuses_with(self, last: Activation) -> bool {
        match self {
            Self::MeanSquaredError => false,
            Self::SparseCategoricalCrossentropy | Self::CategoricalCrossentropy { .. } => {
                last == Activation::Softmax
            }
            Self::BinaryCrossentropy { .. } => last == Activation::Sigmoid,
        }
    }

    /// Why a target does not fit `n_outputs` outputs in rows of `n_classes`, or `None` where it does.
    pub(crate) fn misfit(self, target: Target<'_>, n_outputs: usize, n_classes: usize) -> Option<String> {
        match (self, target) {
            (Self::SparseCategoricalCrossentropy, Target::Values(_) | Target::MixedValues(..)) => Some(
                "sparse_categorical_crossentropy wants classes, not values; use categorical_crossentropy"
                    .into(),
            ),
            (
                Self::MeanSquaredError | Self::BinaryCrossentropy { .. },
                Target::Class(_) | Target::Mixed(..),
            ) => Some("this loss wants a value for each output, not a class".into()),
            (_, Target::Mixed(first, second, _)) => {
                self.misfit(Target::Class(first.max(second)), n_outputs, n_classes)
            }
            (_, Target::Class(class)) => (class >= n_classes || n_classes != n_outputs).then(|| {
                format!("class {class}, but the network's outputs are {n_outputs} in rows of {n_classes}")
            }),
            (_, Target::MixedValues(first, second, _)) => {
                let misfit = |values| self.misfit(Target::Values(values), n_outputs, n_classes);
                misfit(first).or_else(|| misfit(second))
            }
            (_, Target::Values(values)) => (values.len() != n_outputs)
                .then(|| format!("{} target values, but the network has {n_outputs} outputs", values.len())),
        }
    }

    /// Judges one answer.
    ///
    /// # Shapes
    /// - `outputs`: all outputs of one example; cross-entropy goes over rows of `n_classes` and takes their
    ///   mean
    pub(crate) fn score(self, outputs: &[f32], target: Target<'_>, n_classes: usize) -> Score {
        let n_rows = (outputs.len() / n_classes) as f64;
        let mut score = Score { loss: 0.0, accuracy: 0.0 };
        for (row, p) in outputs.chunks_exact(n_classes).enumerate() {
            let t = |j: usize| self.smoothed(target, row, j, n_classes);
            match self {
                Self::MeanSquaredError => {
                    score.loss += mean(p.iter().enumerate().map(|(j, &p)| f64::from(p - t(j)).powi(2)));
                }
                Self::BinaryCrossentropy { .. } => {
                    score.loss += mean(p.iter().enumerate().map(|(j, &p)| {
                        let (p, t) = (f64::from(p.clamp(EPSILON, 1.0 - EPSILON)), f64::from(t(j)));
                        -t * p.ln() - (1.0 - t) * (1.0 - p).ln()
                    }));
                    score.accuracy += mean(
                        p.iter().enumerate().map(|(j, &p)| f64::from(u8::from((p > 0.5) == (t(j) > 0.5)))),
                    );
                }
                Self::SparseCategoricalCrossentropy | Self::CategoricalCrossentropy { .. } => {
                    score.loss += (0..n_classes)
                        .filter(|&j| t(j) != 0.0)
                        .map(|j| -f64::from(t(j)) * f64::from(p[j].clamp(EPSILON, 1.0)).ln())
                        .sum::<f64>();
                    let right = argmax(n_classes, |j| p[j]) == argmax(n_classes, t);
                    score.accuracy += f64::from(u8::from(right));
                }
            }
        }
        Score { loss: score.loss / n_rows, accuracy: score.accuracy / n_rows }
    }

    /// Writes `scale` · ∂E/∂(output) of one example; with `fused`, ∂E/∂(net input of the last activation).
    pub(crate) fn gradient(
        self,
        outputs: &[f32],
        target: Target<'_>,
        n_classes: usize,
        scale: f32,
        fused: bool,
        gradient: &mut [f32],
    ) {
        let scale = scale * n_classes as f32 / outputs.len() as f32;
        let rows = outputs.chunks_exact(n_classes).zip(gradient.chunks_exact_mut(n_classes));
        for (row, (p, gradient)) in rows.enumerate() {
            let t = |j: usize| self.smoothed(target, row, j, n_classes);
            let sum_t: f32 = if fused { (0..n_classes).map(t).sum() } else { 0.0 };
            for (j, (gradient, &p)) in gradient.iter_mut().zip(p).enumerate() {
                let t = t(j);
                *gradient = scale
                    * match self {
                        Self::MeanSquaredError => 2.0 * (p - t) / n_classes as f32,
                        Self::BinaryCrossentropy { .. } if fused => (p - t) / n_classes as f32,
                        Self::BinaryCrossentropy { .. } => {
                            let p = p.clamp(EPSILON, 1.0 - EPSILON);
                            (p - t) / (p * (1.0 - p)) / n_classes as f32
                        }
                        _ if fused => p.mul_add(sum_t, -t),
                        _ => -t / p.max(EPSILON),
                    };
            }
        }
    }

    /// Target value j of a row, after label smoothing.
    fn smoothed(self, target: Target<'_>, row: usize, j: usize, n_classes: usize) -> f32 {
        let t = match target {
            Target::Class(class) => f32::from(u8::from(class == j)),
            Target::Mixed(first, second, share) => {
                let part = |class, share| if class == j { share } else { 0.0 };
                part(first, share) + part(second, 1.0 - share)
            }
            Target::Values(values) => values[row * n_classes + j],
            Target::MixedValues(first, second, share) => {
                let value = |values: &[f32]| values[row * n_classes + j];
                share * value(first) + (1.0 - share) * value(second)
            }
        };
        match self {
            Self::CategoricalCrossentropy { label_smoothing: s } => t * (1.0 - s) + s / n_classes as f32,
            Self::BinaryCrossentropy { label_smoothing: s } => t * (1.0 - s) + 0.5 * s,
            _ => t,
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The first of the greatest.
fn argmax(n: usize, value: impl Fn(usize) -> f32) -> usize {
    (1..n).fold(0, |best, j| if value(j) > value(best) { j } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    const CROSSENTROPY: Loss = Loss::CategoricalCrossentropy { label_smoothing: 0.0 };

    /// `keras.losses.sparse_categorical_crossentropy([1], [[0.2, 0.7, 0.1]])` is 0.35667497 (Keras 3.15.1),
    /// with `categorical_crossentropy([[0., 1., 0.]], ..., label_smoothing=0.1)` 0.46329743,
    /// `binary_crossentropy` of it 0.22839302 and `mean_squared_error` 0.04666667.
    #[test]
    fn losses_are_those_of_keras() {
        let p = [0.2, 0.7, 0.1];
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a}, expected {b}");
        close(Loss::SparseCategoricalCrossentropy.score(&p, Target::Class(1), 3).loss, 0.356_674_97);
        let one_hot = Target::Values(&[0.0, 1.0, 0.0]);
        close(
            Loss::CategoricalCrossentropy { label_smoothing: 0.1 }.score(&p, one_hot, 3).loss,
            0.463_297_43,
        );
        close(Loss::BinaryCrossentropy { label_smoothing: 0.0 }.score(&p, one_hot, 3).loss, 0.228_393_02);
        close(Loss::MeanSquaredError.score(&p, one_hot, 3).loss, 0.046_666_67);
    }

    #[test]
    fn accuracy_asks_for_the_greatest_or_for_every_label() {
        let p = [0.2, 0.7, 0.6];
        assert_eq!(CROSSENTROPY.score(&p, Target::Class(1), 3).accuracy, 1.0);
        assert_eq!(CROSSENTROPY.score(&p, Target::Class(2), 3).accuracy, 0.0);
        let labels = Loss::BinaryCrossentropy { label_smoothing: 0.0 };
        let share = labels.score(&p, Target::Values(&[0.0, 1.0, 0.0]), 3).accuracy;
        assert!((share - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_losses() {
        let p = [0.2, 0.5, 0.3, 0.6, 0.1, 0.3];
        let t = [0.0, 1.0, 0.0, 0.3, 0.3, 0.4];
        for loss in [
            Loss::MeanSquaredError,
            Loss::CategoricalCrossentropy { label_smoothing: 0.1 },
            Loss::BinaryCrossentropy { label_smoothing: 0.2 },
        ] {
            let mut gradient = [0.0; 6];
            loss.gradient(&p, Target::Values(&t), 3, 2.0, false, &mut gradient);
            let slopes: Vec<f32> = (0..6)
                .map(|i| {
                    let at = |by: f32| {
                        let mut p = p;
                        p[i] += by;
                        loss.score(&p, Target::Values(&t), 3).loss
                    };
                    (2.0 * (at(1e-3) - at(-1e-3)) / 2e-3) as f32
                })
                .collect();
            assert_close(&gradient, &slopes, 1e-3);
        }
    }

    #[test]
    fn the_fused_gradient_equals_the_one_through_the_activation() {
        let h = [0.3, -0.8, 1.1];
        for (loss, last) in [
            (CROSSENTROPY, Activation::Softmax),
            (Loss::BinaryCrossentropy { label_smoothing: 0.0 }, Activation::Sigmoid),
        ] {
            let mut p = h;
            last.forward(&mut p, 3);
            let target = Target::Values(&[0.0, 0.0, 1.0]);
            let (mut fused, mut through) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&p, target, 3, 1.0, true, &mut fused);
            loss.gradient(&p, target, 3, 1.0, false, &mut through);
            last.backward(&p, &[], &mut through, 3);
            assert_close(&fused, &through, 1e-6);
        }
    }

    /// With the distribution written out, for both cross-entropies.
    #[test]
    fn a_mixture_of_two_classes_is_their_distribution() {
        let (p, mixed) = ([0.2, 0.5, 0.3], Target::Mixed(2, 0, 0.7));
        let expected = -0.7 * 0.3_f64.ln() - 0.3 * 0.2_f64.ln();
        for loss in [Loss::SparseCategoricalCrossentropy, CROSSENTROPY] {
            assert!((loss.score(&p, mixed, 3).loss - expected).abs() < 1e-6);
            let (mut found, mut wanted) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&p, mixed, 3, 1.0, true, &mut found);
            CROSSENTROPY.gradient(&p, Target::Values(&[0.3, 0.0, 0.7]), 3, 1.0, true, &mut wanted);
            assert_close(&found, &wanted, 1e-6);
        }
        let smoothed = Loss::CategoricalCrossentropy { label_smoothing: 0.1 };
        let values = Target::Values(&[0.3, 0.0, 0.7]);
        let difference = smoothed.score(&p, mixed, 3).loss - smoothed.score(&p, values, 3).loss;
        assert!(difference.abs() < 1e-6);
        let with_itself = CROSSENTROPY.score(&p, Target::Mixed(1, 1, 0.3), 3);
        assert_eq!(with_itself, CROSSENTROPY.score(&p, Target::Class(1), 3));
        assert!(
            CROSSENTROPY.misfit(Target::Mixed(0, 3, 0.5), 3, 3).is_some_and(|why| why.contains("class 3"))
        );
        assert!(Loss::MeanSquaredError.misfit(mixed, 3, 3).is_some());
    }

    /// With the values written out.
    #[test]
    fn a_mixture_of_several_labels_is_the_mixture_of_their_values() {
        let p = [0.2, 0.5, 0.9];
        let mixed = Target::MixedValues(&[0.0, 1.0, 1.0], &[1.0, 0.0, 1.0], 0.75);
        let values = Target::Values(&[0.25, 0.75, 1.0]);
        for loss in [0.0, 0.1].map(|label_smoothing| Loss::BinaryCrossentropy { label_smoothing }) {
            assert_eq!(loss.score(&p, mixed, 3), loss.score(&p, values, 3));
            let (mut found, mut wanted) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&p, mixed, 3, 1.0, true, &mut found);
            loss.gradient(&p, values, 3, 1.0, true, &mut wanted);
            assert_eq!(found, wanted);
        }
        let short = Target::MixedValues(&[0.0; 3], &[0.0; 2], 0.5);
        assert!(Loss::BinaryCrossentropy { label_smoothing: 0.0 }.misfit(short, 3, 3).is_some());
        assert!(Loss::SparseCategoricalCrossentropy.misfit(mixed, 3, 3).is_some());
    }

    #[test]
    fn targets_that_do_not_fit_are_told_apart() {
        let sparse = Loss::SparseCategoricalCrossentropy;
        assert_eq!(sparse.misfit(Target::Class(9), 10, 10), None);
        assert!(sparse.misfit(Target::Class(10), 10, 10).is_some_and(|why| why.contains("class 10")));
        assert!(sparse.misfit(Target::Values(&[1.0]), 1, 1).is_some());
        assert!(Loss::MeanSquaredError.misfit(Target::Values(&[1.0, 2.0]), 3, 3).is_some());
    }
}
