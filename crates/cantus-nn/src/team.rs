//! Threads that work together for a whole fit.
//!
//! A training step of a small network takes a millisecond, too short to start threads for it. A team is
//! started once. Its leader calls out an order and how many tasks it has; every member, the leader included,
//! does its share, and the leader goes on when all are done. Waiting members spin for some microseconds,
//! since the next order usually comes at once, and sleep if it does not.
//!
//! Which member does which task changes no result: tasks are cut by the shapes of the data, never by the
//! number of members.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How often a waiting member looks before it sleeps: some 50 µs.
const SPINS: usize = 2_000;

/// The leader's side of a team; see [`with_team`].
pub(crate) struct Team<'a, Order> {
    board: &'a Board<Order>,
    work: &'a (dyn Fn(Order, usize) + Sync),
    n_members: usize,
}

/// Where orders are posted.
struct Board<Order> {
    /// The order and its number of tasks; `None` sends the members home.
    order: Mutex<Option<(Order, usize)>>,
    /// Counts orders, so that a member sees a new one.
    number: AtomicUsize,
    news: Condvar,
    n_asleep: AtomicUsize,
    n_working: AtomicUsize,
    failed: AtomicBool,
}

/// Locks; a poisoned lock belongs to a member that panicked, and that panic is passed on elsewhere.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for many readers.
pub(crate) fn read<T>(shared: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    shared.read().unwrap_or_else(PoisonError::into_inner)
}

/// The same for one writer.
pub(crate) fn write<T>(shared: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    shared.write().unwrap_or_else(PoisonError::into_inner)
}

/// `asked` threads, or all there are.
pub(crate) fn all_threads(asked: usize) -> usize {
    if asked > 0 { asked } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// Starts `n_members - 1` threads beside this one, runs `lead` here, and ends the threads.
///
/// `work(order, task)` does one task of an order.
pub(crate) fn with_team<Order: Copy + Send, R>(
    n_members: usize,
    work: impl Fn(Order, usize) + Sync,
    lead: impl FnOnce(&Team<'_, Order>) -> R,
) -> R {
    let board = Board {
        order: Mutex::new(None),
        number: AtomicUsize::new(0),
        news: Condvar::new(),
        n_asleep: AtomicUsize::new(0),
        n_working: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
    };
    let (board, work) = (&board, &work);
    std::thread::scope(|scope| {
        for rank in 1..n_members {
            scope.spawn(move || board.serve(rank, n_members, work));
        }
        // Also when `lead` panics, the members must go home, or the scope would wait for them for ever.
        let _dismissal = Dismissal(board);
        lead(&Team { board, work, n_members })
    })
}

struct Dismissal<'a, Order: Copy>(&'a Board<Order>);

impl<Order: Copy> Drop for Dismissal<'_, Order> {
    fn drop(&mut self) {
        self.0.post(None);
    }
}

impl<Order: Copy> Team<'_, Order> {
    /// Has all tasks of an order done, and waits for them.
    pub(crate) fn run(&self, order: Order, n_tasks: usize) {
        let n_helpers = self.n_members.min(n_tasks).saturating_sub(1);
        if n_helpers == 0 {
            (0..n_tasks).for_each(|task| (self.work)(order, task));
            return;
        }
        self.board.n_working.store(self.n_members - 1, Ordering::Relaxed);
        self.board.post(Some((order, n_tasks)));
        (0..n_tasks).step_by(self.n_members).for_each(|task| (self.work)(order, task));
        let mut spins = 0;
        while self.board.n_working.load(Ordering::Acquire) > 0 {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        // The scope that the panicked member belongs to tells which panic it was.
        assert!(!self.board.failed.load(Ordering::Relaxed), "a member of the team panicked");
    }
}

impl<Order: Copy> Board<Order> {
    fn post(&self, order: Option<(Order, usize)>) {
        *lock(&self.order) = order;
        self.number.fetch_add(1, Ordering::SeqCst);
        if self.n_asleep.load(Ordering::SeqCst) > 0 {
            // With the lock, no member can be between looking and falling asleep.
            let _guard = lock(&self.order);
            self.news.notify_all();
        }
    }

    /// Waits for the order after number `seen`.
    fn wait(&self, seen: usize) -> Option<(Order, usize)> {
        for _ in 0..SPINS {
            if self.number.load(Ordering::Acquire) != seen {
                return *lock(&self.order);
            }
            std::hint::spin_loop();
        }
        let mut order = lock(&self.order);
        self.n_asleep.fetch_add(1, Ordering::SeqCst);
        while self.number.load(Ordering::SeqCst) == seen {
            order = self.news.wait(order).unwrap_or_else(PoisonError::into_inner);
        }
        self.n_asleep.fetch_sub(1, Ordering::SeqCst);
        *order
    }

    fn serve(&self, rank: usize, n_members: usize, work: &(dyn Fn(Order, usize) + Sync)) {
        let mut seen = 0;
        while let Some((order, n_tasks)) = self.wait(seen) {
            seen += 1;
            let _report = Report(self);
            (rank..n_tasks).step_by(n_members).for_each(|task| work(order, task));
        }
    }
}

/// Tells the leader that a member is done, in whichever way.
struct Report<'a, Order>(&'a Board<Order>);

impl<Order> Drop for Report<'_, Order> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        self.0.n_working.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_of_every_order_is_done_once_by_any_number_of_members() {
        for n_members in 1..=4 {
            let counts: Vec<AtomicUsize> = (0..10).map(|_| AtomicUsize::new(0)).collect();
            let work = |by: usize, task: usize| {
                counts[task].fetch_add(by, Ordering::Relaxed);
            };
            with_team(n_members, work, |team| {
                for order in 0..200 {
                    team.run(order, order % 11);
                }
            });
            for (task, count) in counts.iter().enumerate() {
                let expected: usize = (0..200).filter(|order| order % 11 > task).sum();
                assert_eq!(count.load(Ordering::Relaxed), expected, "task {task} of {n_members} members");
            }
        }
    }

    #[test]
    fn members_that_fell_asleep_wake_up_again() {
        let done = AtomicUsize::new(0);
        with_team(
            3,
            |(), _| {
                done.fetch_add(1, Ordering::Relaxed);
            },
            |team| {
                for _ in 0..5 {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    team.run((), 6);
                }
            },
        );
        assert_eq!(done.load(Ordering::Relaxed), 30);
    }

    #[test]
    #[should_panic(expected = "panicked")]
    fn a_panic_of_a_member_ends_the_team_instead_of_hanging_it() {
        with_team(2, |(), task| assert_ne!(task, 1), |team| team.run((), 2));
    }
}
