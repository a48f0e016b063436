//! Helpers that stand by to share the work of a single answer.
//!
//! An answer may take 50 µs, as long as it takes to wake a thread. So helpers stand by, awake, while answers
//! are asked for one after another, and sleep as soon as they are not. An answer uses whoever is awake at that
//! moment and never waits for a sleeper; it has the same bits with and without help, since what is shared is cut
//! by shape.
//!
//! Helpers are started when first wanted and live as long as the process. They help one answer at a time: who
//! asks while they are busy answers alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::team::{all_threads, lock};

/// More members would wait for each other longer than they work.
const MOST_MEMBERS: usize = 4;
/// Who asks again within this time will probably ask once more.
const SOON: Duration = Duration::from_millis(1);
/// How often a helper looks for work before it sleeps: some 300 µs.
const SPINS: usize = 20_000;
/// How often the leader looks for helpers that are awake: some 2 µs.
const PATIENCE: usize = 100;

/// What each member does once, given its rank.
type Work<'w> = &'w (dyn Fn(usize) + Sync);

/// Where the leader of an answer and the helpers meet.
struct Stand {
    /// When the last answer was given; held by the leader as long as an answer takes.
    last: Mutex<Option<Instant>>,
    /// Counts calls to enrol, orders and dismissals.
    number: AtomicUsize,
    /// The number of the last call to enrol.
    muster: AtomicUsize,
    /// How many helpers enrolled, and [`OPEN`] as long as more may.
    roll: AtomicUsize,
    /// What to do, and its number; nothing dismisses the helpers.
    order: Mutex<(usize, Option<Work<'static>>)>,
    n_done: AtomicUsize,
    n_failed: AtomicUsize,
    n_awake: AtomicUsize,
    /// Counts calls to wake up.
    calls: Mutex<usize>,
    wake: Condvar,
    n_helpers: usize,
}

const OPEN: usize = 1 << 31;

static STAND: OnceLock<Stand> = OnceLock::new();

/// Whoever works on one answer.
pub(crate) struct Crew {
    stand: Option<(&'static Stand, MutexGuard<'static, Option<Instant>>)>,
    n_members: usize,
}

impl Crew {
    /// The caller alone.
    pub(crate) fn alone() -> Self {
        Self { stand: None, n_members: 1 }
    }

    /// The caller, and who is awake to help. Wakes helpers for the next time if the last answer was given just
    /// now.
    pub(crate) fn muster() -> Self {
        let stand = STAND.get_or_init(Stand::new);
        let last = match stand.last.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return Self::alone(),
        };
        let soon = last.is_some_and(|last| last.elapsed() < SOON);
        let n_members = 1 + if soon { stand.enrol() } else { 0 };
        Self { stand: Some((stand, last)), n_members }
    }

    /// As [`Self::muster`], if `n_threads` (0 for any number) allows for all that may help; else the caller alone.
    pub(crate) fn within(n_threads: usize) -> Self {
        // Asked once, since to ask takes longer than to answer one example.
        static MOST: OnceLock<usize> = OnceLock::new();
        let allows = |most: &usize| n_threads >= *most;
        let is_enough = n_threads == 0 || allows(MOST.get_or_init(|| all_threads(0).min(MOST_MEMBERS)));
        if is_enough { Self::muster() } else { Self::alone() }
    }

    /// How many work on this answer.
    pub(crate) fn n_members(&self) -> usize {
        self.n_members
    }

    /// Has each member do `work(rank)` once, all at the same time, and waits for them.
    pub(crate) fn together(&self, work: Work<'_>) {
        match &self.stand {
            Some((stand, _)) if self.n_members > 1 => stand.run(work, self.n_members - 1),
            _ => work(0),
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if let Some((stand, last)) = &mut self.stand {
            if self.n_members > 1 {
                stand.post(None);
            }
            **last = Some(Instant::now());
        }
    }
}

impl Stand {
    /// Starts helpers, as many as there are processors for and threads to be had.
    fn new() -> Self {
        let start = |i: usize| {
            let helper = || STAND.wait().serve();
            std::thread::Builder::new().name(format!("helper {i}")).spawn(helper).is_ok()
        };
        Self {
            last: Mutex::new(None),
            number: AtomicUsize::new(0),
            muster: AtomicUsize::new(0),
            roll: AtomicUsize::new(0),
            order: Mutex::new((0, None)),
            n_done: AtomicUsize::new(0),
            n_failed: AtomicUsize::new(0),
            n_awake: AtomicUsize::new(0),
            calls: Mutex::new(0),
            wake: Condvar::new(),
            n_helpers: (1..all_threads(0).min(MOST_MEMBERS)).take_while(|&i| start(i)).count(),
        }
    }

    /// Lets helpers that are awake enrol, and returns how many did; wakes the others.
    fn enrol(&self) -> usize {
        let n_awake = self.n_awake.load(Ordering::Acquire);
        if n_awake < self.n_helpers {
            *lock(&self.calls) += 1;
            self.wake.notify_all();
        }
        if n_awake == 0 {
            return 0;
        }
        let number = self.number.load(Ordering::Relaxed) + 1;
        self.muster.store(number, Ordering::Relaxed);
        self.roll.store(OPEN, Ordering::Release);
        self.number.store(number, Ordering::Release);
        let mut looks = 0;
        while self.roll.load(Ordering::Relaxed) < OPEN + n_awake && looks < PATIENCE {
            looks += 1;
            std::hint::spin_loop();
        }
        self.roll.fetch_and(!OPEN, Ordering::AcqRel) - OPEN
    }

    fn post(&self, order: Option<Work<'static>>) {
        let number = self.number.load(Ordering::Relaxed) + 1;
        *lock(&self.order) = (number, order);
        self.number.store(number, Ordering::Release);
    }

    #[expect(unsafe_code, reason = "threads that outlive a call cannot borrow from it in a safe way")]
    fn run(&self, work: Work<'_>, n_helpers: usize) {
        // SAFETY: only the lifetime changes. Only enrolled helpers take the order, each of them once, since they
        // wait for the next number afterwards. They report when they no longer use it, and `Reports` waits for all
        // of them before this function ends, also when it ends by a panic.
        let shared = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        self.n_done.store(0, Ordering::Relaxed);
        let reports = Reports { n_done: &self.n_done, n_helpers };
        self.post(Some(shared));
        work(0);
        drop(reports);
        assert_eq!(self.n_failed.swap(0, Ordering::Relaxed), 0, "a helper panicked");
    }

    /// A helper's life.
    fn serve(&self) {
        loop {
            let call = *lock(&self.calls);
            self.n_awake.fetch_add(1, Ordering::AcqRel);
            self.stand_by();
            self.n_awake.fetch_sub(1, Ordering::AcqRel);
            let mut calls = lock(&self.calls);
            while *calls == call {
                calls = self.wake.wait(calls).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Enrols whenever it is called to, until there was nothing to do for a while.
    fn stand_by(&self) {
        let mut spins = 0;
        while spins < SPINS {
            let open = |roll: usize| (roll & OPEN != 0).then_some(roll + 1);
            match self.roll.fetch_update(Ordering::AcqRel, Ordering::Acquire, open) {
                Ok(before) => {
                    self.help(1 + before - OPEN);
                    spins = 0;
                }
                Err(_) => {
                    spins += 1;
                    std::hint::spin_loop();
                }
            }
        }
    }

    /// Follows orders until it is dismissed.
    fn help(&self, rank: usize) {
        let mut seen = self.muster.load(Ordering::Relaxed);
        loop {
            let mut spins = 0;
            while self.number.load(Ordering::Acquire) <= seen {
                spins += 1;
                if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
            }
            seen += 1;
            let (number, Some(work)) = *lock(&self.order) else { return };
            if number != seen {
                // It was dismissed, and the leader has gone on.
                return;
            }
            if catch_unwind(AssertUnwindSafe(|| work(rank))).is_err() {
                self.n_failed.fetch_add(1, Ordering::Relaxed);
            }
            self.n_done.fetch_add(1, Ordering::Release);
        }
    }
}

/// Waits for all helpers when it goes out of scope.
struct Reports<'a> {
    n_done: &'a AtomicUsize,
    n_helpers: usize,
}

impl Drop for Reports<'_> {
    fn drop(&mut self) {
        let mut spins = 0;
        while self.n_done.load(Ordering::Acquire) < self.n_helpers {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_does_every_order_once_and_alone_is_enough() {
        for _ in 0..2_000 {
            let crew = Crew::muster();
            let counts: Vec<AtomicUsize> = (0..crew.n_members()).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..5 {
                crew.together(&|rank| {
                    counts[rank].fetch_add(1, Ordering::Relaxed);
                });
            }
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 5), "{counts:?}");
        }
        let done = AtomicUsize::new(0);
        Crew::alone().together(&|rank| {
            done.fetch_add(1 + rank, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 1);
    }

    #[test]
    fn several_leaders_at_once_do_not_share_their_helpers() {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let (crew, done) = (Crew::muster(), AtomicUsize::new(0));
                        crew.together(&|_| {
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                        assert_eq!(done.load(Ordering::Relaxed), crew.n_members());
                    }
                });
            }
        });
    }
}
