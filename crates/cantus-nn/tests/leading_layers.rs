//! Fixed layers at the start of a network are computed once for each example, without changing a bit of the training.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;

use cantus_nn::{
    Architecture, Averaging, Batching, Clipping, EarlyStopping, Examples, History, InMemory, Network,
    Optimizer, Progress, Target, Training, optimizer::AdamW,
};
use cantus_random::KeyedRng;

/// Examples that do not declare that their inputs are the same in every epoch, so that nothing is computed once.
struct Varying<'a>(InMemory<'a>);

impl Examples for Varying<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_len(&self) -> usize {
        self.0.input_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.0.write_input(index, epoch, input);
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.0.target(index)
    }
}

/// Each example has two views, its first and its second half; training reads the first.
struct Halves<'a>(InMemory<'a>);

impl Examples for Halves<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_len(&self) -> usize {
        self.0.input_len() / 2
    }

    fn write_input(&self, index: usize, _: usize, input: &mut [f32]) {
        self.write_view(index, 0, input);
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

/// `n` random numbers in [-1, 1).
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = KeyedRng::new([seed]);
    (0..n).map(|_| (2.0 * rng.uniform() - 1.0) as f32).collect()
}

/// The network of the recipe `best`, for 59 coefficients in 431 frames.
const BEST: &str = r#"input_shape = [431, 59]
    layers = [
        { type = "StatisticsPooling1D", scales = [1, 4, 16, 64], logarithm = true },
        { type = "Flatten" },
        { type = "BatchNormalization", momentum = 0.95 },
        { type = "RandomFourierFeatures", kernel = "laplacian", units = 4000, groups = [240, 36, 72, 6] },
        { type = "Dense", units = 4, activation = "softmax" },
    ]"#;

/// Networks with other layers behind the fixed ones: random ones, a batch reduction, several stages.
const OTHERS: [&str; 3] = [
    r#"input_shape = [40, 9]
    layers = [
        { type = "StatisticsPooling1D", scales = [1, 2] },
        { type = "Dropout", rate = 0.2 },
        { type = "LSTM", units = 12 },
        { type = "Dense", units = 520, activation = "relu" },
        { type = "GaussianNoise", stddev = 0.1 },
        { type = "Dense", units = 4, activation = "softmax" },
    ]"#,
    r#"input_shape = [40, 18]
    layers = [
        { type = "Reshape", target_shape = [40, 18, 1] },
        { type = "Activation", activation = "relu" },
        { type = "MaxPool2D" },
        { type = "Conv2D", filters = 8, kernel_size = [3, 3], activation = "relu" },
        { type = "MaxPool2D" },
        { type = "BatchNormalization" },
        { type = "Flatten" },
        { type = "Dense", units = 4, activation = "softmax" },
    ]"#,
    r#"input_shape = [30, 700]
    layers = [
        { type = "GlobalAveragePooling1D" },
        { type = "Dense", units = 4 },
        { type = "Activation", activation = "softmax" },
    ]"#,
];

/// What a training leaves: weights, checkpoint of the last epoch, and history.
type Outcome = (Vec<u32>, Vec<u8>, History);

fn fit(
    architecture: &Architecture,
    train: &dyn Examples,
    validation: &dyn Examples,
    training: &Training,
) -> Outcome {
    let mut network = Network::new(architecture, 3).unwrap();
    let mut checkpoint = Vec::new();
    let keep = |progress: Progress<'_>| {
        if let Progress::Epoch(end) = progress {
            checkpoint = end.checkpoint().unwrap();
        }
        ControlFlow::Continue(())
    };
    let history = network.fit(train, Some(validation), training, keep).unwrap();
    // The whole network, in which nothing is computed once.
    let scores = network.evaluate(validation, training.loss).unwrap();
    assert_eq!(history.val_loss.last(), Some(&scores.loss));
    let weights = network.weights();
    (
        weights.iter().flat_map(|tensor| tensor.values.iter().map(|w| w.to_bits())).collect(),
        checkpoint,
        history,
    )
}

#[test]
fn a_training_that_computes_fixed_layers_once_has_the_bits_of_one_that_does_not() {
    for (number, text) in std::iter::once(BEST).chain(OTHERS).enumerate() {
        let architecture: Architecture = toml::from_str(text).unwrap();
        let input_len: usize = architecture.input_shape.iter().product();
        let n = if number == 0 { 150 } else { 70 };
        let (inputs, classes) = (noise(n * input_len, 5), (0..n).map(|i| i % 4).collect::<Vec<_>>());
        let halves = noise(2 * 37 * input_len, 6);
        let (train, validation) =
            (InMemory::classes(&inputs, &classes), InMemory::classes(&halves, &classes[..37]));
        for (batching, clipping) in [
            (Batching::Mini(64), None),
            (Batching::Mini(33), Some(Clipping::GlobalNorm(0.5))),
            (Batching::Full, None),
        ] {
            let training = |n_threads| Training {
                epochs: 3,
                batching,
                clipping,
                optimizer: Optimizer::AdamW(AdamW::default()),
                n_threads,
                ..Training::default()
            };
            let expected = fit(&architecture, &Varying(train), &Halves(validation), &training(1));
            for n_threads in 1..=3 {
                let found = fit(&architecture, &train, &Halves(validation), &training(n_threads));
                assert!(found == expected, "{text} with {batching:?} on {n_threads} threads");
            }
        }
    }
}

#[test]
fn a_training_that_computes_fixed_layers_once_resumes_one_that_does_not() {
    let architecture: Architecture = toml::from_str(OTHERS[0]).unwrap();
    let (inputs, classes) = (noise(50 * 360, 7), (0..50).map(|i| i % 4).collect::<Vec<_>>());
    let train = InMemory::classes(&inputs, &classes);
    let training = Training {
        epochs: 7,
        averaging: Some(Averaging::Ema { decay: 0.7 }),
        early_stopping: Some(EarlyStopping { patience: 3, ..EarlyStopping::default() }),
        ..Training::default()
    };
    let mut whole = Network::new(&architecture, 6).unwrap();
    let mut checkpoint = Vec::new();
    let keep = |progress: Progress<'_>| {
        if let Progress::Epoch(end) = progress
            && end.epoch == 2
        {
            checkpoint = end.checkpoint().unwrap();
        }
        ControlFlow::Continue(())
    };
    let history = whole.fit(&Varying(train), None, &training, keep).unwrap();
    let mut resumed = Network::new(&architecture, 0).unwrap();
    let found = resumed.resume(&train, None, &training, &checkpoint, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(found, history);
    assert!(resumed.weights() == whole.weights());
}
