//! Tests of averaged networks, against the networks themselves.

use std::ops::ControlFlow;

use super::*;
use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::examples::InMemory;
use crate::layer::{Dense, Residual, TimeDistributed};
use crate::network::Network;
use crate::tensor::Tensor;
use crate::testing::{assert_close, noise, run_forward};
use crate::train::Training;

/// A convolutional network on some bins, a kernel machine on others, and a small convolutional network on all, of 143 frames of 159 bins: of
/// the first, one example at once fits into the cache, of the last, 3.
const REAL_SIZE: &str = r#"branches = [
    { bins = [[60, 124]], layers = [
        { type = "Reshape", target_shape = [143, 64, 1] },
        { type = "Conv2D", filters = 8, kernel_size = [3, 3], activation = "relu" },
        { type = "MaxPool2D" },
        { type = "BatchNormalization" },
        { type = "Dropout", rate = 0.3 },
        { type = "GlobalAveragePooling2D" },
        { type = "Dense", units = 10, activation = "softmax" },
    ] },
    { bins = [[124, 159], [0, 24]], layers = [
        { type = "StatisticsPooling1D", scales = [1, 4, 16], logarithm = true },
        { type = "Flatten" },
        { type = "BatchNormalization" },
        { type = "RandomFourierFeatures", units = 400, groups = [175, 120] },
        { type = "Dense", units = 10, activation = "softmax" },
    ] },
    { layers = [
        { type = "Reshape", target_shape = [143, 159, 1] },
        { type = "Conv2D", filters = 3, kernel_size = [3, 3], strides = [2, 2], activation = "gelu" },
        { type = "GlobalAveragePooling2D" },
        { type = "Dense", units = 10, activation = "softmax" },
    ] },
]"#;
const FRAMES: usize = 143;
const BINS: usize = 159;

fn network(input_shape: &[usize], layers: Vec<LayerSpec>) -> Network {
    Network::new(&Architecture { input_shape: input_shape.to_vec(), layers }, 3).unwrap()
}

/// The network of an [`Average`], with moving statistics, scales and biases other than their initial values.
fn trained(average: &Average) -> Network {
    let mut network = network(&[FRAMES, BINS], vec![LayerSpec::Average(average.clone())]);
    let changed = network.weights().into_iter().zip(0..).map(|(tensor, seed)| {
        let values = match tensor.name.rsplit('.').next() {
            Some("kernel") => return tensor,
            Some("gamma" | "moving_variance") => {
                noise(tensor.values.len(), seed).iter().map(|x| 1.5 + x).collect()
            }
            _ => noise(tensor.values.len(), seed),
        };
        Tensor { values, ..tensor }
    });
    let changed: Vec<Tensor> = changed.collect();
    network.set_weights(&changed).unwrap();
    network
}

/// The outputs of a branch as a network of its own.
fn alone(whole: &Network, average: &Average, b: usize, x: &[f32]) -> Vec<f32> {
    let branch = &average.branches[b];
    let bins = branch.bins.iter().flat_map(|&[start, end]| start..end);
    let bins: Vec<usize> = if branch.bins.is_empty() { (0..BINS).collect() } else { bins.collect() };
    let x: Vec<f32> = x.chunks(BINS).flat_map(|row| bins.iter().map(|&bin| row[bin])).collect();
    let own = |tensor: Tensor| {
        let name = tensor.name.strip_prefix(&format!("layers.0.branches.{b}."))?.to_owned();
        Some(Tensor { name, ..tensor })
    };
    let tensors: Vec<Tensor> = whole.weights().into_iter().filter_map(own).collect();
    let architecture = Architecture { input_shape: vec![FRAMES, bins.len()], layers: branch.layers.clone() };
    Network::with_weights(&architecture, &tensors).unwrap().predict(&x).unwrap()
}

#[test]
fn the_output_is_the_mean_of_the_networks_on_any_number_of_threads() {
    let average: Average = toml::from_str(REAL_SIZE).unwrap();
    let mut whole = trained(&average);
    for n in [1, 2, 70] {
        let x = noise(n * FRAMES * BINS, 5);
        let [first, second, third] = [0, 1, 2].map(|b| alone(&whole, &average, b, &x));
        for other in [&second, &third] {
            assert!(first.iter().zip(other).any(|(a, b)| (a - b).abs() > 0.05), "the branches are alike");
        }
        let mean: Vec<f32> = (0..n * 10).map(|i| (first[i] + second[i] + third[i]) / 3.0).collect();
        for n_threads in 1..=3 {
            whole.set_threads(n_threads);
            assert_eq!(whole.predict(&x).unwrap(), mean, "{n} examples, {n_threads} threads");
        }
    }
}

#[test]
fn weights_are_named_by_branch_and_layer_and_not_trained() {
    let whole = trained(&toml::from_str(REAL_SIZE).unwrap());
    let names: Vec<String> = whole.weights().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(names[0], "layers.0.branches.0.layers.1.kernel");
    assert_eq!(names[names.len() - 1], "layers.0.branches.2.layers.3.bias");
    assert!(whole.summary().contains("Trainable params: 0 "), "{}", whole.summary());
}

fn branch(bins: &[[usize; 2]], layers: &[LayerSpec]) -> Branch {
    Branch { bins: bins.to_vec(), layers: layers.to_vec() }
}

fn average(branches: &[Branch]) -> LayerSpec {
    LayerSpec::Average(Average { branches: branches.to_vec() })
}

fn flatten() -> LayerSpec {
    LayerSpec::Flatten(Default::default())
}

fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense(Dense::new(units, Activation::Linear))
}

#[test]
fn bins_are_read_in_their_order_and_all_if_there_are_none() {
    let x: Vec<f32> = (0..16).map(|i| i as f32).collect();
    let reordered = average(&[branch(&[[3, 4], [0, 2]], &[flatten()])]);
    let expected = [3.0, 0.0, 1.0, 7.0, 4.0, 5.0, 11.0, 8.0, 9.0, 15.0, 12.0, 13.0];
    assert_close(&run_forward(&reordered, &[2, 4], &[], &x), &expected, 0.0);
    let both = [branch(&[], &[flatten()]), branch(&[[2, 4], [0, 2]], &[flatten()])];
    let expected: Vec<f32> = x.chunks(4).flat_map(|row| [row[1], row[2]].repeat(2)).collect();
    assert_close(&run_forward(&average(&both), &[2, 4], &[], &x), &expected, 0.0);
}

#[test]
fn the_branches_of_a_branch_are_averaged_first() {
    let inner = average(&[branch(&[[0, 1]], &[dense(1)]), branch(&[[1, 2]], &[dense(1)])]);
    let spec = average(&[branch(&[], &[inner]), branch(&[], &[dense(1)])]);
    let weights = [2.0, 1.0, 4.0, 0.0, 8.0, 16.0, 3.0];
    let y = run_forward(&spec, &[2], &weights, &[1.0, 10.0]);
    assert_close(&y, &[((3.0 + 40.0) / 2.0 + 171.0) / 2.0], 1e-6);
}

#[test]
fn branches_that_do_not_fit_are_rejected() {
    let message = |branches: &[Branch]| average(branches).build(&[5, 4], "layers.3").unwrap_err().to_string();
    assert_eq!(message(&[]), "layers.3 (Average): branches must be at least 1, but is 0");
    let whole = branch(&[], &[flatten()]);
    assert_eq!(
        message(&[whole.clone(), branch(&[], &[])]),
        "layers.3.branches.1 (Average): layers must be at least 1, but is 0"
    );
    assert_eq!(
        message(&[branch(&[[0, 2], [3, 3]], &[flatten()])]),
        "layers.3.branches.0 (Average): bins must be a range of at least one bin, but is [3, 3]"
    );
    assert_eq!(
        message(&[branch(&[[2, 5]], &[flatten()])]),
        "layers.3.branches.0 (Average) needs bins 2 to 5 in its last axis, but its input has shape [5, 4]"
    );
    assert_eq!(
        message(&[whole.clone(), branch(&[[0, 3]], &[flatten()])]),
        "layers.3 (Average): output shape must be the same for all branches, but is [20] of branches.0 and [15] of branches.1"
    );
    let sequence = LayerSpec::GlobalAveragePooling1D(Default::default());
    let inner = message(&[whole, branch(&[], &[flatten(), sequence])]);
    assert!(inner.starts_with("layers.3.branches.1.layers.1 (GlobalAveragePooling1D) needs"), "{inner}");
}

#[test]
fn blocks_that_are_trained_reject_it() {
    let spec = || average(&[branch(&[], &[dense(4)])]);
    let message = |spec: LayerSpec| spec.build(&[5, 4], "layers.0").unwrap_err().to_string();
    assert_eq!(
        message(LayerSpec::Residual(Residual { layers: vec![spec()] })),
        "layers.0 (Residual): layers must be layers that can be trained, but is Average"
    );
    assert_eq!(
        message(LayerSpec::TimeDistributed(TimeDistributed { layer: Box::new(spec()) })),
        "layers.0 (TimeDistributed): layer must be a layer that can be trained, but is Average"
    );
}

#[test]
fn training_is_refused_and_changes_nothing() {
    let spec = average(&[branch(&[[0, 2]], &[dense(3)]), branch(&[], &[dense(3)])]);
    let mut network = network(&[4], vec![dense(4), spec, dense(2)]);
    let (inputs, before) = (noise(4 * 4, 1), network.weights());
    let examples = InMemory::classes(&inputs, &[0, 1, 1, 0]);
    let training = Training { layer_rates: vec![0.5, 0.0], ..Training::default() };
    let error = network.fit(&examples, None, &training, |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layers.1 (Average) averages networks that were trained separately: it cannot be trained"
    );
    assert_eq!(network.weights(), before);
    assert!(network.model.layers.iter().all(|built| built.learning_rate_factor == 1.0));
    let imported = network.import_weights(&[]).unwrap_err().to_string();
    assert!(imported.contains("import the weights of each network before they are averaged"), "{imported}");
}
