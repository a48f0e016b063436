//! The bytes of a store do not depend on the number of threads, all of which take part.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use cantus_audio::augment::AugmentSpec;
use cantus_dataset::{Catalog, ExtractOptions, Progress, extract};

use crate::bytes;
use crate::tones::{spec, tones};

/// Where threads wait for each other: in the first call of each, until `n` have called.
struct Arrivals {
    n: usize,
    threads: Mutex<HashSet<ThreadId>>,
    arrived: Condvar,
}

impl Arrivals {
    fn new(n: usize) -> Self {
        Self { n, threads: Mutex::default(), arrived: Condvar::new() }
    }

    fn wait(&self) {
        let mut threads = self.threads.lock().unwrap();
        if threads.insert(thread::current().id()) {
            self.arrived.notify_all();
            let is_waiting = |threads: &mut HashSet<ThreadId>| threads.len() < self.n;
            drop(self.arrived.wait_timeout_while(threads, Duration::from_secs(60), is_waiting).unwrap());
        }
    }

    fn n_threads(&self) -> usize {
        self.threads.lock().unwrap().len()
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let audio = tones();
    let augmentation: AugmentSpec = toml::from_str(
        "copies = 1\naudio = [{ type = 'pitch_shift', range = [-3, 3] }, { type = 'gain', range = [-6, 6] }]",
    )
    .unwrap();
    for augmentation in [None, Some(augmentation)] {
        let extracted = |n_threads: usize| {
            let (out, arrivals) = (tempfile::tempdir().unwrap(), Arrivals::new(n_threads));
            let options = ExtractOptions {
                jobs: n_threads,
                augmentation: augmentation.clone(),
                ..ExtractOptions::default()
            };
            let catalog = Catalog::open(audio.path()).unwrap();
            // Reported by the thread that extracted the track.
            let on_progress = |_: Progress<'_>| arrivals.wait();
            extract(&catalog, &spec(), out.path(), &options, &on_progress).unwrap();
            assert_eq!(arrivals.n_threads(), n_threads, "threads that extracted a track");
            bytes(out.path())
        };
        let alone = extracted(1);
        for n_threads in [2, 3, 8] {
            assert!(extracted(n_threads) == alone, "{n_threads} threads");
        }
    }
}
