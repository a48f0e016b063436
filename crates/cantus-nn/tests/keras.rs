//! Layers, losses and optimizers against Keras: the same weights, inputs and targets give the same
//! predictions, and after some steps of training the same losses and weights.
//!
//! The numbers are Keras's (`reference/keras_numbers.py` says how they were made). Both compute in f32, in
//! different orders: what is compared may differ by 2e-5 of its size, or 2e-5 below 1.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;

use cantus_nn::{Architecture, InMemory, Network, Training};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    architecture: Architecture,
    training: Training,
    weights: Vec<Vec<f32>>,
    inputs: Vec<f32>,
    classes: Option<Vec<usize>>,
    values: Option<Vec<f32>>,
    predictions: Vec<f32>,
    loss: Vec<f32>,
    weights_after: Vec<Vec<f32>>,
    predictions_after: Vec<f32>,
}

/// The greatest difference between two slices, relative to numbers greater than 1.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    // Not a number is the greatest difference of all.
    differences.fold(0.0, |greatest: f32, d| if d <= greatest { greatest } else { d })
}

/// What differs, and by how much.
fn differences(case: &Case) -> Vec<(String, f32)> {
    let mut network = Network::new(&case.architecture, 0).unwrap();
    let mut tensors = network.weights();
    assert_eq!(tensors.len(), case.weights.len(), "{}", case.name);
    for (tensor, values) in tensors.iter_mut().zip(&case.weights) {
        tensor.values.clone_from(values);
    }
    network.set_weights(&tensors).unwrap();
    let predictions = network.predict(&case.inputs).unwrap();
    let examples = match (&case.classes, &case.values) {
        (Some(classes), _) => InMemory::classes(&case.inputs, classes),
        (None, values) => {
            let width = network.output_shape().iter().product();
            InMemory::values(&case.inputs, values.as_ref().unwrap(), width)
        }
    };
    let history = network.fit(&examples, None, &case.training, |_| ControlFlow::Continue(())).unwrap();
    let loss: Vec<f32> = history.loss.iter().map(|&loss| loss as f32).collect();
    let mut all = vec![
        ("predictions".to_owned(), difference(&predictions, &case.predictions)),
        ("loss".to_owned(), difference(&loss, &case.loss)),
        (
            "predictions after".to_owned(),
            difference(&network.predict(&case.inputs).unwrap(), &case.predictions_after),
        ),
    ];
    let tensors = network.weights().into_iter().zip(&case.weights_after);
    all.extend(tensors.map(|(tensor, after)| (tensor.name, difference(&tensor.values, after))));
    all
}

#[test]
fn predictions_losses_and_trained_weights_are_those_of_keras() {
    let reference: Reference = serde_json::from_str(include_str!("reference/keras.json")).unwrap();
    assert!(reference.cases.len() > 50);
    let mut wrong = Vec::new();
    for case in &reference.cases {
        let far = differences(case).into_iter().filter(|(_, by)| by.is_nan() || *by > 2e-5);
        wrong.extend(far.map(|(what, by)| format!("{}: {what} differ by {by}", case.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
