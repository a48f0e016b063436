//! Persistent worker pool for single-example inference.
//!
//! Inference of one example may take 50 µs, as long as it takes to wake a thread. So workers spin while calls follow one
//! another closely, and sleep otherwise. A call uses the workers that are awake and never waits for a sleeping one. Its
//! result has the same bits with any number of workers, since the work is divided by shape.
//!
//! The workers are started at the first call and live as long as the process. They serve one call at a time; concurrent
//! calls run on their own thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::sync::{lock, resolve_threads};

/// With more threads, synchronisation would take longer than the work.
const MAX_THREADS: usize = 4;
/// A call this soon after the last one is probably followed by another.
const REUSE_WINDOW: Duration = Duration::from_millis(1);
/// Iterations of an idle worker before it sleeps: some 300 µs.
const SPINS: usize = 20_000;
/// Iterations of a caller that waits for awake workers to join: some 2 µs.
const JOIN_SPINS: usize = 100;

/// What each thread runs once, given its rank.
type Work<'w> = &'w (dyn Fn(usize) + Sync);

/// State shared by callers and workers.
struct PoolState {
    /// The end of the last call; locked for the duration of a call.
    last_call: Mutex<Option<Instant>>,
    /// Number of the last event: an opening for workers to join, a job, or the end of a call.
    sequence: AtomicUsize,
    /// The sequence number at which workers could last join.
    opened_at: AtomicUsize,
    /// How many workers joined, and the bit [`OPEN`] while more may.
    slots: AtomicUsize,
    /// The current job and its sequence number; `None` at the end of a call.
    job: Mutex<(usize, Option<Work<'static>>)>,
    n_done: AtomicUsize,
    n_failed: AtomicUsize,
    n_awake: AtomicUsize,
    /// Number of requests to wake up.
    wake_requests: Mutex<usize>,
    wake: Condvar,
    n_workers: usize,
}

const OPEN: usize = 1 << 31;

static POOL: OnceLock<PoolState> = OnceLock::new();

/// The threads of one call.
pub(crate) struct LatencyPool {
    state: Option<(&'static PoolState, MutexGuard<'static, Option<Instant>>)>,
    n_threads: usize,
}

impl LatencyPool {
    /// The calling thread only.
    pub(crate) fn single_thread() -> Self {
        Self { state: None, n_threads: 1 }
    }

    /// The calling thread and the workers that are awake. If the last call ended just now, the other workers are woken
    /// for the next one.
    pub(crate) fn acquire() -> Self {
        let state = POOL.get_or_init(PoolState::new);
        let last_call = match state.last_call.try_lock() {
            Ok(last_call) => last_call,
            Err(TryLockError::Poisoned(last_call)) => last_call.into_inner(),
            Err(TryLockError::WouldBlock) => return Self::single_thread(),
        };
        let is_repeated = last_call.is_some_and(|last| last.elapsed() < REUSE_WINDOW);
        let n_threads = 1 + if is_repeated { state.join() } else { 0 };
        Self { state: Some((state, last_call)), n_threads }
    }

    /// As [`Self::acquire`] if `n_threads` (0 for any number) permits the whole pool; otherwise the calling thread only.
    pub(crate) fn acquire_within(n_threads: usize) -> Self {
        // Cached: to query the number of processors takes longer than to infer one example.
        static SIZE: OnceLock<usize> = OnceLock::new();
        let is_enough =
            n_threads == 0 || n_threads >= *SIZE.get_or_init(|| resolve_threads(0).min(MAX_THREADS));
        if is_enough { Self::acquire() } else { Self::single_thread() }
    }

    pub(crate) fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// Runs `work(rank)` once on each thread, concurrently, and waits for all of them.
    pub(crate) fn run(&self, work: Work<'_>) {
        match &self.state {
            Some((state, _)) if self.n_threads > 1 => state.run(work, self.n_threads - 1),
            _ => work(0),
        }
    }
}

impl Drop for LatencyPool {
    fn drop(&mut self) {
        if let Some((state, last_call)) = &mut self.state {
            if self.n_threads > 1 {
                state.post(None);
            }
            **last_call = Some(Instant::now());
        }
    }
}

impl PoolState {
    /// Starts as many workers as there are processors, up to [`MAX_THREADS`] and what the system permits.
    fn new() -> Self {
        let start = |i: usize| {
            let worker = || POOL.wait().serve();
            std::thread::Builder::new().name(format!("inference {i}")).spawn(worker).is_ok()
        };
        Self {
            last_call: Mutex::new(None),
            sequence: AtomicUsize::new(0),
            opened_at: AtomicUsize::new(0),
            slots: AtomicUsize::new(0),
            job: Mutex::new((0, None)),
            n_done: AtomicUsize::new(0),
            n_failed: AtomicUsize::new(0),
            n_awake: AtomicUsize::new(0),
            wake_requests: Mutex::new(0),
            wake: Condvar::new(),
            n_workers: (1..resolve_threads(0).min(MAX_THREADS)).take_while(|&i| start(i)).count(),
        }
    }

    /// Lets awake workers join and returns how many did; wakes the others.
    fn join(&self) -> usize {
        let n_awake = self.n_awake.load(Ordering::Acquire);
        if n_awake < self.n_workers {
            *lock(&self.wake_requests) += 1;
            self.wake.notify_all();
        }
        if n_awake == 0 {
            return 0;
        }
        let number = self.sequence.load(Ordering::Relaxed) + 1;
        self.opened_at.store(number, Ordering::Relaxed);
        self.slots.store(OPEN, Ordering::Release);
        self.sequence.store(number, Ordering::Release);
        let mut spins = 0;
        while self.slots.load(Ordering::Relaxed) < OPEN + n_awake && spins < JOIN_SPINS {
            spins += 1;
            std::hint::spin_loop();
        }
        self.slots.fetch_and(!OPEN, Ordering::AcqRel) - OPEN
    }

    fn post(&self, job: Option<Work<'static>>) {
        let number = self.sequence.load(Ordering::Relaxed) + 1;
        *lock(&self.job) = (number, job);
        self.sequence.store(number, Ordering::Release);
    }

    #[expect(unsafe_code, reason = "threads that outlive a call cannot borrow from it in a safe way")]
    fn run(&self, work: Work<'_>, n_workers: usize) {
        // SAFETY: only the lifetime changes. Only workers that joined take the job, each of them once, since they wait
        // for the next sequence number afterwards. They count themselves in `n_done` when they no longer use it, and
        // `CompletionGuard` waits for all of them before this function ends, also when it ends by a panic.
        let shared = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        self.n_done.store(0, Ordering::Relaxed);
        let completion = CompletionGuard { n_done: &self.n_done, n_workers };
        self.post(Some(shared));
        work(0);
        drop(completion);
        assert_eq!(self.n_failed.swap(0, Ordering::Relaxed), 0, "an inference worker panicked");
    }

    /// The loop of a worker thread.
    fn serve(&self) {
        loop {
            let request = *lock(&self.wake_requests);
            self.n_awake.fetch_add(1, Ordering::AcqRel);
            self.spin_for_calls();
            self.n_awake.fetch_sub(1, Ordering::AcqRel);
            let mut requests = lock(&self.wake_requests);
            while *requests == request {
                requests = self.wake.wait(requests).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Joins calls until there was none for [`SPINS`] iterations.
    fn spin_for_calls(&self) {
        let mut spins = 0;
        while spins < SPINS {
            let open = |slots: usize| (slots & OPEN != 0).then_some(slots + 1);
            match self.slots.fetch_update(Ordering::AcqRel, Ordering::Acquire, open) {
                Ok(before) => {
                    self.run_jobs(1 + before - OPEN);
                    spins = 0;
                }
                Err(_) => {
                    spins += 1;
                    std::hint::spin_loop();
                }
            }
        }
    }

    /// Runs the jobs of one call.
    fn run_jobs(&self, rank: usize) {
        let mut seen = self.opened_at.load(Ordering::Relaxed);
        loop {
            let mut spins = 0;
            while self.sequence.load(Ordering::Acquire) <= seen {
                spins += 1;
                if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
            }
            seen += 1;
            let (number, Some(work)) = *lock(&self.job) else { return };
            if number != seen {
                // This call has ended, and the job belongs to a later one.
                return;
            }
            if catch_unwind(AssertUnwindSafe(|| work(rank))).is_err() {
                self.n_failed.fetch_add(1, Ordering::Relaxed);
            }
            self.n_done.fetch_add(1, Ordering::Release);
        }
    }
}

/// Waits for all workers when it goes out of scope.
struct CompletionGuard<'a> {
    n_done: &'a AtomicUsize,
    n_workers: usize,
}

impl Drop for CompletionGuard<'_> {
    fn drop(&mut self) {
        let mut spins = 0;
        while self.n_done.load(Ordering::Acquire) < self.n_workers {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_every_job_once_and_a_single_thread_suffices() {
        for _ in 0..2_000 {
            let pool = LatencyPool::acquire();
            let counts: Vec<AtomicUsize> = (0..pool.n_threads()).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..5 {
                pool.run(&|rank| {
                    counts[rank].fetch_add(1, Ordering::Relaxed);
                });
            }
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 5), "{counts:?}");
        }
        let n_done = AtomicUsize::new(0);
        LatencyPool::single_thread().run(&|rank| {
            n_done.fetch_add(1 + rank, Ordering::Relaxed);
        });
        assert_eq!(n_done.into_inner(), 1);
    }

    #[test]
    fn concurrent_calls_do_not_share_workers() {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let (pool, n_done) = (LatencyPool::acquire(), AtomicUsize::new(0));
                        pool.run(&|_| {
                            n_done.fetch_add(1, Ordering::Relaxed);
                        });
                        assert_eq!(n_done.load(Ordering::Relaxed), pool.n_threads());
                    }
                });
            }
        });
    }
}
