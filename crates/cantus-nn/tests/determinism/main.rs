//! Networks of real size have the same bits, whatever the number of threads, and whether they are trained with AVX2 or AVX-512.
//!
//! Training, validation, evaluation and prediction, with examples that are altered in each epoch. Batches have as many shards as the
//! largest number of threads, and the examples record which threads read them: all threads take part.
//!
//! The instruction set is fixed for a process, so for each set the test starts itself with `CANTUS_ISA`. What is not promised: the bits
//! of `baseline` on x86-64 are others, since it has no instruction that rounds a sum of a product once; they are the same for any number of
//! threads.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may; clippy exempts only #[test] fns"
)]

#[path = "../oracle/kinds.rs"]
mod kinds;
mod networks;
mod recorded;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::process::Command;

use cantus_nn::{Architecture, Batching, Clipping, Loss, Network, Progress, Training};
use cantus_simd::InstructionSet;

use networks::NETWORKS;
use recorded::Recorded;

/// The last batch has fewer shards than there are threads.
const N_TRAIN: usize = 68;
/// Eight shards.
const BATCH: usize = 64;
/// Eight blocks of inference.
const N_EVALUATED: usize = 225;

/// Everything that a training and its network compute, as bits.
#[derive(PartialEq)]
struct Outcome {
    history: String,
    weights: Vec<u32>,
    scores: String,
    predictions: Vec<u32>,
}

impl Outcome {
    fn of(architecture: &Architecture, varies_by_epoch: bool, n_threads: usize) -> Self {
        let (train, validation) =
            (Recorded::new(N_TRAIN, 1, varies_by_epoch), Recorded::new(N_EVALUATED, 2, false));
        let evaluated = Recorded::new(N_EVALUATED, 3, false);
        let mut network = Network::new(architecture, 3).unwrap();
        let training = Training {
            epochs: 2,
            batching: Batching::Mini(BATCH),
            clipping: Some(Clipping::GlobalNorm(0.5)),
            n_threads,
            ..Training::default()
        };
        let on = |_: Progress<'_>| ControlFlow::Continue(());
        let history = network.fit(&train, Some(&validation), &training, on).unwrap();
        network.set_threads(n_threads);
        let scores = network.evaluate(&evaluated, Loss::default()).unwrap();
        for (what, examples) in
            [("training", &train), ("validation", &validation), ("evaluation", &evaluated)]
        {
            assert_eq!(examples.n_readers(), n_threads, "threads that take part in the {what}");
        }
        let predictions = network.predict(&evaluated.inputs()).unwrap();
        let weights = network.weights();
        Self {
            history: format!("{history:?}"),
            weights: weights.iter().flat_map(|tensor| tensor.values.iter().map(|w| w.to_bits())).collect(),
            scores: format!("{scores:?}"),
            predictions: predictions.iter().map(|p| p.to_bits()).collect(),
        }
    }

    /// FNV-1a of all of it.
    fn hash(&self) -> u64 {
        let bits = self.weights.iter().chain(&self.predictions).flat_map(|bits| bits.to_le_bytes());
        let bytes = self.history.bytes().chain(self.scores.bytes()).chain(bits);
        bytes
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// Names the network that a process of this test trains.
const NETWORK: &str = "CANTUS_TEST_NETWORK";

/// Trains a network on several numbers of threads and prints the hash of the outcome, which must be the same.
fn train(name: &str) {
    let (_, architecture) = NETWORKS.into_iter().find(|(found, _)| *found == name).unwrap();
    let architecture: Architecture = toml::from_str(architecture).unwrap();
    // Of the kernel machine, the outputs of the first layers are kept.
    let outcome = |n_threads| Outcome::of(&architecture, name != "kernel machine", n_threads);
    let alone = outcome(1);
    // The smallest set is five times as slow; what divides the work is the same code.
    let is_slow = InstructionSet::current() == InstructionSet::Baseline;
    for &n_threads in if is_slow { [8].as_slice() } else { &[2, 3, 8] } {
        assert!(outcome(n_threads) == alone, "{n_threads} threads do not give the bits of one");
    }
    println!("\nhash {:016x}", alone.hash());
}

#[test]
fn a_network_has_the_same_bits_on_1_2_3_and_8_threads_and_with_avx2_and_avx512() {
    if let Ok(name) = std::env::var(NETWORK) {
        return train(&name);
    }
    let sets = InstructionSet::ALL.into_iter().filter(|set| *set <= InstructionSet::of_processor());
    for (name, _) in NETWORKS {
        let hashes: Vec<(InstructionSet, String)> =
            sets.clone().map(|set| (set, hash_of_process(name, set))).collect();
        let fused: BTreeSet<&String> =
            hashes.iter().filter(|(set, _)| *set > InstructionSet::Baseline).map(|(_, hash)| hash).collect();
        assert!(fused.len() <= 1, "{name}: {hashes:?}");
    }
    if InstructionSet::of_processor() < InstructionSet::Avx512 {
        println!("this processor has no AVX-512: AVX2 is not compared with it");
    }
}

/// Starts this test again, to train a network with an instruction set.
fn hash_of_process(name: &str, set: InstructionSet) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--nocapture", "a_network_has_the_same_bits"])
        .env(NETWORK, name)
        .env(cantus_simd::VARIABLE, set.name())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let hash = text.lines().find_map(|line| line.strip_prefix("hash "));
    hash.unwrap_or_else(|| panic!("{name} with {set}: {}", String::from_utf8_lossy(&output.stderr)))
        .to_owned()
}

#[test]
fn every_kind_of_layer_that_can_be_trained_is_in_a_network() {
    let kinds: BTreeSet<&str> = NETWORKS
        .iter()
        .flat_map(|(_, architecture)| {
            kinds::kinds(&toml::from_str::<Architecture>(architecture).unwrap().layers)
        })
        .collect();
    assert_eq!(kinds.len(), kinds::N, "{kinds:?}");
}
