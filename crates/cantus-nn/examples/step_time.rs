//! How long a training step takes: the course's models, batches of 32, Adam.
//!
//!     cargo run --release -p cantus-nn --example step_time [MODEL [N_THREADS [BATCH_SIZE]]]
//!
//! With a number of threads, trains only, so that a profiler sees nothing else. Otherwise prints, for each
//! model, ms per step (median and fastest epoch) on one thread and on two, and ms to answer one example.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement to look at")]

use std::ops::ControlFlow;
use std::time::Instant;

use cantus_nn::{Architecture, Batching, InMemory, Network, Progress, Training};

const MODELS: [(&str, &str); 5] = [
    (
        "MLP",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Flatten" },
            { type = "Dense", units = 512, activation = "relu" },
            { type = "Dense", units = 256, activation = "relu" },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "MLP+L2+dropout",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Flatten" },
            { type = "Dense", units = 512, activation = "relu", kernel_regularizer = { l2 = 0.001 } },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 256, activation = "relu", kernel_regularizer = { l2 = 0.001 } },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 64, activation = "relu", kernel_regularizer = { l2 = 0.001 } },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "CNN",
        r#"input_shape = [130, 13, 1]
        layers = [
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [2, 2], activation = "relu" },
            { type = "MaxPool2D", pool_size = [2, 2], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Flatten" },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "LSTM",
        r#"input_shape = [130, 13]
        layers = [
            { type = "LSTM", units = 64, return_sequences = true },
            { type = "LSTM", units = 64 },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "GRU",
        r#"input_shape = [130, 13]
        layers = [
            { type = "GRU", units = 64, return_sequences = true },
            { type = "GRU", units = 64 },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
];

const N_EXAMPLES: usize = 32 * 40;
const INPUT_LEN: usize = 130 * 13;
const EPOCHS: usize = 12;

fn main() {
    let only = std::env::args().nth(1);
    let inputs: Vec<f32> =
        (0..N_EXAMPLES * INPUT_LEN).map(|i| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    let classes: Vec<usize> = (0..N_EXAMPLES).map(|i| i % 10).collect();
    if std::env::args().len() < 3 {
        println!("{:16} {:>17} {:>17} {:>17}", "median (least)", "1 thread", "2 threads", "one example");
    }
    for (name, architecture) in
        MODELS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
    {
        let Ok(architecture) = toml::from_str(architecture) else {
            println!("{name:16} has layers that are unknown");
            continue;
        };
        let train = InMemory::classes(&inputs, &classes);
        let batch_size = std::env::args().nth(3).map_or(32, |size| size.parse().unwrap());
        if let Some(n_threads) = std::env::args().nth(2) {
            let (median, least) = ms_per_step(&architecture, &train, n_threads.parse().unwrap(), batch_size);
            println!("{name:16} {median:8.3} ({least:.3})");
            continue;
        }
        let [one, two] = [1, 2].map(|n_threads| ms_per_step(&architecture, &train, n_threads, batch_size));
        let answer = ms_to_predict(&architecture, &inputs[..INPUT_LEN]);
        let cells = [one, two, answer].map(|(median, least)| format!("{median:8.3} ({least:.3})"));
        println!("{name:16} {:>17} {:>17} {:>17}", cells[0], cells[1], cells[2]);
    }
}

fn ms_per_step(
    architecture: &Architecture,
    train: &InMemory<'_>,
    n_threads: usize,
    batch_size: usize,
) -> (f64, f64) {
    let mut network = Network::new(architecture, 0).unwrap();
    let training =
        Training { epochs: EPOCHS, n_threads, batching: Batching::Mini(batch_size), ..Training::default() };
    let mut times = Vec::new();
    let mut last = Instant::now();
    let watch = |progress: Progress<'_>| {
        if let Progress::Epoch(_) = progress {
            times.push(last.elapsed().as_secs_f64() * 1e3 / N_EXAMPLES.div_ceil(batch_size) as f64);
            last = Instant::now();
        }
        ControlFlow::Continue(())
    };
    network.fit(train, None, &training, watch).unwrap();
    spread(times)
}

fn ms_to_predict(architecture: &Architecture, input: &[f32]) -> (f64, f64) {
    let network = Network::new(architecture, 0).unwrap();
    let time_one = |_| {
        let start = Instant::now();
        network.predict(input).unwrap();
        start.elapsed().as_secs_f64() * 1e3
    };
    spread((0..300).map(time_one).collect())
}

/// Median and least: on a machine that has other work to do, the least is nearer to what the work takes.
fn spread(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0])
}
