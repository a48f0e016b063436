//! The slots of the inference queue, one for each recording in memory, and which one gives way to a new request.
//!
//! A request holds a slot while its body is received, while it waits for a worker and while it is processed. If all slots are taken, a
//! new request gets the slot
//!
//! 1. of a body that arrives slowly: a client that sends it by the byte would hold a slot until the time limit;
//! 2. of the client that holds the most, if that has at least two more than the client of the new request: its newest one that is not
//!    being processed. So slots are shared equally between the clients that use them (max-min fairness), and one client may use all of
//!    them while there is no other.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::client::Client;
use crate::problem_details::{Problem, ProblemType};

/// A body is slow if its mean rate is below this one, in bytes per second: 16 kbit/s, less than speech in Opus.
const MIN_RATE: f64 = 2000.0;
/// A body is not slow before this time.
const GRACE: Duration = Duration::from_secs(1);
/// A body is slow if nothing of it arrives for this time, whatever arrived before.
const MAX_GAP: Duration = Duration::from_secs(2);
/// Time in which a request that gives way releases its slot.
const GIVE_WAY_TIMEOUT: Duration = Duration::from_millis(500);

/// The slots of a server.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    permits: Arc<Semaphore>,
    table: Arc<Mutex<Table>>,
    n_slots: usize,
}

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    holders: HashMap<u64, Holder>,
}

/// A request that holds a slot.
#[derive(Debug)]
struct Holder {
    /// Unknown in tests without a network, whose requests are of one client.
    client: Option<Client>,
    stage: Stage,
    give_way: oneshot::Sender<Problem>,
}

#[derive(Debug)]
enum Stage {
    Receiving { start: Instant, last: Instant, n_bytes: u64 },
    Waiting,
    Running,
}

/// A slot, released when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    id: u64,
    client: Option<Client>,
    table: Arc<Mutex<Table>>,
    _permit: OwnedSemaphorePermit,
}

/// Receives the response of a request that has to give way.
#[derive(Debug)]
pub(crate) struct GiveWay(oneshot::Receiver<Problem>);

/// The mean rate of a body in bytes per second, if it is slow.
pub(crate) fn is_slow(n_bytes: u64, elapsed: Duration) -> Option<f64> {
    let rate = n_bytes as f64 / elapsed.as_secs_f64();
    (elapsed >= GRACE && rate < MIN_RATE).then_some(rate)
}

impl Slots {
    pub(crate) fn new(n_slots: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(n_slots)), table: Arc::default(), n_slots }
    }

    /// A slot for a new request of a client.
    ///
    /// # Errors
    /// [`ProblemType::QueueFull`] if all slots are taken and none has to give way.
    pub(crate) async fn acquire(&self, client: Option<Client>) -> Result<(Slot, GiveWay), Problem> {
        let full = || {
            let detail = format!("all {} slots for recordings are taken", self.n_slots);
            Problem::new(ProblemType::QueueFull, detail)
        };
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if !lock(&self.table).make_room(client) => return Err(full()),
            Err(_) => {
                let permit = timeout(GIVE_WAY_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await;
                permit.ok().and_then(Result::ok).ok_or_else(full)?
            }
        };
        Ok(self.hold(client, permit))
    }

    fn hold(&self, client: Option<Client>, permit: OwnedSemaphorePermit) -> (Slot, GiveWay) {
        let (give_way, receiver) = oneshot::channel();
        let mut table = lock(&self.table);
        let id = table.next_id;
        table.next_id += 1;
        let now = Instant::now();
        let stage = Stage::Receiving { start: now, last: now, n_bytes: 0 };
        table.holders.insert(id, Holder { client, stage, give_way });
        (Slot { id, client, table: Arc::clone(&self.table), _permit: permit }, GiveWay(receiver))
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    /// Makes one holder give way to a request of `client`; false if none has to.
    fn make_room(&mut self, client: Option<Client>) -> bool {
        let (id, problem) = if let Some(id) = self.slowest() {
            let detail = "the body arrived slowly, and all slots for recordings are taken";
            (id, Problem::new(ProblemType::BodyTimeout, detail))
        } else if let Some(id) = self.newest_of_dominant(client) {
            let detail = "all slots for recordings are taken, and this client had the most of them";
            (id, Problem::new(ProblemType::QueueFull, detail))
        } else {
            return false;
        };
        if let Some(holder) = self.holders.remove(&id) {
            // The send fails if the request ends at this moment, which releases its slot too.
            let _ = holder.give_way.send(problem);
        }
        true
    }

    /// The slowest body below [`MIN_RATE`], or one that has stopped.
    fn slowest(&self) -> Option<u64> {
        let rate = |(id, holder): (&u64, &Holder)| match holder.stage {
            Stage::Receiving { last, .. } if last.elapsed() >= MAX_GAP => Some((*id, 0.0)),
            Stage::Receiving { start, n_bytes, .. } => Some((*id, is_slow(n_bytes, start.elapsed())?)),
            Stage::Waiting | Stage::Running => None,
        };
        let rates = self.holders.iter().filter_map(rate);
        rates.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).map(|(id, _)| id)
    }

    /// The newest request that is not being processed, of the client with the most slots, if that has two more than `client`.
    fn newest_of_dominant(&self, client: Option<Client>) -> Option<u64> {
        let mut n_of: HashMap<Option<Client>, usize> = HashMap::new();
        self.holders.values().for_each(|holder| *n_of.entry(holder.client).or_default() += 1);
        let enough = n_of.get(&client).copied().unwrap_or_default() + 2;
        let of = |holder: &Holder| n_of.get(&holder.client).copied().unwrap_or_default();
        let movable = self.holders.iter().filter(|(_, holder)| !matches!(holder.stage, Stage::Running));
        let candidates = movable.filter(|(_, holder)| of(holder) >= enough);
        candidates.max_by_key(|(id, holder)| (of(holder), **id)).map(|(id, _)| *id)
    }
}

impl Slot {
    /// The client of the request.
    pub(crate) fn client(&self) -> Option<Client> {
        self.client
    }

    /// What counts the bytes of the body.
    pub(crate) fn counter(&self) -> impl FnMut(usize) + Send + Unpin + 'static {
        let (id, table) = (self.id, Arc::clone(&self.table));
        move |length| {
            if let Some(Holder { stage: Stage::Receiving { n_bytes, last, .. }, .. }) =
                lock(&table).holders.get_mut(&id)
            {
                *n_bytes += length as u64;
                *last = Instant::now();
            }
        }
    }

    /// The body has arrived, and the request waits for a worker.
    pub(crate) fn set_waiting(&self) {
        self.set(Stage::Waiting);
    }

    /// A worker processes the request, which no longer gives way.
    pub(crate) fn set_running(&self) {
        self.set(Stage::Running);
    }

    fn set(&self, stage: Stage) {
        if let Some(holder) = lock(&self.table).holders.get_mut(&self.id) {
            holder.stage = stage;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.table).holders.remove(&self.id);
    }
}

impl GiveWay {
    /// Completes with the response when the request has to give way; never once its slot is released.
    pub(crate) async fn given_way(&mut self) -> Problem {
        match (&mut self.0).await {
            Ok(problem) => problem,
            Err(_) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;

    fn client(last: u8) -> Option<Client> {
        Some(Client::new([10, 0, 0, last].into()))
    }

    /// Slots that are all taken by requests of these clients.
    fn occupied(clients: &[u8]) -> (Slots, Vec<Slot>) {
        let slots = Slots::new(clients.len());
        let held = clients.iter().map(|&last| block_on(slots.acquire(client(last))).unwrap().0).collect();
        (slots, held)
    }

    /// Whether each slot is still held.
    fn kept(slots: &Slots, held: &[Slot]) -> Vec<bool> {
        held.iter().map(|slot| lock(&slots.table).holders.contains_key(&slot.id)).collect()
    }

    fn make_room(slots: &Slots, last: u8) -> bool {
        lock(&slots.table).make_room(client(last))
    }

    /// As if the bodies had begun two seconds earlier.
    fn wait(slots: &Slots) {
        for holder in lock(&slots.table).holders.values_mut() {
            if let Stage::Receiving { start, last, .. } = &mut holder.stage {
                *start -= 2 * GRACE;
                *last -= 2 * GRACE;
            }
        }
    }

    #[test]
    fn a_slow_body_gives_way_and_a_fast_or_a_new_one_does_not() {
        let slots = Slots::new(3);
        let (held, mut give_way): (Vec<_>, Vec<_>) =
            (0..3).map(|_| block_on(slots.acquire(client(1))).unwrap()).unzip();
        assert!(!make_room(&slots, 1), "all are new");
        wait(&slots);
        held[0].counter()(1 << 20);
        held[1].counter()(100);
        assert!(make_room(&slots, 1));
        assert_eq!(kept(&slots, &held), [true, true, false]);
        assert_eq!(block_on(give_way[2].given_way()).problem_type, ProblemType::BodyTimeout);
        assert!(make_room(&slots, 1) && !make_room(&slots, 1));
        assert_eq!(kept(&slots, &held), [true, false, false]);
    }

    #[test]
    fn a_body_that_has_stopped_gives_way_however_much_arrived() {
        let (slots, held) = occupied(&[1, 1]);
        held[0].counter()(1 << 30);
        wait(&slots);
        held[1].counter()(1 << 30);
        assert!(make_room(&slots, 1) && !make_room(&slots, 1));
        assert_eq!(kept(&slots, &held), [false, true]);
    }

    #[test]
    fn a_body_that_has_arrived_is_not_slow() {
        let (slots, held) = occupied(&[1, 1]);
        held.iter().for_each(Slot::set_waiting);
        wait(&slots);
        assert!(!make_room(&slots, 1));
    }

    #[test]
    fn clients_share_the_slots_equally() {
        let (slots, held) = occupied(&[1, 1, 2, 1, 1, 2]);
        assert!(!make_room(&slots, 1), "its own request");
        held[4].set_running();
        held[0].set_waiting();
        assert!(make_room(&slots, 3), "of client 1, which has four");
        assert_eq!(
            kept(&slots, &held),
            [true, true, true, false, true, true],
            "the newest not being processed"
        );
        assert!(!make_room(&slots, 2), "it has two, client 1 has three");
        assert!(make_room(&slots, 3));
        assert_eq!(kept(&slots, &held), [true, false, true, false, true, true]);
        assert!(make_room(&slots, 3), "both have two");
        assert_eq!(kept(&slots, &held), [true, false, true, false, true, false]);
        assert!(make_room(&slots, 3));
        assert_eq!(
            kept(&slots, &held),
            [false, false, true, false, true, false],
            "one being processed stays"
        );
        assert!(!make_room(&slots, 3), "each has one");
    }

    #[test]
    fn a_slot_passes_to_the_request_that_it_gives_way_to() {
        let slots = Slots::new(2);
        block_on(async {
            let (first, _) = slots.acquire(client(1)).await.unwrap();
            let (second, mut give_way) = slots.acquire(client(1)).await.unwrap();
            let release = async {
                let problem = give_way.given_way().await;
                assert_eq!(problem.problem_type, ProblemType::QueueFull);
                drop(second);
            };
            let (of_other, ()) = tokio::join!(slots.acquire(client(2)), release);
            assert!(of_other.is_ok());
            assert!(slots.acquire(client(2)).await.is_err(), "each has one");
            drop(first);
            assert!(slots.acquire(client(2)).await.is_ok());
        });
    }

    #[test]
    fn released_slots_leave_nothing_in_the_table() {
        let (slots, held) = occupied(&[1, 2, 3]);
        drop(held);
        assert!(lock(&slots.table).holders.is_empty());
        assert_eq!(slots.permits.available_permits(), 3);
    }
}
