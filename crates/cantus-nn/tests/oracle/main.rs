//! A slow, plain reference trainer that whole trainings of the engine are compared with.
//!
//! The reference (`trainer`) takes an architecture, initial weights and examples, and computes forward pass, loss, gradients and
//! updates in f64 with plain loops: each layer is composed, by its formula, of the nine operations of a `tape`, which is
//! differentiated in reverse. Nothing is parallel, divided into micro-batches, fused or overwritten. The reference itself is
//! compared with central differences (`differences`).
//!
//! For each network, engine and reference are compared (`case`) in
//!
//! - outputs in inference, for all examples and for one alone, and the loss of an evaluation;
//! - the gradient of every tensor, as the first step of gradient descent with an enormous learning rate, and the moving
//!   statistics after it;
//! - the losses of all epochs and the change of every tensor after at least five steps of gradient descent, and of Adam, AdamW
//!   or RMSprop; for every third network also with frozen layers and layers with a lower learning rate.
//!
//! `compare` defines the tolerance. Networks 0 to 36 are fixed (`fixed.toml`): practical ones, and others of sizes at which the
//! engine takes another branch. The others are random (`generate`), of all layers, losses, penalties and clippings. Networks
//! that differ are printed with their number and their TOML; to run one alone:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p cantus-nn --test oracle
//! ```
//!
//! `ORACLE_SEED=600..3000` compares further networks.
//!
//! Sizes at which the engine takes another branch (`thresholds`), and the number of networks on either side:
//!
//! | condition | source | no | yes |
//! |---|---|---|---|
//! | a micro-batch is smaller than a shard | `CACHED` in train/plan.rs | 599 | 7 |
//! | … where max pooling follows an activation and its stage is not the last | `CACHED` in train/plan.rs | 5 | 5 |
//! | a batch fills two shards of the usual size | `shard_rows` in train/plan.rs | 393 | 207 |
//! | a batch fills more than 32 shards of the usual size | `shard_rows` in train/plan.rs | 597 | 3 |
//! | a micro-batch is the whole shard, since a layer is recurrent | `prefers_many_rows` in train/plan.rs | 405 | 195 |
//! | a Dense layer is column-parallel | `MANY_WEIGHTS` in layer/dense.rs | 598 | 17 |
//! | … and more than one panel of columns | `WIDTH` in train/column_parallel.rs | 3 | 14 |
//! | … and a last panel that is not full | `WIDTH` in train/column_parallel.rs | 4 | 13 |
//! | … and more than one tile of inputs | `TILE` in train/column_parallel.rs | 3 | 14 |
//! | a tensor is updated in more than one tile | `TILE` in train/parameter_block.rs | 576 | 143 |
//! | a Dense layer multiplies one example in parts | `MIN_WEIGHTS_IN_PARTS` in layer/dense.rs | 568 | 34 |
//! | … and has fewer inputs than parts of eight | `PARTS` in layer/dense.rs | 32 | 3 |
//! | a single row is multiplied with a matrix too large for the cache | `CACHED` in matmul.rs | 572 | 5 |
//! | a single row is multiplied with at least 16 columns | `row_times_matrix` in matmul.rs | 571 | 172 |
//! | a layer of one output propagates the gradient of a single row to 16 inputs or more | `row_times_matrix` in matmul.rs | 19 | 10 |
//! | a window's row is long enough not to be copied | `MIN_ROW` in layer/conv2d/mod.rs | 83 | 26 |
//! | a copied row has more than 4 numbers | `copy_windows` in layer/conv2d/image.rs | 53 | 37 |
//! | … more than 8 | `copy_windows` in layer/conv2d/image.rs | 61 | 27 |
//! | … more than 16 | `copy_windows` in layer/conv2d/image.rs | 79 | 6 |
//! | of rows that are not copied, more lie below each other than beside each other | `products` in layer/conv2d/product.rs | 10 | 16 |
//! | a window that is not copied is as wide as the image | `products` in layer/conv2d/product.rs | 19 | 9 |
//! | max pooling has at least 16 channels | `LANES` in layer/max_pool2d.rs | 53 | 28 |
//! | … and some beyond a multiple of 16 | `LANES` in layer/max_pool2d.rs | 9 | 19 |
//! | a sequence takes more than one chunk of steps | `CHUNK` in layer/recurrence.rs | 102 | 4 |
//! | the units of a recurrent layer take more than one block for one example | `UNITS` in layer/single_example.rs | 65 | 11 |
//! | the gradient of a bias is the sum of at least four rows in a shard | `add_rows` in elementwise.rs | 250 | 408 |
//! | random features have more than one group of inputs | `groups` in layer/random_fourier_features/mod.rs | 51 | 70 |
//! | the groups of random features have kernels of their own, and so a tensor each | `groups_of` in layer/random_fourier_features/groups.rs | 81 | 36 |
//! | statistics of differences are computed too | `differences` in layer/statistics_pooling.rs | 14 | 46 |
//! | a micro-batch of inference is smaller than the number of examples | `CACHED` in inference.rs | 591 | 9 |
//! | inference takes more than one block of examples | `BLOCK` in inference.rs | 397 | 203 |
//! | a penalty is summed over more than 16 weights | `sums` in regularizer.rs | 55 | 236 |
//! | the last batch of an epoch is smaller | `run_epoch` in train/fit.rs | 179 | 421 |
//! | … and has one example alone | `run_epoch` in train/fit.rs | 157 | 264 |

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed precondition fails the test")]

mod case;
mod compare;
mod convolution;
mod cost;
mod data;
mod differences;
mod fixed;
mod function;
mod generate;
mod heads;
mod images;
mod kinds;
mod layers;
mod losses;
mod number;
mod plan;
mod random;
mod reductions;
mod roles;
mod sequences;
mod sizes;
mod statistics;
mod tape;
mod thresholds;
mod trainer;
mod updates;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use case::Case;
use compare::Comparison;
use sizes::Sizes;

/// Number of networks.
const N_NETWORKS: u64 = 600;
/// Networks compared in parallel.
const N_THREADS: usize = 2;
/// Largest percentage of networks with a wider tolerance because of a kink.
const MAX_NEAR_KINKS: usize = 20;
/// Largest percentage of comparisons that would miss an error of 1 %.
const MAX_INSENSITIVE: usize = 10;

/// The results of some networks.
#[derive(Default)]
struct Tally {
    failures: Vec<String>,
    n_networks: usize,
    n_near_kinks: usize,
    n_comparisons: usize,
    n_insensitive: usize,
}

impl Tally {
    fn add(&mut self, number: u64, case: &Case, found: std::thread::Result<Vec<Comparison>>) {
        self.n_networks += 1;
        let Ok(all) = found else {
            self.failures.push(report(number, case, "the engine panics\n"));
            return;
        };
        self.n_near_kinks += usize::from(all.iter().any(Comparison::kink_is_near));
        self.n_comparisons += all.len();
        self.n_insensitive += all.iter().filter(|comparison| !comparison.is_sensitive()).count();
        let wrong: Vec<String> = all.iter().filter(|comparison| !comparison.passes()).map(line).collect();
        if !wrong.is_empty() {
            self.failures.push(report(number, case, &wrong.concat()));
        }
    }
}

fn line(comparison: &Comparison) -> String {
    let Comparison { what, apart, own, size, size_of_all, .. } = comparison;
    let allowed = comparison.allowed();
    format!(
        "  {what}: apart by {apart:.2e} of {size:.2e} (all {size_of_all:.2e}), allowed are {allowed:.2e}; own {own:.2e}\n"
    )
}

fn report(number: u64, case: &Case, what: &str) -> String {
    let plan = &case.plan;
    let text = toml::to_string(&plan.architecture).unwrap();
    let settings = plan.training(plan.sgd);
    format!(
        "ORACLE_SEED={number} ({}), {} examples in batches of {}, {:?}, {:?}, {} threads, {:?}, {:?}\n{what}{text}",
        case.name,
        plan.n_examples,
        plan.batch,
        settings.loss,
        settings.clipping,
        settings.n_threads,
        plan.sgd,
        plan.adaptive,
    )
}

fn compare(numbers: std::ops::Range<u64>) -> Tally {
    let (next, tally) = (AtomicU64::new(numbers.start), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..N_THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return;
                    }
                    let case = Case::new(number);
                    let found = catch_unwind(AssertUnwindSafe(|| case.comparisons()));
                    tally.lock().unwrap().add(number, &case, found);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

/// One number, or a range of them.
fn range(text: &str) -> std::ops::Range<u64> {
    match text.split_once("..") {
        Some((start, end)) => start.parse().unwrap()..end.parse().unwrap(),
        None => text.parse().map(|number: u64| number..number + 1).unwrap(),
    }
}

#[test]
fn the_engine_trains_every_network_as_the_reference_does() {
    let asked = std::env::var("ORACLE_SEED").ok().map(|text| range(&text));
    let tally = compare(asked.clone().unwrap_or(0..N_NETWORKS));
    let Tally { failures, n_networks, n_near_kinks, n_comparisons, n_insensitive } = tally;
    println!(
        "{n_comparisons} comparisons of {n_networks} networks, {n_near_kinks} of them near a kink; {n_insensitive} insensitive"
    );
    assert!(
        failures.is_empty(),
        "{} of {n_networks} networks differ\n\n{}",
        failures.len(),
        failures.join("\n")
    );
    if asked.is_none() {
        assert!(100 * n_near_kinks <= MAX_NEAR_KINKS * n_networks, "{n_near_kinks} networks near a kink");
        assert!(
            100 * n_insensitive <= MAX_INSENSITIVE * n_comparisons,
            "{n_insensitive} insensitive of {n_comparisons}"
        );
    }
}

#[test]
fn the_networks_have_all_layers_and_both_sides_of_every_threshold_as_often_as_the_table_says() {
    let mut counts = vec![[0; 2]; thresholds::ALL.len()];
    let mut layers = BTreeSet::new();
    for number in 0..N_NETWORKS {
        let (_, plan) = case::plan(number);
        layers.extend(kinds::kinds(&plan.architecture.layers));
        let sizes = Sizes::new(&plan);
        for (count, threshold) in counts.iter_mut().zip(thresholds::ALL) {
            let sides = (threshold.sides)(&sizes);
            count.iter_mut().zip(sides).for_each(|(count, is)| *count += usize::from(is));
        }
    }
    assert_eq!(layers.len(), kinds::N, "only {layers:?}");
    let row = |(threshold, [no, yes]): (&thresholds::Threshold, &[usize; 2])| {
        format!("//! | {} | {} | {no} | {yes} |\n", threshold.condition, threshold.source)
    };
    let table: String = thresholds::ALL.iter().zip(&counts).map(row).collect();
    for (threshold, count) in thresholds::ALL.iter().zip(&counts) {
        assert!(count.iter().all(|&n| n >= 3), "{}: {count:?}", threshold.condition);
    }
    assert!(include_str!("main.rs").contains(&table), "the table should be\n{table}");
}
