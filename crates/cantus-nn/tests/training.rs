//! Training through the public interface: losses decrease, and every run with the same settings gives the same bits.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;

use cantus_nn::layer::{Dense, Dropout};
use cantus_nn::optimizer::{Adam, Sgd};
use cantus_nn::{
    Activation, Architecture, Averaging, Batching, Clipping, EarlyStopping, Error, Examples, InMemory,
    LayerSpec, Loss, Network, Optimizer, Progress, Regularizer, Target, Tensor, Training,
};
use cantus_random::KeyedRng;

/// `n` random numbers in [-1, 1).
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = KeyedRng::new([seed]);
    (0..n).map(|_| (2.0 * rng.uniform() - 1.0) as f32).collect()
}

fn architecture(text: &str) -> Architecture {
    toml::from_str(text).unwrap()
}

/// Networks of every kind that examples of shape [20, 6] can go through.
fn networks() -> Vec<(&'static str, Architecture)> {
    [
        (
            "perceptron",
            r#"layers = [
                { type = "Flatten" },
                { type = "Dense", units = 600, activation = "relu", kernel_regularizer = { l2 = 1e-4 } },
                { type = "Dropout", rate = 0.2 },
                { type = "Dense", units = 130, activation = "silu" },
                { type = "Dense", units = 20, activation = "tanh", kernel_regularizer = { l1 = 1e-5 } },
                { type = "Dense", units = 4, activation = "softmax" },
            ]"#,
        ),
        (
            "along time",
            r#"layers = [
                { type = "Dense", units = 9, activation = "gelu" },
                { type = "Flatten" },
                { type = "Dropout", rate = 0.1 },
                { type = "Dense", units = 4 },
                { type = "Activation", activation = "softmax" },
            ]"#,
        ),
        (
            "recurrent",
            r#"layers = [
                { type = "LSTM", units = 12, return_sequences = true },
                { type = "GRU", units = 10, return_sequences = true },
                { type = "SimpleRNN", units = 8 },
                { type = "Dropout", rate = 0.1 },
                { type = "Dense", units = 4, activation = "softmax" },
            ]"#,
        ),
        (
            "of all kinds",
            r#"layers = [
                { type = "Residual", layers = [
                    { type = "LayerNormalization" },
                    { type = "Dense", units = 6, activation = "elu" },
                    { type = "Dropout", rate = 0.1 },
                ] },
                { type = "GaussianNoise", stddev = 0.01 },
                { type = "Bidirectional", layer = { type = "LSTM", units = 5, return_sequences = true } },
                { type = "SpatialDropout1D", rate = 0.05 },
                { type = "TimeDistributed", layer = { type = "Dense", units = 7, activation = "leaky_relu" } },
                { type = "BatchNormalization", momentum = 0.9 },
                { type = "MultiTimescaleLSTM", units = 4, time_scales = [2, 6, 20], return_sequences = true },
                { type = "GlobalAveragePooling1D" },
                { type = "Dense", units = 4, activation = "softmax" },
            ]"#,
        ),
        (
            "a kernel machine on statistics",
            r#"layers = [
                { type = "StatisticsPooling1D", scales = [1, 4], logarithm = true },
                { type = "Flatten" },
                { type = "BatchNormalization", momentum = 0.9 },
                { type = "RandomFourierFeatures", units = 400, groups = [8, 16] },
                { type = "Dense", units = 4, activation = "softmax" },
            ]"#,
        ),
        (
            "convolutional",
            r#"layers = [
                { type = "Reshape", target_shape = [20, 6, 1] },
                { type = "Conv2D", filters = 18, kernel_size = [3, 3], activation = "relu" },
                { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
                { type = "BatchNormalization", momentum = 0.9 },
                { type = "Conv2D", filters = 20, kernel_size = [2, 2], padding = "same", activation = "relu" },
                { type = "BatchNormalization", momentum = 0.9 },
                { type = "Flatten" },
                { type = "Dense", units = 500, activation = "relu" },
                { type = "Dropout", rate = 0.3 },
                { type = "Dense", units = 4, activation = "softmax" },
            ]"#,
        ),
    ]
    .into_iter()
    .map(|(name, layers)| (name, architecture(&format!("input_shape = [20, 6]\n{layers}"))))
    .collect()
}

const N_INPUTS: usize = 120;

/// Random inputs of four classes.
fn examples(n: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    (noise(n * N_INPUTS, seed), (0..n).map(|i| i % 4).collect())
}

fn on(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn bits(network: &Network) -> Vec<u32> {
    network.weights().iter().flat_map(|tensor| tensor.values.iter().map(|w| w.to_bits())).collect()
}

fn adam(learning_rate: f32) -> Optimizer {
    Optimizer::Adam(Adam { learning_rate, ..Adam::default() })
}

#[test]
fn every_network_overfits_eight_examples() {
    let (inputs, classes) = examples(8, 1);
    let train = InMemory::classes(&inputs, &classes);
    for (name, architecture) in networks() {
        let mut network = Network::new(&architecture, 3).unwrap();
        let training =
            Training { epochs: 150, batching: Batching::Full, optimizer: adam(5e-3), ..Training::default() };
        network.fit(&train, None, &training, on).unwrap();
        let scores = network.evaluate(&train, Loss::SparseCategoricalCrossentropy).unwrap();
        assert_eq!(scores.accuracy, Some(1.0), "{name}: {scores:?}");
        assert!(scores.loss < 0.1, "{name}: {scores:?}");
    }
}

/// The lectures' LSTM, whose notebook ends with "The above isn't working for some reason". (It misspells
/// `Dropout`.)
#[test]
fn the_lectures_lstm_works() {
    let architecture = architecture(
        r#"input_shape = [130, 13]
        layers = [
            { type = "LSTM", units = 64, return_sequences = true },
            { type = "LSTM", units = 64 },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    );
    let mut network = Network::new(&architecture, 3).unwrap();
    assert!(network.summary().contains(" Total params: 57,802 "), "{}", network.summary());
    let (inputs, classes) = (noise(8 * 130 * 13, 1), [0, 1, 2, 3, 4, 5, 6, 7]);
    let train = InMemory::classes(&inputs, &classes);
    let training = Training { epochs: 100, optimizer: adam(5e-3), ..Training::default() };
    network.fit(&train, None, &training, on).unwrap();
    assert_eq!(network.evaluate(&train, training.loss).unwrap().accuracy, Some(1.0));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (inputs, classes) = examples(75, 2);
    let train = InMemory::classes(&inputs, &classes);
    for (name, architecture) in networks() {
        for clipping in
            [None, Some(Clipping::Norm(0.5)), Some(Clipping::GlobalNorm(0.5)), Some(Clipping::Value(0.01))]
        {
            let trained = |n_threads| {
                let mut network = Network::new(&architecture, 3).unwrap();
                let training = Training { epochs: 2, clipping, n_threads, ..Training::default() };
                let history = network.fit(&train, Some(&train), &training, on).unwrap();
                (bits(&network), history)
            };
            let alone = trained(1);
            for n_threads in 2..=4 {
                assert!(trained(n_threads) == alone, "{name} on {n_threads} threads, clipping {clipping:?}");
            }
        }
    }
}

#[test]
fn a_training_that_was_interrupted_ends_with_the_same_bits() {
    let ((inputs, classes), (other_inputs, other_classes)) = (examples(50, 4), examples(30, 5));
    let (train, validation) =
        (InMemory::classes(&inputs, &classes), InMemory::classes(&other_inputs, &other_classes));
    let training = Training {
        epochs: 9,
        optimizer: adam(2e-3),
        early_stopping: Some(EarlyStopping { patience: 3, ..EarlyStopping::default() }),
        ..Training::default()
    };
    let averagings = [None, Some(Averaging::Ema { decay: 0.7 }), Some(Averaging::Swa { from_epoch: 2 })]
        .into_iter()
        .cycle();
    for ((name, architecture), averaging) in networks().into_iter().zip(averagings) {
        let training = Training { averaging, ..training.clone() };
        let mut whole = Network::new(&architecture, 6).unwrap();
        let history = whole.fit(&train, Some(&validation), &training, on).unwrap();

        let mut checkpoint = Vec::new();
        let mut first_half = Network::new(&architecture, 6).unwrap();
        let interrupt = |progress: Progress<'_>| match progress {
            Progress::Epoch(end) if end.epoch == 2 => {
                checkpoint = end.checkpoint().unwrap();
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        first_half.fit(&train, Some(&validation), &training, interrupt).unwrap();
        let mut second_half = Network::new(&architecture, 999).unwrap();
        let resumed = second_half.resume(&train, Some(&validation), &training, &checkpoint, on).unwrap();
        assert_eq!(resumed, history, "{name}");
        assert!(bits(&second_half) == bits(&whole), "{name}");
    }
}

#[test]
fn a_checkpoint_of_another_network_or_training_is_rejected() {
    let (inputs, classes) = examples(8, 4);
    let train = InMemory::classes(&inputs, &classes);
    let (first, second) = (networks().swap_remove(0).1, networks().swap_remove(1).1);
    let training = Training::default();
    let mut checkpoint = Vec::new();
    let keep = |progress: Progress<'_>| {
        if let Progress::Epoch(end) = progress {
            checkpoint = end.checkpoint().unwrap();
        }
        ControlFlow::Continue(())
    };
    Network::new(&first, 0).unwrap().fit(&train, None, &training, keep).unwrap();
    let refused = |architecture: &Architecture, training: &Training, checkpoint: &[u8]| {
        let result = Network::new(architecture, 0).unwrap().resume(&train, None, training, checkpoint, on);
        assert!(matches!(result, Err(Error::Checkpoint { .. })), "{result:?}");
    };
    refused(&second, &training, &checkpoint);
    refused(&first, &Training { seed: 1, ..Training::default() }, &checkpoint);
    refused(&first, &training, &checkpoint[..checkpoint.len() / 2]);
    refused(&first, &training, b"no checkpoint at all");
}

#[test]
fn early_stopping_restores_the_best_epoch() {
    let ((inputs, classes), (other_inputs, other_classes)) = (examples(24, 7), examples(24, 8));
    let (train, validation) =
        (InMemory::classes(&inputs, &classes), InMemory::classes(&other_inputs, &other_classes));
    let mut network = Network::new(&networks()[0].1, 1).unwrap();
    let training = Training {
        epochs: 60,
        optimizer: adam(3e-3),
        early_stopping: Some(EarlyStopping { patience: 4, ..EarlyStopping::default() }),
        ..Training::default()
    };
    // The classes are random: memorising them increases the validation loss.
    let history = network.fit(&train, Some(&validation), &training, on).unwrap();
    let best = history.val_loss.iter().copied().fold(f64::INFINITY, f64::min);
    let at = history.val_loss.iter().position(|&loss| loss == best).unwrap();
    assert!(
        history.n_epochs() < 60 && history.n_epochs() == at + 5,
        "best at {at} of {}",
        history.n_epochs()
    );
    assert_eq!(network.evaluate(&validation, training.loss).unwrap().loss, best);
}

/// Examples whose halves are two views; in training, the epoch selects one of them.
struct Halves<'a>(InMemory<'a>);

impl Examples for Halves<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_len(&self) -> usize {
        self.0.input_len() / 2
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.write_view(index, epoch % 2, input);
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.0.target(index)
    }

    fn n_views(&self) -> usize {
        2
    }

    fn write_view(&self, index: usize, view: usize, input: &mut [f32]) {
        let mut whole = vec![0.0; self.0.input_len()];
        self.0.write_input(index, 0, &mut whole);
        input.copy_from_slice(&whole[view * input.len()..][..input.len()]);
    }
}

#[test]
fn several_views_are_scored_by_their_mean_probabilities() {
    let (inputs, classes) = (noise(41 * 2 * N_INPUTS, 3), (0..41).map(|i| i % 4).collect::<Vec<_>>());
    let halves = Halves(InMemory::classes(&inputs, &classes));
    let network = Network::new(&networks()[0].1, 1).unwrap();
    let found = network.evaluate(&halves, Loss::default()).unwrap();
    let outputs = network.predict(&inputs).unwrap();
    let (mut loss, mut n_correct) = (0.0, 0);
    for (pair, &class) in outputs.chunks(8).zip(&classes) {
        let mean: Vec<f32> = (0..4).map(|j| (pair[j] + pair[j + 4]) / 2.0).collect();
        loss -= f64::from(mean[class]).ln() / 41.0;
        n_correct += usize::from(mean.iter().all(|p| *p <= mean[class]));
    }
    assert!(found.accuracy == Some(n_correct as f64 / 41.0), "{found:?}, not {n_correct} correct");
    // The perceptron's regularisers are part of its loss.
    let penalty = {
        let single = InMemory::classes(&inputs[..N_INPUTS], &classes[..1]);
        let output = network.predict(&inputs[..N_INPUTS]).unwrap();
        network.evaluate(&single, Loss::default()).unwrap().loss + f64::from(output[0]).ln()
    };
    assert!((found.loss - penalty - loss).abs() < 1e-5, "{found:?}, not {loss} + {penalty}");
}

#[test]
fn stochastic_mini_and_full_batches_take_as_many_steps_as_they_should() {
    let (inputs, classes) = examples(10, 7);
    let train = InMemory::classes(&inputs, &classes);
    let moved_by = |batching| {
        let mut network = Network::new(&networks()[1].1, 1).unwrap();
        // A learning rate of 0 and weights that only fade count steps: 0.9 each.
        let optimizer: Optimizer =
            toml::from_str("type = \"AdamW\"\nlearning_rate = 1e-30\nweight_decay = 1e29").unwrap();
        let before = network.weights()[0].values[0];
        network.fit(&train, None, &Training { batching, optimizer, ..Training::default() }, on).unwrap();
        (f64::from(network.weights()[0].values[0]) / f64::from(before)).log(0.9).round()
    };
    assert_eq!([Batching::Stochastic, Batching::Mini(4), Batching::Full].map(moved_by), [10.0, 3.0, 1.0]);
}

#[test]
fn the_lectures_perceptron_is_trained_to_add_two_numbers() {
    let inputs: Vec<f32> = noise(2000, 9).into_iter().map(|x| (x + 1.0) / 4.0).collect();
    let sums: Vec<f32> = inputs.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    let train = InMemory::values(&inputs, &sums, 1);
    let layers = [5, 1].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    let architecture = Architecture { input_shape: vec![2], layers: layers.to_vec() };
    let mut network = Network::new(&architecture, 2).unwrap();
    let training = Training {
        epochs: 100,
        batching: Batching::Stochastic,
        loss: Loss::MeanSquaredError,
        optimizer: Optimizer::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true }),
        ..Training::default()
    };
    let history = network.fit(&train, None, &training, on).unwrap();
    assert!(history.accuracy.is_empty() && history.loss[99] < 1e-3, "{:?}", history.loss.last());
    let output = network.predict(&[0.3, 0.1]).unwrap();
    assert!((output[0] - 0.4).abs() < 0.03, "{output:?}");
}

#[test]
fn examples_that_do_not_fit_are_rejected_with_the_reason() {
    let message = |layers: Vec<LayerSpec>| {
        Network::new(&Architecture { input_shape: vec![20, 6], layers }, 0).unwrap_err().to_string()
    };
    let dense = |units| LayerSpec::Dense(Dense::new(units, Activation::Linear));
    assert_eq!(message(vec![dense(3), dense(0)]), "layers.1 (Dense): units must be at least 1, but is 0");
    assert_eq!(
        message(vec![LayerSpec::Dropout(Dropout { rate: 1.5 })]),
        "layers.0 (Dropout): rate must be at least 0 and less than 1, but is 1.5"
    );
    assert_eq!(message(vec![]), "the architecture has no layers");
    let too_large = "layers.0 (Dense) is too large: more than 2147483648 numbers";
    assert_eq!(message(vec![dense(usize::MAX)]), too_large);
    assert_eq!(message(vec![dense(1 << 60)]), too_large);
    let error =
        Network::new(&Architecture { input_shape: vec![1 << 40; 3], layers: vec![dense(1)] }, 0).unwrap_err();
    assert_eq!(error.to_string(), "input_shape is too large: more than 2147483648 numbers");

    let mut network = Network::new(&networks()[0].1, 0).unwrap();
    let (inputs, classes) = examples(3, 1);
    let mut message = |train: InMemory<'_>, loss| {
        network.fit(&train, None, &Training { loss, ..Training::default() }, on).unwrap_err().to_string()
    };
    let sparse = Loss::SparseCategoricalCrossentropy;
    assert_eq!(message(InMemory::classes(&[], &[]), sparse), "training examples: there are none");
    assert_eq!(
        message(InMemory::classes(&inputs[..60], &classes), sparse),
        "training examples: their inputs have 20 numbers, but the network needs shape [20, 6]"
    );
    assert!(message(InMemory::classes(&inputs, &[0, 4, 1]), sparse).contains("example 1: class 4"));
    assert!(message(InMemory::classes(&inputs, &classes), Loss::MeanSquaredError).contains("needs a value"));
    assert!(network.predict(&inputs[..7]).unwrap_err().to_string().contains("whole number of examples"));
}

#[test]
fn weights_are_exported_and_imported_by_name() {
    let network = Network::new(&networks()[0].1, 1).unwrap();
    let mut other = Network::new(&networks()[0].1, 2).unwrap();
    let tensors = network.weights();
    assert_eq!((&*tensors[0].name, &*tensors[0].shape), ("layers.1.kernel", &[120, 600][..]));
    assert_ne!(bits(&network), bits(&other));
    other.set_weights(&tensors).unwrap();
    assert_eq!(bits(&network), bits(&other));

    let architecture = &networks()[0].1;
    assert_eq!(bits(&Network::with_weights(architecture, &tensors).unwrap()), bits(&network));
    let missing = Network::with_weights(architecture, &tensors[1..]).unwrap_err().to_string();
    assert_eq!(missing, "weight layers.1.kernel is missing");

    let wrong = |name: &str, shape: &[usize]| {
        let values = vec![0.0; shape.iter().product()];
        let tensor = Tensor { name: name.into(), shape: shape.to_vec(), values };
        Network::new(&networks()[0].1, 2).unwrap().set_weights(&[tensor]).unwrap_err().to_string()
    };
    assert!(
        wrong("layers.0.kernel", &[1]).starts_with(
            "the network has no weight named layers.0.kernel; its weights are layers.1.kernel, "
        )
    );
    assert_eq!(wrong("layers.1.bias", &[7]), "weight layers.1.bias has shape [600], but was given [7]");
}

#[test]
fn regularisers_are_part_of_the_loss() {
    let (inputs, classes) = examples(8, 1);
    let train = InMemory::classes(&inputs, &classes);
    let with = |regularizer| {
        let dense = Dense { kernel_regularizer: regularizer, ..Dense::new(4, Activation::Softmax) };
        let layers = vec![LayerSpec::Flatten(Default::default()), LayerSpec::Dense(dense)];
        let network = Network::new(&Architecture { input_shape: vec![20, 6], layers }, 1).unwrap();
        let squares: f64 = network.weights()[0].values.iter().map(|&w| f64::from(w).powi(2)).sum();
        (network.evaluate(&train, Loss::default()).unwrap().loss, squares)
    };
    let ((plain, squares), (penalised, _)) = (with(None), with(Some(Regularizer::l2(0.01))));
    assert!((penalised - plain - 0.01 * squares).abs() < 1e-6, "{penalised} {plain} {squares}");
}
