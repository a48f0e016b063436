//! The course's networks at real size against Keras: losses, predictions, moving statistics and a gradient.
//!
//! The numbers are Keras's in f64; `reference/keras_real_size.py` made them and states how far Keras's own f32 is from
//! them. Inputs, classes and initial weights are drawn by the same rule in both programs.
//!
//! Small sizes do not test this, since buffer reuse and code paths depend on the size.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]
#![expect(clippy::print_stdout, reason = "differences are shown with --nocapture")]

use std::collections::HashMap;
use std::ops::ControlFlow;

use cantus_nn::optimizer::Sgd;
use cantus_nn::{Architecture, Batching, History, InMemory, Loss, Network, Optimizer, Tensor, Training};
use serde::Deserialize;

const N_TIMES: usize = 130;
const N_COEFFICIENTS: usize = 13;
const N_CLASSES: usize = 10;
const BATCH: usize = 32;
/// How many examples are held out, to compare predictions.
const N_HELD_OUT: usize = 6;
/// How many channels of each batch normalisation layer are compared.
const N_CHANNELS: usize = 8;
/// Greatest accepted difference, relative as [`differences`] says.
const TOLERANCE: f64 = 1e-3;

#[derive(Deserialize)]
struct Reference {
    networks: HashMap<String, Architecture>,
    first_bias: HashMap<String, Vec<f32>>,
    gradient: Gradient,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Gradient {
    network: String,
    loss: f64,
    kernel: Vec<f64>,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    network: String,
    optimizer: Optimizer,
    n_examples: usize,
    epochs: usize,
    scale: f32,
    offset: f32,
    /// Number of first layers that are not trained.
    #[serde(default)]
    n_frozen: usize,
    loss_before: f64,
    loss: Vec<f64>,
    accuracy: Vec<f64>,
    probabilities: Vec<f64>,
    #[serde(default)]
    moving_mean: Vec<Vec<f64>>,
    #[serde(default)]
    moving_variance: Vec<Vec<f64>>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/keras_real_size.json")).unwrap()
}

/// The rule for inputs and weights: SplitMix64 (Steele, Lea & Flood 2014) from state 0, at position `stream` * 2^32.
fn splitmix(stream: u64, n: usize) -> impl Iterator<Item = u64> {
    (1..=n as u64).map(move |i| {
        let mut z = ((stream << 32) + i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// `n` numbers in [-1, 1), multiples of 2^-23: exact.
fn uniform(stream: u64, n: usize) -> Vec<f32> {
    splitmix(stream, n).map(|z| (z >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Inputs `[n, N_TIMES, N_COEFFICIENTS]`, a pattern of each class in steps of ten frames, and noise; and their
/// classes, one in eight of which is drawn anew.
fn examples(n: usize, scale: f32, offset: f32) -> (Vec<f32>, Vec<usize>) {
    let drawn: Vec<u64> = splitmix(1, 2 * n).collect();
    let class = |z: u64| (z % N_CLASSES as u64) as usize;
    let kinds: Vec<usize> = drawn.chunks(2).map(|pair| class(pair[0])).collect();
    let relabelled =
        |pair: &[u64]| if pair[1].is_multiple_of(8) { class(pair[1] >> 32) } else { class(pair[0]) };
    let mean = uniform(2, N_CLASSES * N_COEFFICIENTS);
    let pattern = uniform(3, N_CLASSES * N_TIMES / 10 * N_COEFFICIENTS);
    let noise = uniform(4, n * N_TIMES * N_COEFFICIENTS);
    let mut inputs = Vec::with_capacity(noise.len());
    for (frame, noise) in noise.chunks(N_COEFFICIENTS).enumerate() {
        let (kind, step) = (kinds[frame / N_TIMES], frame % N_TIMES / 10);
        for (c, noise) in noise.iter().enumerate() {
            let mean = mean[kind * N_COEFFICIENTS + c];
            let pattern = pattern[(kind * N_TIMES / 10 + step) * N_COEFFICIENTS + c];
            let x = scale * ((0.5 * mean + 0.25 * pattern) + 1.25 * noise);
            inputs.push(if c == 0 { x + offset } else { x });
        }
    }
    (inputs, drawn.chunks(2).map(relabelled).collect())
}

/// Glorot uniform for kernels, within 1/√units for recurrent kernels, near Keras's first values for the rest.
fn first_values(stream: u64, kind: &str, tensor: &Tensor) -> Vec<f32> {
    let (shape, mut u) = (&tensor.shape, uniform(stream, tensor.values.len()));
    let name = tensor.name.rsplit('.').next().unwrap();
    let (first, limit) = match name {
        "kernel" => {
            let (receptive, ends) = shape.split_at(shape.len() - 2);
            let fans = receptive.iter().product::<usize>() * (ends[0] + ends[1]);
            (0.0, (6.0 / fans as f64).sqrt() as f32)
        }
        "recurrent_kernel" => (0.0, (1.0 / (shape[0] as f64).sqrt()) as f32),
        "bias" => (0.0, 0.05),
        "gamma" => (1.0, 0.2),
        "beta" => (0.0, 0.1),
        "moving_mean" => (0.0, 0.0),
        "moving_variance" => (1.0, 0.0),
        other => unreachable!("no rule for a weight named {other}"),
    };
    u.iter_mut().for_each(|u| *u = first + limit * *u);
    if kind == "LSTM" && name == "bias" {
        let units = shape[0] / 4;
        u[units..2 * units].iter_mut().for_each(|forget| *forget += 1.0);
    }
    u
}

/// The layer of an architecture whose tensor has this name.
fn kind(architecture: &Architecture, tensor: &str) -> &'static str {
    let place: usize = tensor.split('.').nth(1).unwrap().parse().unwrap();
    architecture.layers[place].kind()
}

fn network(architecture: &Architecture) -> Network {
    let mut tensors = Network::new(architecture, 0).unwrap().weights();
    for (stream, tensor) in (100..).zip(&mut tensors) {
        tensor.values = first_values(stream, kind(architecture, &tensor.name), tensor);
    }
    Network::with_weights(architecture, &tensors).unwrap()
}

/// Greatest |ours - theirs| / max(|theirs|, floor).
fn relative(ours: impl IntoIterator<Item = f64>, theirs: &[f64], floor: f64) -> f64 {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.len());
    let by = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / b.abs().max(floor));
    // Not a number is the greatest difference of all.
    by.fold(0.0, |greatest: f64, by| if by <= greatest { greatest } else { by })
}

fn fit(
    network: &mut Network,
    examples: &InMemory<'_>,
    run: &Run,
    n_threads: usize,
    epochs: usize,
) -> History {
    let training = Training {
        epochs,
        batching: Batching::Mini(BATCH),
        optimizer: run.optimizer,
        shuffle: false,
        layer_rates: vec![0.0; run.n_frozen],
        n_threads,
        ..Training::default()
    };
    network.fit(examples, None, &training, |_| ControlFlow::Continue(())).unwrap()
}

/// Each quantity of a trained network, and its greatest |ours - Keras's| / max(|Keras's|, floor); the floor is 0 for
/// losses, 0.1 (a uniform guess) for probabilities, 0.01 for moving statistics.
fn differences(run: &Run, network: &Network, history: &History, held_out: &[f32]) -> Vec<(String, f64)> {
    let accuracy = history.accuracy.iter().zip(&run.accuracy).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // Rounding may decide one example.
    let accuracy = if accuracy < 1.5 / run.n_examples as f64 { 0.0 } else { accuracy };
    let probabilities = network.predict(held_out).unwrap().into_iter().map(f64::from);
    let mut all = vec![
        ("loss".to_owned(), relative(history.loss.iter().copied(), &run.loss, 0.0)),
        ("accuracy".to_owned(), accuracy),
        ("probabilities".to_owned(), relative(probabilities, &run.probabilities, 0.1)),
    ];
    for (name, theirs) in [("moving_mean", &run.moving_mean), ("moving_variance", &run.moving_variance)] {
        let weights = network.weights();
        let ours: Vec<_> = weights.iter().filter(|tensor| tensor.name.ends_with(name)).collect();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        all.extend(ours.iter().zip(theirs).map(|(ours, theirs)| {
            let of_channels = ours.values[..N_CHANNELS].iter().map(|&value| f64::from(value));
            (ours.name.clone(), relative(of_channels, theirs, 0.01))
        }));
    }
    all
}

/// Trains as a run says, on one and on two threads; lists what differs by more than the tolerance.
fn wrong(run: &Run, architecture: &Architecture) -> Vec<String> {
    let (inputs, classes) = examples(run.n_examples + N_HELD_OUT, run.scale, run.offset);
    let (train_inputs, held_out) = inputs.split_at(run.n_examples * N_TIMES * N_COEFFICIENTS);
    let train = InMemory::classes(train_inputs, &classes[..run.n_examples]);
    let [mut ours, mut on_two_threads] = [network(architecture), network(architecture)];
    // Freezes layers, whose penalty is then no part of the loss.
    fit(&mut ours, &train, run, 1, 0);
    let before = ours.evaluate(&train, Loss::SparseCategoricalCrossentropy).unwrap().loss;
    let history = fit(&mut ours, &train, run, 1, run.epochs);
    assert_eq!(
        history,
        fit(&mut on_two_threads, &train, run, 2, run.epochs),
        "{}: on one and two threads",
        run.name
    );
    assert!(ours.weights() == on_two_threads.weights(), "{}: weights on one and two threads", run.name);

    let mut all = vec![("loss before".to_owned(), relative([before], &[run.loss_before], 0.0))];
    all.extend(differences(run, &ours, &history, held_out));
    println!("{}: {all:?}", run.name);
    let mut wrong: Vec<String> = all
        .iter()
        .filter(|(_, by)| by.is_nan() || *by > TOLERANCE)
        .map(|(what, by)| format!("{}: {what} differs by {by:.2e}", run.name))
        .collect();
    if !wrong.is_empty() {
        wrong.push(format!("{}: losses {:?}, Keras's {:?}", run.name, history.loss, run.loss));
    }
    wrong
}

/// Compares all runs whose name has this prefix.
#[track_caller]
fn assert_as_in_keras(runs: &str) {
    let reference = reference();
    let runs: Vec<&Run> = reference.runs.iter().filter(|run| run.name.starts_with(runs)).collect();
    assert!(runs.len() >= 2);
    let wrong: Vec<String> =
        runs.iter().flat_map(|run| wrong(run, &reference.networks[&run.network])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_mlp_trains_as_in_keras() {
    assert_as_in_keras("mlp, ");
}

/// Keras computes the loss from the net input of the softmax, so that no probability is clipped.
#[test]
fn large_losses_of_inputs_that_are_not_normalised_are_those_of_keras() {
    assert_as_in_keras("large losses, ");
}

#[test]
fn the_regularised_mlp_trains_as_in_keras() {
    assert_as_in_keras("mlp-regularised, ");
}

#[test]
fn the_cnn_trains_as_in_keras() {
    assert_as_in_keras("cnn, ");
}

#[test]
fn networks_with_frozen_layers_train_as_in_keras() {
    assert_as_in_keras("fine-tuning, ");
}

#[test]
fn the_simple_rnn_trains_as_in_keras() {
    assert_as_in_keras("rnn, ");
}

#[test]
fn the_lstm_trains_as_in_keras() {
    assert_as_in_keras("lstm, ");
}

#[test]
fn the_gru_trains_as_in_keras() {
    assert_as_in_keras("gru, ");
}

/// One step of gradient descent with learning rate 1 subtracts the gradient.
#[test]
fn the_gradient_of_a_convolution_before_pooling_and_normalisation_is_that_of_keras() {
    let Reference { networks, gradient, .. } = reference();
    let mut network = network(&networks[&gradient.network]);
    let (inputs, classes) = examples(BATCH, 1.0, 0.0);
    let kernel = |network: &Network| network.weights().swap_remove(0).values;
    let before = kernel(&network);
    let training = Training {
        optimizer: Optimizer::Sgd(Sgd { learning_rate: 1.0, ..Sgd::default() }),
        batching: Batching::Full,
        shuffle: false,
        ..Training::default()
    };
    let train = InMemory::classes(&inputs, &classes);
    let history = network.fit(&train, None, &training, |_| ControlFlow::Continue(())).unwrap();
    let ours: Vec<f64> = before.iter().zip(kernel(&network)).map(|(w, after)| f64::from(w - after)).collect();
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let by = norm(&mut ours.iter().zip(&gradient.kernel).map(|(a, b)| a - b))
        / norm(&mut gradient.kernel.iter().copied());
    assert_eq!(ours.len(), gradient.kernel.len());
    assert!(relative([history.loss[0]], &[gradient.loss], 0.0) < TOLERANCE, "loss {}", history.loss[0]);
    println!("gradient: {by:.1e} of its norm");
    assert!(by < TOLERANCE, "{by:.2e} of the gradient's norm");
}

/// LSTM: 1 for the forget gate (`unit_forget_bias`); GRU: one bias for the input, one for the state (`reset_after`).
#[test]
fn the_initial_biases_of_recurrent_layers_are_those_of_keras() {
    let Reference { networks, first_bias, .. } = reference();
    for (name, layer) in [("rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")] {
        let network = Network::new(&networks[name], 0).unwrap();
        let bias = network.weights().into_iter().find(|tensor| tensor.name == "layers.0.bias").unwrap();
        let gates: Vec<f32> = first_bias[layer].iter().flat_map(|&of_gate| [of_gate; 64]).collect();
        assert_eq!(bias.values, gates, "{layer}");
    }
}
