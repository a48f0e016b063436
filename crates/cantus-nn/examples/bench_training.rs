//! One measurement for `bench/training`, through the ordinary API, in a process of its own.
//!
//! Takes JSON: architecture, batch, steps, epochs, threads, and inference (whether to measure inference too). Prints JSON: ms per step, peak
//! memory in MB after training, ms for the inference of one example, examples per second in batches of 256.

#![expect(clippy::print_stdout, reason = "the result is the output of the program")]

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use cantus_nn::{Architecture, Batching, InMemory, Network, Progress, Training};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Benchmark {
    architecture: Architecture,
    /// Examples per step.
    batch: usize,
    /// Steps per epoch.
    steps: usize,
    /// Measured epochs, after one for warm-up.
    epochs: usize,
    threads: usize,
    inference: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let task: Benchmark = serde_json::from_str(&std::env::args().nth(1).ok_or("expected a JSON argument")?)?;
    let mut network = Network::new(&task.architecture, 1)?;
    let mut result = json!({ "step": ms_per_step(&task, &mut network)?, "memory": peak_memory()? });
    if task.inference {
        let one = numbers(network.input_shape().iter().product());
        let many = numbers(256 * one.len());
        result["single"] = json!(1e3 * seconds(200, || network.predict(&one))?);
        result["batch256"] = json!(256.0 / seconds(20, || network.predict(&many))?);
    }
    println!("{result}");
    Ok(())
}

/// Median over the epochs.
fn ms_per_step(task: &Benchmark, network: &mut Network) -> Result<f64, Box<dyn Error>> {
    let n_examples = task.steps * task.batch;
    let inputs = numbers(n_examples * network.input_shape().iter().product::<usize>());
    let classes: Vec<usize> = (0..n_examples).map(|i| i % 10).collect();
    let train = InMemory::classes(&inputs, &classes);
    let training = Training {
        epochs: 1 + task.epochs,
        batching: Batching::Mini(task.batch),
        n_threads: task.threads,
        ..Training::default()
    };
    let (mut times, mut last) = (Vec::new(), Instant::now());
    let watch = |progress: Progress<'_>| {
        if let Progress::Epoch(_) = progress {
            times.push(last.elapsed().as_secs_f64());
            last = Instant::now();
        }
        ControlFlow::Continue(())
    };
    network.fit(&train, None, &training, watch)?;
    Ok(1e3 * median(times.split_off(1)) / task.steps as f64)
}

/// Of `n` calls, after a tenth as many.
fn seconds<T, E>(n: usize, call: impl Fn() -> Result<T, E>) -> Result<f64, E> {
    let mut times = Vec::new();
    for i in 0..n + n / 10 {
        let start = Instant::now();
        call()?;
        if i >= n / 10 {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
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

/// The most memory this process ever had, in MB.
fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
