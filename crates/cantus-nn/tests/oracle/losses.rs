//! Losses, and what an example's target is.

use cantus_nn::{Activation, Loss, Target};

use super::function::Function;
use super::layers::Signal;
use super::number::Number;
use super::tape::{Node, Tape};

/// Keras keeps probabilities this far from 0 and 1, where it has no logits.
const EPSILON: f64 = 1e-7;

/// The value that each of `n_outputs` outputs should have, after label smoothing.
pub fn target_values(loss: Loss, target: Target<'_>, n_outputs: usize, n_classes: usize) -> Vec<f64> {
    let one_hot = |class: usize, i: usize| if i == class { 1.0 } else { 0.0 };
    let value = |i: usize| match target {
        Target::Class(class) => one_hot(class, i),
        Target::Mixed(first, second, share) => {
            f64::from(share) * one_hot(first, i) + (1.0 - f64::from(share)) * one_hot(second, i)
        }
        Target::Values(values) => f64::from(values[i]),
        Target::MixedValues(first, second, share) => {
            f64::from(share) * f64::from(first[i]) + (1.0 - f64::from(share)) * f64::from(second[i])
        }
    };
    let smooth = |t: f64| match loss {
        Loss::CategoricalCrossentropy { label_smoothing: s } => {
            t * (1.0 - f64::from(s)) + f64::from(s) / n_classes as f64
        }
        Loss::BinaryCrossentropy { label_smoothing: s } => t * (1.0 - f64::from(s)) + 0.5 * f64::from(s),
        _ => t,
    };
    (0..n_outputs).map(|i| smooth(value(i))).collect()
}

/// How much examples of a target's class count.
pub fn class_weight(class_weights: &[f32], target: Target<'_>) -> f64 {
    let of = |class: usize| class_weights.get(class).map_or(1.0, |&weight| f64::from(weight));
    match target {
        Target::Class(class) => of(class),
        Target::Mixed(first, second, share) => {
            f64::from(share) * of(first) + (1.0 - f64::from(share)) * of(second)
        }
        Target::Values(_) | Target::MixedValues(..) => 1.0,
    }
}

/// Appends Σ weight · loss over the examples.
///
/// # Shapes
/// - `targets`: `[examples, outputs]`
/// - `weights`: `[examples]`
pub fn append_loss<T: Number>(
    tape: &mut Tape<T>,
    output: &Signal,
    loss: Loss,
    targets: &[f64],
    weights: &[f64],
) -> Node {
    let n_outputs = output.len();
    let of = |values: Vec<f64>| values.into_iter().map(T::of).collect::<Vec<T>>();
    let t = tape.constant(of(targets.to_vec()));
    let terms = match (loss, output.before_activation) {
        (Loss::MeanSquaredError, _) => {
            let apart = tape.subtract(output.node, t);
            tape.multiply(apart, apart)
        }
        (Loss::BinaryCrossentropy { .. }, Some((Activation::Sigmoid, net, _))) => {
            // -ln σ(h) = softplus(-h), -ln(1 - σ(h)) = softplus(h)
            let turned = tape.map(net, Function::Scale(-1.0));
            let (of_one, of_zero) = (tape.map(turned, Function::Softplus), tape.map(net, Function::Softplus));
            weigh(tape, t, targets, of_one, of_zero)
        }
        (Loss::BinaryCrossentropy { .. }, _) => {
            let p = tape.map(output.node, Function::Clip(EPSILON, 1.0 - EPSILON));
            let turned = tape.map(p, Function::Scale(-1.0));
            let other = tape.map(turned, Function::Shift(1.0));
            let [of_one, of_zero] = [p, other].map(|p| {
                let logarithm = tape.map(p, Function::Ln);
                tape.map(logarithm, Function::Scale(-1.0))
            });
            weigh(tape, t, targets, of_one, of_zero)
        }
        (Loss::SparseCategoricalCrossentropy | Loss::CategoricalCrossentropy { .. }, before) => {
            let logarithms = if let Some((Activation::Softmax, net, width)) = before {
                tape.log_softmax(net, width)
            } else {
                let p = tape.map(output.node, Function::Clip(EPSILON, 1.0));
                tape.map(p, Function::Ln)
            };
            let product = tape.multiply(t, logarithms);
            tape.map(product, Function::Scale(-1.0))
        }
        (other, _) => panic!("unknown loss {other:?}"),
    };
    // A cross-entropy over classes is a sum over them, the others are means over outputs.
    let summed = matches!(loss, Loss::SparseCategoricalCrossentropy | Loss::CategoricalCrossentropy { .. });
    let share = if summed { output.width() as f64 } else { 1.0 } / n_outputs as f64;
    let weights = tape.constant(of(weights.iter().flat_map(|w| vec![w * share; n_outputs]).collect()));
    let weighted = tape.multiply(terms, weights);
    let n = tape.value(weighted).len();
    tape.sums_of_runs(weighted, n)
}

/// t · `of_one` + (1 - t) · `of_zero`
fn weigh<T: Number>(tape: &mut Tape<T>, t: Node, targets: &[f64], of_one: Node, of_zero: Node) -> Node {
    let other = tape.constant(targets.iter().map(|t| T::of(1.0 - t)).collect());
    let (one, zero) = (tape.multiply(t, of_one), tape.multiply(other, of_zero));
    tape.add(one, zero)
}
