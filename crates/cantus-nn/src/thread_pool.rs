//! Thread pool that runs the parallel phases of one training.
//!
//! A training step of a small network takes about 1 ms, too little to start threads for. So the threads are started
//! once. The calling thread posts a job with its number of tasks, takes part in it, and returns when all tasks are done.
//! Waiting threads spin for some 50 µs, since the next job usually follows at once, and then sleep.
//!
//! Tasks are divided by the shapes of the data, never by the number of threads, so results do not depend on it.

#[cfg(all(test, loom))]
use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    sync::{Condvar, Mutex, MutexGuard},
    thread::yield_now,
};
use std::sync::PoisonError;
#[cfg(not(all(test, loom)))]
use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    sync::{Condvar, Mutex, MutexGuard},
    thread::yield_now,
};

/// Iterations of a waiting thread before it sleeps: some 50 µs. In the model, each would multiply the orders of steps.
const SPINS: usize = if cfg!(all(test, loom)) { 1 } else { 2_000 };

/// The calling thread's handle of a pool; see [`with_thread_pool`].
pub(crate) struct ThreadPool<'a, Job> {
    slot: &'a JobSlot<Job>,
    work: &'a (dyn Fn(Job, usize) + Sync),
    n_threads: usize,
}

/// The current job, shared by all threads of a pool.
struct JobSlot<Job> {
    current: Mutex<Current<Job>>,
    /// Number of jobs posted so far; changed only by a thread that holds `current`.
    n_posted: AtomicUsize,
    posted: Condvar,
    n_working: AtomicUsize,
    panicked: AtomicBool,
}

/// What the lock of a [`JobSlot`] guards.
struct Current<Job> {
    /// The job and its number of tasks; `None` ends the threads.
    job: Option<(Job, usize)>,
    n_asleep: usize,
}

/// Starts `n_threads - 1` threads beside this one, runs `body` on this one, and ends the threads.
///
/// `work(job, task)` runs one task of a job.
pub(crate) fn with_thread_pool<Job: Copy + Send, R>(
    n_threads: usize,
    work: impl Fn(Job, usize) + Sync,
    body: impl FnOnce(&ThreadPool<'_, Job>) -> R,
) -> R {
    let (slot, work) = (&JobSlot::new(), &work);
    std::thread::scope(|scope| {
        for rank in 1..n_threads {
            scope.spawn(move || slot.serve(rank, n_threads, work));
        }
        // If `body` panics the threads must end too, or the scope would wait for them for ever.
        let _shutdown = ShutdownGuard(slot);
        body(&ThreadPool { slot, work, n_threads })
    })
}

/// Ends the threads when it goes out of scope.
struct ShutdownGuard<'a, Job: Copy>(&'a JobSlot<Job>);

impl<Job: Copy> Drop for ShutdownGuard<'_, Job> {
    fn drop(&mut self) {
        self.0.post(None);
    }
}

impl<Job: Copy> ThreadPool<'_, Job> {
    /// Runs all tasks of a job and waits for them.
    pub(crate) fn run(&self, job: Job, n_tasks: usize) {
        let n_workers = self.n_threads.min(n_tasks).saturating_sub(1);
        if n_workers == 0 {
            (0..n_tasks).for_each(|task| (self.work)(job, task));
            return;
        }
        self.slot.n_working.store(self.n_threads - 1, Ordering::Relaxed);
        self.slot.post(Some((job, n_tasks)));
        (0..n_tasks).step_by(self.n_threads).for_each(|task| (self.work)(job, task));
        let mut spins = 0;
        while self.slot.n_working.load(Ordering::Acquire) > 0 {
            spins += 1;
            if spins < SPINS { spin_loop() } else { yield_now() }
        }
        // The message of the worker's panic is printed by its thread scope.
        assert!(!self.slot.panicked.load(Ordering::Relaxed), "a thread of the pool panicked");
    }
}

impl<Job: Copy> JobSlot<Job> {
    fn new() -> Self {
        Self {
            current: Mutex::new(Current { job: None, n_asleep: 0 }),
            n_posted: AtomicUsize::new(0),
            posted: Condvar::new(),
            n_working: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
        }
    }

    /// Locks the current job; poisoning as in [`crate::sync::lock`].
    fn lock(&self) -> MutexGuard<'_, Current<Job>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, job: Option<(Job, usize)>) {
        let mut current = self.lock();
        current.job = job;
        // Under the lock, so that a thread that holds it either reads this number or is counted in `n_asleep`.
        self.n_posted.fetch_add(1, Ordering::Release);
        let n_asleep = current.n_asleep;
        drop(current);
        if n_asleep > 0 {
            self.posted.notify_all();
        }
    }

    /// Waits for the job after the first `n_done`.
    fn wait(&self, n_done: usize) -> Option<(Job, usize)> {
        for _ in 0..SPINS {
            if self.n_posted.load(Ordering::Acquire) != n_done {
                return self.lock().job;
            }
            spin_loop();
        }
        let mut current = self.lock();
        current.n_asleep += 1;
        while self.n_posted.load(Ordering::Relaxed) == n_done {
            current = self.posted.wait(current).unwrap_or_else(PoisonError::into_inner);
        }
        current.n_asleep -= 1;
        current.job
    }

    /// The loop of a worker thread.
    fn serve(&self, rank: usize, n_threads: usize, work: &(dyn Fn(Job, usize) + Sync)) {
        let mut n_done = 0;
        while let Some((job, n_tasks)) = self.wait(n_done) {
            n_done += 1;
            let _completion = CompletionGuard(self);
            (rank..n_tasks).step_by(n_threads).for_each(|task| work(job, task));
        }
    }
}

/// Signals that a worker is done with a job, also if it panicked.
struct CompletionGuard<'a, Job>(&'a JobSlot<Job>);

impl<Job> Drop for CompletionGuard<'_, Job> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        self.0.n_working.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_task_of_every_job_runs_once_on_any_number_of_threads() {
        for n_threads in 1..=4 {
            let counts: Vec<AtomicUsize> = (0..10).map(|_| AtomicUsize::new(0)).collect();
            let work = |by: usize, task: usize| {
                counts[task].fetch_add(by, Ordering::Relaxed);
            };
            with_thread_pool(n_threads, work, |pool| {
                for job in 0..200 {
                    pool.run(job, job % 11);
                }
            });
            for (task, count) in counts.iter().enumerate() {
                let expected: usize = (0..200).filter(|job| job % 11 > task).sum();
                assert_eq!(count.load(Ordering::Relaxed), expected, "task {task} on {n_threads} threads");
            }
        }
    }

    #[test]
    fn sleeping_threads_wake_up_for_the_next_job() {
        let n_done = AtomicUsize::new(0);
        with_thread_pool(
            3,
            |(), _| {
                n_done.fetch_add(1, Ordering::Relaxed);
            },
            |pool| {
                for _ in 0..5 {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    pool.run((), 6);
                }
            },
        );
        assert_eq!(n_done.load(Ordering::Relaxed), 30);
    }

    #[test]
    #[should_panic(expected = "panicked")]
    fn a_panic_in_a_worker_ends_the_pool_instead_of_blocking_it() {
        with_thread_pool(2, |(), task| assert_ne!(task, 1), |pool| pool.run((), 2));
    }
}

/// The pool as loom runs it: once for each order of the threads' steps, and for each value that a read may return. `.ci/sanitizers` does so.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;

    /// One task's part of a result: which jobs have changed it. Relaxed accesses are not ordered by themselves, so a read is only sure to
    /// return the last write if the pool orders the threads.
    type Results = Vec<AtomicUsize>;

    fn work(results: &Results, job: usize, task: usize) {
        let before = results[task].load(Ordering::Relaxed);
        results[task].store(10 * before + job, Ordering::Relaxed);
    }

    /// Runs jobs 1, 2, … of these numbers of tasks on a pool, with at most so many preemptions, and tests the results after each.
    fn check(n_threads: usize, n_tasks: &'static [usize], most_preemptions: Option<usize>) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = most_preemptions;
        builder.check(move || {
            let slot = Arc::new(JobSlot::new());
            let results: Arc<Results> = Arc::new((0..4).map(|_| AtomicUsize::new(0)).collect());
            let serve = |rank| {
                let (slot, results) = (Arc::clone(&slot), Arc::clone(&results));
                move || slot.serve(rank, n_threads, &|job, task| work(&results, job, task))
            };
            let threads: Vec<_> = (1..n_threads).map(|rank| loom::thread::spawn(serve(rank))).collect();
            let shutdown = ShutdownGuard(&*slot);
            let pool = ThreadPool { slot: &slot, work: &|job, task| work(&results, job, task), n_threads };
            let mut expected = [0; 4];
            for (i, &n_tasks) in n_tasks.iter().enumerate() {
                pool.run(i + 1, n_tasks);
                expected[..n_tasks].iter_mut().for_each(|result| *result = 10 * *result + i + 1);
                let actual: Vec<usize> =
                    results.iter().map(|result| result.load(Ordering::Relaxed)).collect();
                assert_eq!(actual, expected, "after job {}", i + 1);
            }
            drop(shutdown);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn two_threads_run_each_task_once_and_their_results_are_read_in_every_order_of_steps() {
        check(2, &[2, 3], None);
    }

    #[test]
    fn three_threads_do_so_in_every_order_with_up_to_two_preemptions() {
        check(3, &[3], Some(2));
    }

    #[test]
    fn three_threads_do_two_jobs_in_every_order_with_one_preemption() {
        check(3, &[3, 2], Some(1));
    }
}
