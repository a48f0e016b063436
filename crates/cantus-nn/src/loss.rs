//! Loss functions.
//!
//! The loss of a batch is the mean over its examples (each times its weight) plus the penalty of the network's regularisers,
//! as in Keras.
//!
//! A cross-entropy after its softmax or sigmoid is computed from the *logits*, the net inputs of that activation: ln p is then
//! a difference (log-softmax) that neither overflows nor loses digits for small p, and the gradient is p - t. Keras does the
//! same. After any other activation, probabilities are clipped to at least 1e-7, as in Keras.

mod gradient;
mod score;
mod serialization;

use crate::activation::Activation;
use crate::examples::Target;

pub(crate) use score::Score;

/// The function that training minimises, with the name that Keras gives it: by name, `"mean_squared_error"`, or with settings,
/// `{ type = "categorical_crossentropy", label_smoothing = 0.1 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Loss {
    /// Mean of (p - t)² over the outputs.
    MeanSquaredError,
    /// -ln p of the true class, for examples that belong to one class each (or are a mixture of two).
    #[default]
    SparseCategoricalCrossentropy,
    /// -Σ t ln p, where the target t is a distribution over the classes, or one class.
    CategoricalCrossentropy {
        /// The fraction of the target that is distributed evenly over all classes (Szegedy et al. 2016).
        label_smoothing: f32,
    },
    /// Mean of -t ln p - (1 - t) ln(1 - p) over the outputs: multi-label
    /// classification.
    BinaryCrossentropy {
        /// The fraction by which targets are moved towards ½.
        label_smoothing: f32,
    },
}

impl Loss {
    /// Whether predictions are correct or not, as in classification.
    pub(crate) fn has_accuracy(self) -> bool {
        self != Self::MeanSquaredError
    }

    /// Whether the loss computes this last activation itself, from the logits.
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
    pub(crate) fn mismatch(self, target: Target<'_>, n_outputs: usize, n_classes: usize) -> Option<String> {
        match (self, target) {
            (Self::SparseCategoricalCrossentropy, Target::Values(_) | Target::MixedValues(..)) => Some(
                "sparse_categorical_crossentropy needs classes, not values; use categorical_crossentropy"
                    .into(),
            ),
            (
                Self::MeanSquaredError | Self::BinaryCrossentropy { .. },
                Target::Class(_) | Target::Mixed(..),
            ) => Some("this loss needs a value for each output, not a class".into()),
            (_, Target::Mixed(first, second, _)) => {
                self.mismatch(Target::Class(first.max(second)), n_outputs, n_classes)
            }
            (_, Target::Class(class)) => (class >= n_classes || n_classes != n_outputs).then(|| {
                format!("class {class}, but the network's outputs are {n_outputs} in rows of {n_classes}")
            }),
            (_, Target::MixedValues(first, second, _)) => {
                let mismatch = |values| self.mismatch(Target::Values(values), n_outputs, n_classes);
                mismatch(first).or_else(|| mismatch(second))
            }
            (_, Target::Values(values)) => (values.len() != n_outputs)
                .then(|| format!("{} target values, but the network has {n_outputs} outputs", values.len())),
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
        close(Loss::SparseCategoricalCrossentropy.score(&p, Target::Class(1), 3, false).loss, 0.356_674_97);
        let one_hot = Target::Values(&[0.0, 1.0, 0.0]);
        close(
            Loss::CategoricalCrossentropy { label_smoothing: 0.1 }.score(&p, one_hot, 3, false).loss,
            0.463_297_43,
        );
        close(
            Loss::BinaryCrossentropy { label_smoothing: 0.0 }.score(&p, one_hot, 3, false).loss,
            0.228_393_02,
        );
        close(Loss::MeanSquaredError.score(&p, one_hot, 3, false).loss, 0.046_666_67);
    }

    #[test]
    fn accuracy_is_by_argmax_or_by_label() {
        let p = [0.2, 0.7, 0.6];
        assert_eq!(CROSSENTROPY.score(&p, Target::Class(1), 3, false).accuracy, 1.0);
        assert_eq!(CROSSENTROPY.score(&p, Target::Class(2), 3, false).accuracy, 0.0);
        let labels = Loss::BinaryCrossentropy { label_smoothing: 0.0 };
        let share = labels.score(&p, Target::Values(&[0.0, 1.0, 0.0]), 3, false).accuracy;
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
                        loss.score(&p, Target::Values(&t), 3, false).loss
                    };
                    (2.0 * (at(1e-3) - at(-1e-3)) / 2e-3) as f32
                })
                .collect();
            assert_close(&gradient, &slopes, 1e-3);
        }
    }

    #[test]
    fn the_gradient_from_logits_equals_the_one_through_the_activation() {
        let h = [0.3, -0.8, 1.1];
        for (loss, last) in [
            (CROSSENTROPY, Activation::Softmax),
            (Loss::BinaryCrossentropy { label_smoothing: 0.0 }, Activation::Sigmoid),
        ] {
            let mut p = h;
            last.forward(&mut p, 3);
            let target = Target::Values(&[0.0, 0.0, 1.0]);
            let close =
                (loss.score(&p, target, 3, false).loss - loss.score(&h, target, 3, true).loss).abs() < 1e-6;
            assert!(close, "{loss:?}");
            let (mut fused, mut through) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&h, target, 3, 1.0, true, &mut fused);
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
            assert!((loss.score(&p, mixed, 3, false).loss - expected).abs() < 1e-6);
            let (mut found, mut wanted) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&p, mixed, 3, 1.0, true, &mut found);
            CROSSENTROPY.gradient(&p, Target::Values(&[0.3, 0.0, 0.7]), 3, 1.0, true, &mut wanted);
            assert_close(&found, &wanted, 1e-6);
        }
        let smoothed = Loss::CategoricalCrossentropy { label_smoothing: 0.1 };
        let values = Target::Values(&[0.3, 0.0, 0.7]);
        let difference = smoothed.score(&p, mixed, 3, false).loss - smoothed.score(&p, values, 3, false).loss;
        assert!(difference.abs() < 1e-6);
        let with_itself = CROSSENTROPY.score(&p, Target::Mixed(1, 1, 0.3), 3, false);
        assert_eq!(with_itself, CROSSENTROPY.score(&p, Target::Class(1), 3, false));
        assert!(
            CROSSENTROPY.mismatch(Target::Mixed(0, 3, 0.5), 3, 3).is_some_and(|why| why.contains("class 3"))
        );
        assert!(Loss::MeanSquaredError.mismatch(mixed, 3, 3).is_some());
    }

    /// With the values written out.
    #[test]
    fn a_mixture_of_several_labels_is_the_mixture_of_their_values() {
        let p = [0.2, 0.5, 0.9];
        let mixed = Target::MixedValues(&[0.0, 1.0, 1.0], &[1.0, 0.0, 1.0], 0.75);
        let values = Target::Values(&[0.25, 0.75, 1.0]);
        for loss in [0.0, 0.1].map(|label_smoothing| Loss::BinaryCrossentropy { label_smoothing }) {
            assert_eq!(loss.score(&p, mixed, 3, false), loss.score(&p, values, 3, false));
            let (mut found, mut wanted) = ([0.0; 3], [0.0; 3]);
            loss.gradient(&p, mixed, 3, 1.0, true, &mut found);
            loss.gradient(&p, values, 3, 1.0, true, &mut wanted);
            assert_eq!(found, wanted);
        }
        let short = Target::MixedValues(&[0.0; 3], &[0.0; 2], 0.5);
        assert!(Loss::BinaryCrossentropy { label_smoothing: 0.0 }.mismatch(short, 3, 3).is_some());
        assert!(Loss::SparseCategoricalCrossentropy.mismatch(mixed, 3, 3).is_some());
    }

    /// `keras.losses.{sparse_categorical,binary}_crossentropy(..., from_logits=True)`, Keras 3.15.1 (TensorFlow), in
    /// f32: 1500.0 and 1000.0, 500.0. From probabilities a loss cannot exceed -ln 1e-7 = 16.1.
    #[test]
    fn losses_from_logits_have_no_limit() {
        let logits = [1000.0, 0.0, -500.0];
        let sparse = Loss::SparseCategoricalCrossentropy.score(&logits, Target::Class(2), 3, true);
        assert_eq!((sparse.loss, sparse.accuracy), (1500.0, 0.0));
        let binary = Loss::BinaryCrossentropy { label_smoothing: 0.0 };
        let targets = [0.0, 0.0, 1.0];
        let loss = binary.score(&logits, Target::Values(&targets), 3, true).loss;
        assert!((loss - (1500.0 + std::f64::consts::LN_2) / 3.0).abs() < 1e-9, "{loss}");
    }

    #[test]
    fn the_score_of_several_views_is_that_of_their_mean_probabilities() {
        let views = [0.3, -0.8, 1.1, 2.0, 0.1, -1.0];
        for (loss, last, target) in [
            (CROSSENTROPY, Activation::Softmax, Target::Class(2)),
            (
                Loss::BinaryCrossentropy { label_smoothing: 0.1 },
                Activation::Sigmoid,
                Target::Values(&[1.0, 0.0, 1.0]),
            ),
        ] {
            let mut p = views;
            last.forward(&mut p, 3);
            let from_logits = loss.score_mean(&views, 3, target, 3, true);
            let from_probabilities = loss.score_mean(&p, 3, target, 3, false);
            assert!((from_logits.loss - from_probabilities.loss).abs() < 1e-6, "{loss:?}");
            assert_eq!(from_logits.accuracy, from_probabilities.accuracy);
        }
    }

    #[test]
    fn nan_in_an_output_is_nan_in_loss_and_gradient() {
        let binary = Loss::BinaryCrossentropy { label_smoothing: 0.0 };
        let values = Target::Values(&[0.0, 1.0, 0.0]);
        for (loss, from_logits) in
            [(Loss::MeanSquaredError, false), (CROSSENTROPY, true), (binary, false), (binary, true)]
        {
            for index in 0..3 {
                let mut outputs = [0.2, 0.5, 0.3];
                outputs[index] = f32::NAN;
                assert!(loss.score(&outputs, values, 3, from_logits).loss.is_nan(), "{loss:?} at {index}");
                let mut gradient = [0.0; 3];
                loss.gradient(&outputs, values, 3, 1.0, from_logits, &mut gradient);
                assert!(gradient[index].is_nan(), "{loss:?} at {index}");
            }
        }
    }

    #[test]
    fn targets_that_do_not_fit_are_rejected() {
        let sparse = Loss::SparseCategoricalCrossentropy;
        assert_eq!(sparse.mismatch(Target::Class(9), 10, 10), None);
        assert!(sparse.mismatch(Target::Class(10), 10, 10).is_some_and(|why| why.contains("class 10")));
        assert!(sparse.mismatch(Target::Values(&[1.0]), 1, 1).is_some());
        assert!(Loss::MeanSquaredError.mismatch(Target::Values(&[1.0, 2.0]), 3, 3).is_some());
    }
}
