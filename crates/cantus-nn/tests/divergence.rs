//! Training that produces NaN or infinity ends with an error, and leaves finite weights.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::cell::Cell;
use std::ops::ControlFlow;

use cantus_nn::optimizer::Sgd;
use cantus_nn::{
    Architecture, Clipping, Error, Examples, InMemory, Network, Optimizer, Progress, Target, Tensor, Training,
};

const CLASSES: [usize; 40] = [0; 40];

fn architecture(layers: &str) -> Architecture {
    toml::from_str(&format!("input_shape = [6, 5, 1]\nlayers = [{layers}]")).unwrap()
}

/// A layer of each kind in front of a softmax, between layers with weights.
fn networks() -> Vec<Architecture> {
    let image = [
        r#"{ type = "Conv2D", filters = 3, kernel_size = [2, 2], activation = "relu" }, { type = "MaxPool2D" }"#,
        r#"{ type = "Conv2D", filters = 17, kernel_size = [2, 2], activation = "relu" }, { type = "MaxPool2D" }"#,
        r#"{ type = "AveragePool2D" }"#,
        r#"{ type = "GlobalAveragePooling2D" }"#,
        r#"{ type = "BatchNormalization" }"#,
        r#"{ type = "LayerNormalization" }"#,
        r#"{ type = "GaussianNoise", stddev = 0.1 }"#,
        r#"{ type = "Residual", layers = [{ type = "Dense", units = 1, activation = "relu" }] }"#,
    ]
    .map(str::to_owned);
    let activations = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softmax"]
        .map(|activation| format!(r#"{{ type = "Dense", units = 4, activation = "{activation}" }}"#));
    let sequence = [
        r#"{ type = "LSTM", units = 3 }"#,
        r#"{ type = "GRU", units = 3 }"#,
        r#"{ type = "SimpleRNN", units = 3 }"#,
        r#"{ type = "MultiTimescaleLSTM", units = 2, time_scales = [2, 4] }"#,
        r#"{ type = "Bidirectional", layer = { type = "GRU", units = 3 } }"#,
        r#"{ type = "StatisticsPooling1D", scales = [1, 2] }"#,
        r#"{ type = "GlobalAveragePooling1D" }"#,
        r#"{ type = "RandomFourierFeatures", units = 8 }"#,
    ]
    .map(|layer| format!(r#"{{ type = "Reshape", target_shape = [6, 5] }}, {layer}"#));
    let end = r#"{ type = "Flatten" }, { type = "Dense", units = 8, activation = "relu" },
        { type = "Dense", units = 2, activation = "softmax" }"#;
    let all = image.into_iter().chain(activations).chain(sequence);
    all.map(|layers| architecture(&format!("{layers}, {end}"))).collect()
}

fn inputs(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.7).sin()).collect()
}

fn proceed(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn sgd(learning_rate: f32) -> Optimizer {
    Optimizer::Sgd(Sgd { learning_rate, ..Sgd::default() })
}

fn all_finite(tensors: &[Tensor]) -> bool {
    tensors.iter().flat_map(|tensor| &tensor.values).all(|value| value.is_finite())
}

#[test]
fn one_nan_among_the_inputs_ends_the_training_of_every_network() {
    for architecture in networks() {
        let mut inputs = inputs(40 * 30);
        inputs[35 * 30 + 7] = f32::NAN;
        let mut network = Network::new(&architecture, 1).unwrap();
        let before = network.weights();
        let train = InMemory::classes(&inputs, &CLASSES);
        let training = Training { shuffle: false, ..Training::default() };
        let error = network.fit(&train, None, &training, proceed).unwrap_err();
        let expected =
            Error::Diverged { epoch: 0, what: "the training loss", learning_rate: 1e-3, best_epoch: None };
        assert_eq!(error, expected, "{architecture:?}");
        assert_eq!(network.weights(), before);
    }
}

#[test]
fn a_learning_rate_that_is_far_too_high_ends_in_an_error_that_says_what_to_do() {
    for architecture in networks() {
        for clipping in [None, Some(Clipping::GlobalNorm(1e30))] {
            let inputs = inputs(40 * 30);
            let train = InMemory::classes(&inputs, &CLASSES);
            let mut network = Network::new(&architecture, 1).unwrap();
            let training = Training { epochs: 3, optimizer: sgd(1e38), clipping, ..Training::default() };
            let Err(error) = network.fit(&train, Some(&train), &training, proceed) else {
                assert!(all_finite(&network.weights()), "{architecture:?}");
                continue;
            };
            let message = error.to_string();
            assert!(message.starts_with("training diverged in epoch "), "{message}");
            assert!(message.contains("use a smaller learning rate or clip gradients"), "{message}");
            assert_eq!(message.lines().count(), 1);
            assert!(all_finite(&network.weights()), "{architecture:?}");
        }
    }
}

/// Examples with NaN among their inputs in some epoch.
struct WithNan<'a>(InMemory<'a>, usize);

impl Examples for WithNan<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_len(&self) -> usize {
        self.0.input_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.0.write_input(index, epoch, input);
        if epoch == self.1 {
            input[3] = f32::NAN;
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.0.target(index)
    }
}

#[test]
fn the_weights_of_the_best_epoch_before_are_kept() {
    let inputs = inputs(40 * 30);
    let train = InMemory::classes(&inputs, &CLASSES);
    for resumed in [false, true] {
        let mut network = Network::new(&networks()[0], 1).unwrap();
        let (mut kept, mut losses, mut checkpoint) = (Vec::new(), Vec::new(), Vec::new());
        let observe = |progress: Progress<'_>| {
            if let Progress::Epoch(end) = progress {
                losses.push(end.log.train.loss);
                kept.push(end.weights());
                checkpoint = end.checkpoint().unwrap();
            }
            ControlFlow::Continue(())
        };
        // A learning rate at which the loss rises again.
        let training = Training { epochs: 6, optimizer: sgd(1e-2), ..Training::default() };
        let mut error = network.fit(&WithNan(train, 4), None, &training, observe).unwrap_err();
        if resumed {
            error = network.resume(&WithNan(train, 4), None, &training, &checkpoint, proceed).unwrap_err();
        }
        let best = (0..4).min_by(|&a: &usize, &b| losses[a].total_cmp(&losses[b])).unwrap();
        let Error::Diverged { epoch, best_epoch, .. } = error else { panic!("{error}") };
        assert_eq!((epoch, best_epoch), (4, Some(best)));
        assert_eq!(network.weights(), kept[best]);
        assert!(
            error.to_string().ends_with(&format!("the weights of epoch {} are kept", best + 1)),
            "{error}"
        );
    }
}

#[test]
fn a_validation_loss_that_is_not_finite_ends_the_training_too() {
    let (inputs, mut other) = (inputs(40 * 30), inputs(40 * 30));
    other[5] = f32::NAN;
    let (train, validation) = (InMemory::classes(&inputs, &CLASSES), InMemory::classes(&other, &CLASSES));
    let mut network = Network::new(&networks()[0], 1).unwrap();
    let n_reports = Cell::new(0);
    let observe = |_: Progress<'_>| {
        n_reports.set(n_reports.get() + 1);
        ControlFlow::Continue(())
    };
    let error = network.fit(&train, Some(&validation), &Training::default(), observe).unwrap_err();
    assert!(matches!(error, Error::Diverged { what: "the validation loss", .. }), "{error}");
    assert_eq!(n_reports.get(), 0, "an epoch that diverged is not reported");
}

#[test]
fn clipping_does_not_hide_an_infinite_gradient() {
    // d = 2 (p - t) p' overflows where p - t does not.
    let architecture: Architecture = toml::from_str(
        r#"input_shape = [1]
        layers = [{ type = "Dense", units = 1 }]"#,
    )
    .unwrap();
    let inputs = [3e38, 3e38];
    let targets = [3e38, -3e38];
    let train = InMemory::values(&inputs, &targets, 1);
    for clipping in [Clipping::Value(1e-3), Clipping::Norm(1e-3), Clipping::GlobalNorm(1e-3)] {
        let mut network = Network::new(&architecture, 1).unwrap();
        let training = Training {
            loss: cantus_nn::Loss::MeanSquaredError,
            optimizer: sgd(1e-3),
            clipping: Some(clipping),
            ..Training::default()
        };
        let error = network.fit(&train, None, &training, proceed).unwrap_err();
        assert!(matches!(error, Error::Diverged { .. }), "{clipping:?}: {error}");
        assert!(all_finite(&network.weights()));
    }
}

#[test]
fn weights_that_are_not_finite_are_rejected_by_name() {
    let mut network = Network::new(&networks()[0], 1).unwrap();
    let before = network.weights();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut tensors = before.clone();
        tensors[1].values[2] = value;
        let error = network.set_weights(&tensors).unwrap_err();
        let expected = format!("weight {} has a value that is not finite ({value})", tensors[1].name);
        assert_eq!(error.to_string(), expected);
        assert_eq!(network.weights(), before);
        let error = Network::with_weights(network.architecture(), &tensors).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_checkpoint_with_weights_that_are_not_finite_is_rejected() {
    let inputs = inputs(40 * 30);
    let train = InMemory::classes(&inputs, &CLASSES);
    let mut network = Network::new(&networks()[0], 1).unwrap();
    let mut checkpoint = Vec::new();
    let observe = |progress: Progress<'_>| {
        if let Progress::Epoch(end) = progress {
            checkpoint = end.checkpoint().unwrap();
        }
        ControlFlow::Continue(())
    };
    let training = Training { epochs: 2, ..Training::default() };
    network.fit(&train, None, &Training { epochs: 1, ..training.clone() }, observe).unwrap();
    let place = {
        let file = safetensors::SafeTensors::deserialize(&checkpoint).unwrap();
        let tensor = file.tensor("weights.layers.0.kernel").unwrap();
        tensor.data().as_ptr() as usize - checkpoint.as_ptr() as usize
    };
    checkpoint[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = network.resume(&train, None, &training, &checkpoint, proceed).unwrap_err();
    assert!(error.to_string().contains("weights.layers.0.kernel has values that are not finite"), "{error}");
}
