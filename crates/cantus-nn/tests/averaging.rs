//! Averaged weights: what is averaged, what is evaluated and returned, and the statistics of batch normalisation, in a network of the
//! size of the course's, with a column-parallel layer and batches of several shards.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;

use cantus_nn::optimizer::Adam;
use cantus_nn::{
    Architecture, Averaging, Batching, Error, Examples, History, InMemory, Loss, Network, Optimizer,
    Progress, Target, Tensor, Training,
};
use cantus_random::KeyedRng;

const INPUT_LEN: usize = 130 * 13;
const BATCH: usize = 32;
/// The last batch has six.
const N: usize = 70;

fn architecture() -> Architecture {
    toml::from_str(
        r#"
        input_shape = [130, 13, 1]
        layers = [
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "BatchNormalization" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2] },
            { type = "Flatten" },
            { type = "Dense", units = 256 },
            { type = "BatchNormalization" },
            { type = "Dense", units = 4, activation = "softmax" },
        ]"#,
    )
    .unwrap()
}

/// Random inputs of four classes, each with another mean.
fn examples(n: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    let mut rng = KeyedRng::new([seed]);
    let input = |i: usize| (rng.normal() + 0.1 * ((i / INPUT_LEN) % 4) as f64) as f32;
    ((0..n * INPUT_LEN).map(input).collect(), (0..n).map(|i| i % 4).collect())
}

/// In the order of the examples, so that a test can compute the statistics of the batches.
fn training(averaging: Option<Averaging>) -> Training {
    Training {
        epochs: 4,
        optimizer: Optimizer::Adam(Adam { learning_rate: 1e-3, ..Adam::default() }),
        batching: Batching::Mini(BATCH),
        shuffle: false,
        averaging,
        n_threads: 2,
        ..Training::default()
    }
}

fn on(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The weights that are averaged, all but statistics.
fn trained(tensors: Vec<Tensor>) -> Vec<f32> {
    let trained = tensors.into_iter().filter(|tensor| !tensor.name.contains(".moving_"));
    trained.flat_map(|tensor| tensor.values).collect()
}

#[test]
fn averaged_weights_are_evaluated_and_returned_but_not_trained() {
    let ((inputs, classes), (other_inputs, other_classes)) = (examples(N, 7), examples(24, 8));
    let (train, validation) =
        (InMemory::classes(&inputs, &classes), InMemory::classes(&other_inputs, &other_classes));
    let fit = |averaging, keep: &mut Vec<Vec<f32>>| {
        let mut network = Network::new(&architecture(), 1).unwrap();
        let observe = |progress: Progress<'_>| {
            if let Progress::Epoch(end) = progress {
                keep.push(trained(end.weights()));
            }
            ControlFlow::Continue(())
        };
        let history = network.fit(&train, Some(&validation), &training(averaging), observe).unwrap();
        (network, history)
    };
    let (mut plain, mut averaged) = (Vec::new(), Vec::new());
    let (_, plain_history) = fit(None, &mut plain);
    let (network, history) = fit(Some(Averaging::Swa { from_epoch: 2 }), &mut averaged);
    assert_eq!(history.loss, plain_history.loss, "the training itself is another");
    assert_eq!(plain[..2], averaged[..2]);
    for (i, &found) in averaged[3].iter().enumerate() {
        let expected = plain[1..].iter().map(|weights| weights[i]).sum::<f32>() / 3.0;
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{i}: {found}, not {expected}");
    }
    assert_eq!(trained(network.weights()), averaged[3]);
    let loss = network.evaluate(&validation, Loss::default()).unwrap().loss;
    assert_eq!(history.val_loss[3], loss);
    assert_ne!(history.val_loss[3], plain_history.val_loss[3]);
}

/// Checks the statistics of both normalisations of a network against what the layers before them output for these inputs.
fn assert_statistics_are_its_own(network: &Network, inputs: &[f32]) {
    let tensors = network.weights();
    for (layer, exact) in [(1, true), (5, false)] {
        let layers = architecture().layers[..layer].to_vec();
        let before = Architecture { layers, ..architecture() };
        let is_before =
            |tensor: &&Tensor| (0..layer).any(|i| tensor.name.starts_with(&format!("layers.{i}.")));
        let weights: Vec<Tensor> = tensors.iter().filter(is_before).cloned().collect();
        let outputs = Network::with_weights(&before, &weights).unwrap().predict(inputs).unwrap();
        let of = |name: &str| {
            let name = format!("layers.{layer}.{name}");
            &tensors.iter().find(|tensor| tensor.name == name).unwrap().values
        };
        let (means, variances) = (of("moving_mean"), of("moving_variance"));
        let n_channels = means.len();
        for channel in 0..n_channels {
            let moments: Vec<(f64, f64, f64)> = outputs
                .chunks(BATCH * outputs.len() / (inputs.len() / INPUT_LEN))
                .map(|batch| moments(batch.iter().skip(channel).step_by(n_channels)))
                .collect();
            let n: f64 = moments.iter().map(|(n, ..)| n).sum();
            let mean = moments.iter().map(|(n, mean, _)| n * mean).sum::<f64>() / n;
            let variance = moments.iter().map(|(n, _, variance)| n * variance).sum::<f64>() / n;
            // Behind another normalisation the inputs differ: in the pass it used the statistics of its batch.
            let share = if exact { 1e-4 } else { 0.1 };
            let apart = (f64::from(means[channel]) - mean).abs() / variance.sqrt();
            assert!(apart <= share, "layer {layer}, channel {channel}: mean {} not {mean}", means[channel]);
            let ratio = f64::from(variances[channel]) / variance;
            assert!((ratio - 1.0).abs() <= 2.0 * share, "layer {layer}, channel {channel}: {ratio}");
        }
    }
}

/// Number, mean and variance.
fn moments<'a>(values: impl Iterator<Item = &'a f32>) -> (f64, f64, f64) {
    let values: Vec<f64> = values.map(|&x| f64::from(x)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (n, mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn statistics_of_averaged_weights_are_those_of_the_averaged_network_with_any_number_of_threads() {
    let (inputs, classes) = examples(N, 3);
    let train = InMemory::classes(&inputs, &classes);
    let averaging = Some(Averaging::Ema { decay: 0.7 });
    let fit = |n_threads| {
        let mut network = Network::new(&architecture(), 1).unwrap();
        network.fit(&train, None, &Training { n_threads, ..training(averaging) }, on).unwrap();
        network
    };
    let network = fit(1);
    assert_statistics_are_its_own(&network, &inputs);
    for n_threads in [2, 3] {
        assert!(fit(n_threads).weights() == network.weights(), "{n_threads} threads");
    }
}

/// Examples that become NaN in the last epoch.
struct Failing<'a>(InMemory<'a>);

impl Examples for Failing<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_len(&self) -> usize {
        self.0.input_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.0.write_input(index, epoch, input);
        if epoch == 3 {
            input.fill(f32::NAN);
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.0.target(index)
    }
}

#[test]
fn the_best_epoch_before_divergence_has_its_own_statistics_too() {
    let (inputs, classes) = examples(N, 3);
    let train = Failing(InMemory::classes(&inputs, &classes));
    let mut network = Network::new(&architecture(), 1).unwrap();
    let found: Result<History, Error> =
        network.fit(&train, None, &training(Some(Averaging::Ema { decay: 0.7 })), on);
    assert!(matches!(found, Err(Error::Diverged { epoch: 3, best_epoch: Some(_), .. })), "{found:?}");
    assert_statistics_are_its_own(&network, &inputs);
}
