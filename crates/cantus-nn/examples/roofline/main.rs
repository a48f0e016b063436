//! Measures the limits of this machine: floating-point peak in registers, and the bandwidth of each cache and of memory.
//!
//! `roofline [THREADS]`, THREADS being numbers with commas (1,2), prints JSON. The environment variable `CANTUS_ISA`
//! (`avx512`, `avx2`, `baseline`; on AArch64 `neon`) selects the instruction set; without it, the best that the processor has.
//!
//! - `fma_gflops`: fused multiply-adds of independent sums that stay in registers, two operations for each number; in the
//!   baseline of x86-64, which has none, a multiplication and an addition.
//! - `read`, `write`, `update`: GB/s over a range of addresses, half as long as the cache holds, or four times as long as all
//!   caches for memory; `update` reads and writes every number in place, and both directions count.
//!
//! The largest of several rounds is printed: other programs only make a round slower.
//!
//! Source of the model: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model".

#![expect(clippy::print_stdout, reason = "the result is the output of the program")]

mod kernels;
mod machine;

use std::error::Error;
use std::sync::Barrier;
use std::time::Instant;

use kernels::{Access, Kernels};
use machine::{Cache, caches};
use serde_json::{Value, json};

/// Rounds of which the best counts; short ones, of which some are not interrupted on a busy machine.
const ROUNDS: usize = 30;
/// Fused multiply-adds of vectors in a round, for each sum: some 3 ms.
const FMA_STEPS: usize = 1_000_000;
/// Bytes that a round reads at least, on each thread: some 2 ms from a cache.
const BYTES_PER_ROUND: usize = 1 << 29;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Memory is measured with at least as many bytes, whatever the caches are said to hold.
const MIN_MEMORY: usize = 1 << 28;

fn main() -> Result<(), Box<dyn Error>> {
    let kernels = Kernels::of_environment()?;
    let caches = caches();
    let argument = std::env::args().nth(1).unwrap_or_else(|| "1".into());
    let mut threads = serde_json::Map::new();
    for n_threads in argument.split(',') {
        let n_threads: usize = n_threads.parse()?;
        if n_threads == 0 {
            return Err("a number of threads is 0".into());
        }
        threads.insert(n_threads.to_string(), measure(kernels, &caches, n_threads));
    }
    println!("{}", json!({ "isa": kernels.isa, "caches": caches, "threads": threads }));
    Ok(())
}

/// All measurements on one number of threads.
fn measure(kernels: Kernels, caches: &[Cache], n_threads: usize) -> Value {
    let flops = best(n_threads, || (), |()| (kernels.fma)(FMA_STEPS));
    let mut levels: Vec<Value> = caches
        .iter()
        .map(|cache| level(kernels, &cache.name(), cache.capacity(n_threads), n_threads))
        .collect();
    let largest = caches.iter().map(|cache| cache.capacity(n_threads)).max().unwrap_or(0);
    let memory = bandwidths(kernels, (4 * largest).max(MIN_MEMORY), n_threads);
    levels.push(json!({ "level": "memory", "capacity": null, "gb_per_s": memory }));
    json!({ "fma_gflops": rounded(flops / 1e9), "levels": levels })
}

fn level(kernels: Kernels, name: &str, capacity: usize, n_threads: usize) -> Value {
    json!({ "level": name, "capacity": capacity, "gb_per_s": bandwidths(kernels, capacity / 2, n_threads) })
}

/// GB/s of each kind of access to `n_bytes`, divided among the threads.
fn bandwidths(kernels: Kernels, n_bytes: usize, n_threads: usize) -> Value {
    // A multiple of what a kernel accesses at once.
    let n = (n_bytes / n_threads / 4).next_multiple_of(kernels::STRIDE);
    let repeats = (BYTES_PER_ROUND / (4 * n)).max(1);
    let kinds: [(&str, Access, usize); 3] =
        [("read", kernels.read, 1), ("write", kernels.write, 1), ("update", kernels.update, 2)];
    let of_kind = |(name, access, directions): (&str, Access, usize)| {
        let run = |values: &mut Vec<f32>| {
            // From the start of a cache line, or every second vector would be in two.
            let start = values.as_ptr().align_offset(LINE);
            let values = &mut values[start..start + n];
            (0..repeats).for_each(|_| access(values));
            (4 * n * directions * repeats) as f64
        };
        (name.to_owned(), json!(rounded(best(n_threads, || vec![1.0; n + LINE], run) / 1e9)))
    };
    Value::Object(kinds.into_iter().map(of_kind).collect())
}

/// The largest quantity per second of a round, from the start of the first thread to the end of the last; `run` returns the
/// quantity of one thread. Round 0 is not counted.
fn best<T>(n_threads: usize, prepare: impl Fn() -> T + Sync, run: impl Fn(&mut T) -> f64 + Sync) -> f64 {
    let barrier = Barrier::new(n_threads);
    let rounds: Vec<Vec<(Instant, f64, Instant)>> = std::thread::scope(|scope| {
        let one = |_| {
            let (prepare, run, barrier) = (&prepare, &run, &barrier);
            scope.spawn(move || {
                let mut state = prepare();
                let round = |_| {
                    barrier.wait();
                    let start = Instant::now();
                    (start, run(&mut state), Instant::now())
                };
                (0..=ROUNDS).map(round).collect()
            })
        };
        let threads: Vec<_> = (0..n_threads).map(one).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let rate = |round: usize| {
        let of_round = || rounds.iter().filter_map(move |of_thread| of_thread.get(round));
        let seconds = of_round().map(|times| times.2).max()? - of_round().map(|times| times.0).min()?;
        Some(of_round().map(|times| times.1).sum::<f64>() / seconds.as_secs_f64())
    };
    (1..=ROUNDS).filter_map(rate).fold(0.0, f64::max)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
