//! Gradient check of the reference trainer by central differences.

use std::collections::BTreeSet;

use cantus_nn::Training;

use super::case::Case;
use super::kinds::kinds;
use super::trainer::Trainer;

/// A difference over ±1e-6 is uncertain by 1e-16 / 1e-6 (rounding) and (1e-6)² (curvature).
const STEP: f64 = 1e-6;
/// Networks with a kink nearer than this are left out: a difference may step over it.
const NEAR: f64 = 3e-5;
/// How many weights of each tensor are moved.
const MOST: usize = 6;

/// The greatest difference between a gradient of a case and its differences, relative to the tensor's greatest; none if
/// a kink is near.
fn greatest_error(case: &Case) -> Option<f64> {
    let training = Training { clipping: None, ..case.plan.training(case.plan.sgd) };
    let batch: Vec<usize> = (0..case.plan.n_examples.min(5)).collect();
    let mut trainer = Trainer::<f64>::new(&case.plan.architecture, &case.initial_weights);
    let (found, _) = trainer.gradients(&case.data, &batch, 0, &training);
    if trainer.nearest_kink < NEAR {
        return None;
    }
    let mut loss = |tensor: usize, i: usize, by: f64| {
        trainer.weights[tensor].values[i] += by;
        let (found, _) = trainer.gradients(&case.data, &batch, 0, &training);
        trainer.weights[tensor].values[i] -= by;
        found.loss / batch.len() as f64
    };
    let mut greatest = 0.0_f64;
    for (tensor, gradient) in found.gradients.iter().enumerate().filter(|(_, gradient)| !gradient.is_empty())
    {
        let size = gradient.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
        for i in (0..gradient.len()).step_by(gradient.len().div_ceil(MOST)) {
            let difference = (loss(tensor, i, STEP) - loss(tensor, i, -STEP)) / (2.0 * STEP);
            greatest = greatest.max((gradient[i] - difference).abs() / (size + 1e-2));
        }
    }
    Some(greatest)
}

#[test]
fn gradients_of_the_reference_equal_central_differences_for_every_layer() {
    let (mut covered, mut n) = (BTreeSet::new(), 0);
    // The small ones of the fixed networks, and then others than those that are compared with the engine.
    for number in (0..40).chain(5_000..6_000) {
        let case = Case::new(number);
        if case.plan.cost() > 60_000 {
            continue;
        }
        let Some(error) = greatest_error(&case) else { continue };
        assert!(error < 1e-6, "{number}: {error:e}, {:?}", case.plan);
        covered.extend(kinds(&case.plan.architecture.layers));
        n += 1;
        if n >= 120 && covered.len() == super::kinds::N {
            return;
        }
    }
    panic!("only {n} networks, of {covered:?}");
}
