//! Training, evaluation and prediction use at most the requested number of threads.
//!
//! One test, since other tests of the same process would start their own threads.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cantus_nn::{Architecture, Examples, InMemory, Loss, Network, Target, Training};

/// Threads of this process at this moment.
fn n_threads_now() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Threads of this process, once those that are about to end have ended: a thread that was waited for may still be
/// listed for a moment.
fn n_threads_settled(limit: usize) -> usize {
    let start = Instant::now();
    while n_threads_now() > limit && start.elapsed() < Duration::from_secs(2) {
        std::thread::yield_now();
    }
    n_threads_now()
}

/// Examples that note how many threads there are while they are read.
struct Watched<'a> {
    examples: InMemory<'a>,
    limit: usize,
    most: AtomicUsize,
}

impl Examples for Watched<'_> {
    fn len(&self) -> usize {
        self.examples.len()
    }

    fn input_len(&self) -> usize {
        self.examples.input_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.most.fetch_max(n_threads_settled(self.limit), Ordering::Relaxed);
        self.examples.write_input(index, epoch, input);
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.examples.target(index)
    }
}

#[test]
fn at_most_the_requested_number_of_threads_run() {
    let architecture: Architecture = toml::from_str(
        r#"input_shape = [40, 12, 1]
        layers = [
            { type = "Conv2D", filters = 16, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D" },
            { type = "BatchNormalization" },
            { type = "Flatten" },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dense", units = 4, activation = "softmax" },
        ]"#,
    )
    .unwrap();
    let inputs: Vec<f32> = (0..320 * 480).map(|i| (i as f32 * 0.3).sin()).collect();
    let classes: Vec<usize> = (0..320).map(|i| i % 4).collect();
    let mut network = Network::new(&architecture, 0).unwrap();
    let others = n_threads_now() - 1;
    for asked in [1, 2, 3] {
        let watched = || Watched {
            examples: InMemory::classes(&inputs, &classes),
            limit: others + asked,
            most: AtomicUsize::new(0),
        };
        let (train, validation) = (watched(), watched());
        let training = Training { n_threads: asked, ..Training::default() };
        network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(())).unwrap();
        network.set_threads(asked);
        let evaluated = watched();
        network.evaluate(&evaluated, Loss::default()).unwrap();
        for (what, examples) in [("fit", train), ("validation", validation), ("evaluate", evaluated)] {
            // As many as were asked for: the limit is used, and kept.
            assert_eq!(examples.most.into_inner() - others, asked, "{what} with {asked} threads");
        }
    }
    // Prediction of many examples, and of one.
    network.set_threads(1);
    for n in [320, 1] {
        let before = n_threads_settled(others + 1);
        let most = most_while(|| (0..50).for_each(|_| drop(network.predict(&inputs[..n * 480]).unwrap())));
        // The thread that counts is one more.
        assert!(most <= before + 1, "{} threads to predict {n} examples", most - others);
    }
}

/// The most threads that there are while something is done.
fn most_while(work: impl FnOnce()) -> usize {
    let most = AtomicUsize::new(0);
    let is_done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while is_done.load(Ordering::Relaxed) == 0 {
                most.fetch_max(n_threads_now(), Ordering::Relaxed);
            }
        });
        work();
        is_done.store(1, Ordering::Relaxed);
    });
    most.into_inner()
}
