//! Networks of real size have the same weights, to the last bit, whether they are trained with AVX2 or AVX-512.
//!
//! The instruction set is fixed for a process, so every training runs in one of its own.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;
use std::process::Command;

use cantus_nn::{Architecture, InMemory, Network, Progress, Training};
use cantus_random::KeyedRng;
use cantus_simd::InstructionSet;

/// Names the network that a process of this test trains.
const NETWORK: &str = "CANTUS_TEST_NETWORK";

/// The networks of the lecture course, with other layers added, for examples of shape [130, 13].
const NETWORKS: [(&str, &str); 4] = [
    (
        "perceptron",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Flatten" },
            { type = "Dense", units = 512, activation = "relu", kernel_regularizer = { l2 = 1e-3 } },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 256, activation = "gelu" },
            { type = "Dense", units = 64, activation = "silu" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "convolutional",
        r#"input_shape = [130, 13, 1]
        layers = [
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [2, 2], activation = "relu" },
            { type = "Flatten" },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "recurrent",
        r#"input_shape = [130, 13]
        layers = [
            { type = "LSTM", units = 64, return_sequences = true },
            { type = "GRU", units = 64, return_sequences = true },
            { type = "SimpleRNN", units = 24 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "kernel machine",
        r#"input_shape = [130, 13]
        layers = [
            { type = "StatisticsPooling1D", scales = [1, 4, 16], logarithm = true },
            { type = "Flatten" },
            { type = "BatchNormalization" },
            { type = "RandomFourierFeatures", units = 2000 },
            { type = "LayerNormalization" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
];

/// FNV-1a of the bits of all weights after three steps.
fn hash_of_trained(architecture: &str) -> u64 {
    let architecture: Architecture = toml::from_str(architecture).unwrap();
    let mut network = Network::new(&architecture, 3).unwrap();
    let mut rng = KeyedRng::new([1]);
    let inputs: Vec<f32> = (0..80 * 130 * 13).map(|_| (2.0 * rng.uniform() - 1.0) as f32).collect();
    let classes: Vec<usize> = (0..80).map(|i| i % 10).collect();
    let training = Training { epochs: 1, ..Training::default() };
    let on = |_: Progress<'_>| ControlFlow::Continue(());
    network.fit(&InMemory::classes(&inputs, &classes), None, &training, on).unwrap();
    let weights = network.weights();
    let bits = weights.iter().flat_map(|tensor| tensor.values.iter().map(|w| w.to_bits()));
    bits.fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn avx2_and_avx512_train_the_same_weights() {
    if let Ok(name) = std::env::var(NETWORK) {
        let (_, architecture) = NETWORKS.into_iter().find(|(found, _)| *found == name).unwrap();
        println!("\nhash {:016x}", hash_of_trained(architecture));
        return;
    }
    if InstructionSet::of_processor() < InstructionSet::Avx512 {
        println!("skipped: this processor has no AVX-512");
        return;
    }
    for (name, _) in NETWORKS {
        let [avx2, avx512] = [InstructionSet::Avx2, InstructionSet::Avx512].map(|set| {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "avx2_and_avx512_train_the_same_weights", "--nocapture"])
                .env(NETWORK, name)
                .env(cantus_simd::VARIABLE, set.name())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let hash = text.lines().find_map(|line| line.strip_prefix("hash "));
            hash.unwrap_or_else(|| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr))).to_owned()
        });
        assert_eq!(avx2, avx512, "{name}");
    }
}
