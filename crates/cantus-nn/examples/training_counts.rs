//! Trains and predicts for `bench/counts.py`, which counts the instructions of one step or one prediction.
//!
//! Takes JSON: architecture, batch, and the numbers of steps and of predictions of one example. Runs on one thread, since counts of
//! several are not reproducible, and prints nothing.

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;

use cantus_nn::{Architecture, Batching, InMemory, Network, Training};
use serde::Deserialize;

#[derive(Deserialize)]
struct Task {
    architecture: Architecture,
    /// Examples per step.
    batch: usize,
    n_steps: usize,
    n_predictions: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let task: Task = serde_json::from_str(&std::env::args().nth(1).ok_or("expected a JSON argument")?)?;
    let mut network = Network::new(&task.architecture, 1)?;
    let input_len: usize = network.input_shape().iter().product();
    if task.n_steps > 0 {
        let n_examples = task.n_steps * task.batch;
        let inputs = numbers(n_examples * input_len);
        let classes: Vec<usize> = (0..n_examples).map(|i| i % 10).collect();
        let training =
            Training { epochs: 1, batching: Batching::Mini(task.batch), n_threads: 1, ..Training::default() };
        network.fit(&InMemory::classes(&inputs, &classes), None, &training, |_| ControlFlow::Continue(()))?;
    }
    let input = numbers(input_len);
    for _ in 0..task.n_predictions {
        black_box(network.predict(black_box(&input))?);
    }
    Ok(())
}

/// Pseudorandom numbers in [-1.7, 1.7) with variance 1.
fn numbers(n: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * 12.0_f32.sqrt()
    };
    (0..n).map(|_| next()).collect()
}
