//! The bodies that are being received, each of which holds a slot of the inference queue, and which one gives way to a new request.
//!
//! A client that sends its body by the byte would hold a slot until the time limit. If all slots are taken, such a body gives way;
//! or, if one client holds more than half of the slots, its newest body to a request of a client that holds none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// A body is slow if its mean rate is below this one, in bytes per second: 16 kbit/s, less than speech in Opus.
const MIN_RATE: f64 = 2000.0;
/// A body is not slow before this time.
const GRACE: Duration = Duration::from_secs(1);

/// The bodies that are being received.
#[derive(Debug, Clone)]
pub(crate) struct Uploads(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    receiving: HashMap<u64, Receiving>,
}

#[derive(Debug)]
struct Receiving {
    client: Option<IpAddr>,
    start: Instant,
    n_bytes: u64,
    give_way: Arc<Notify>,
}

/// A body that is being received, until it is dropped.
#[derive(Debug)]
pub(crate) struct UploadTicket {
    id: u64,
    uploads: Uploads,
    give_way: Arc<Notify>,
}

impl Uploads {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Adds a body; the address of its client is unknown in tests without a network.
    pub(crate) fn begin(&self, client: Option<IpAddr>) -> UploadTicket {
        let mut table = self.table();
        let (id, give_way) = (table.next_id, Arc::new(Notify::new()));
        table.next_id += 1;
        let receiving =
            Receiving { client, start: Instant::now(), n_bytes: 0, give_way: Arc::clone(&give_way) };
        table.receiving.insert(id, receiving);
        UploadTicket { id, uploads: self.clone(), give_way }
    }

    /// Makes one body give way to a request of `client`; false if none has to. `n_slots` is the number of slots of the queue.
    pub(crate) fn make_room(&self, client: Option<IpAddr>, n_slots: usize) -> bool {
        let mut table = self.table();
        let Some(id) = table.slowest().or_else(|| table.newest_of_dominant(client, n_slots)) else {
            return false;
        };
        if let Some(receiving) = table.receiving.remove(&id) {
            receiving.give_way.notify_one();
        }
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The slowest body below [`MIN_RATE`].
    fn slowest(&self) -> Option<u64> {
        let rate = |receiving: &Receiving| {
            let elapsed = receiving.start.elapsed();
            (elapsed >= GRACE).then(|| receiving.n_bytes as f64 / elapsed.as_secs_f64())
        };
        let rates = self.receiving.iter().filter_map(|(id, receiving)| Some((*id, rate(receiving)?)));
        let slow = rates.filter(|(_, rate)| *rate < MIN_RATE);
        slow.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).map(|(id, _)| id)
    }

    /// The newest body of a client that holds more than half of the slots, if `client` holds none.
    fn newest_of_dominant(&self, client: Option<IpAddr>, n_slots: usize) -> Option<u64> {
        let mut of_clients: HashMap<IpAddr, Vec<u64>> = HashMap::new();
        for (id, receiving) in &self.receiving {
            of_clients.entry(receiving.client?).or_default().push(*id);
        }
        if of_clients.contains_key(&client?) {
            return None;
        }
        let dominant = of_clients.into_values().find(|ids| 2 * ids.len() > n_slots)?;
        dominant.into_iter().max()
    }
}

impl UploadTicket {
    /// Completes when the body has to give way.
    pub(crate) async fn given_way(&self) {
        self.give_way.notified().await;
    }

    /// What counts the bytes of the body.
    pub(crate) fn counter(&self) -> impl FnMut(usize) + Send + Unpin + 'static {
        let (id, uploads) = (self.id, self.uploads.clone());
        move |n_bytes| {
            if let Some(receiving) = uploads.table().receiving.get_mut(&id) {
                receiving.n_bytes += n_bytes as u64;
            }
        }
    }
}

impl Drop for UploadTicket {
    fn drop(&mut self) {
        self.uploads.table().receiving.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Option<IpAddr> {
        Some([10, 0, 0, last].into())
    }

    /// Whether each body is still being received.
    fn kept(uploads: &Uploads, tickets: &[UploadTicket]) -> Vec<bool> {
        tickets.iter().map(|ticket| uploads.table().receiving.contains_key(&ticket.id)).collect()
    }

    #[test]
    fn a_slow_body_gives_way_and_a_fast_or_a_new_one_does_not() {
        let uploads = Uploads::new();
        let tickets: Vec<UploadTicket> = (0..3).map(|_| uploads.begin(client(1))).collect();
        assert!(!uploads.make_room(client(1), 8), "all are new");
        for receiving in uploads.table().receiving.values_mut() {
            receiving.start -= 2 * GRACE;
        }
        tickets[0].counter()(1 << 20);
        tickets[1].counter()(100);
        assert!(uploads.make_room(client(1), 8));
        assert_eq!(kept(&uploads, &tickets), [true, true, false]);
        assert!(uploads.make_room(client(1), 8) && !uploads.make_room(client(1), 8));
        assert_eq!(kept(&uploads, &tickets), [true, false, false]);
    }

    #[test]
    fn a_client_with_more_than_half_of_the_slots_gives_one_to_a_client_without() {
        let uploads = Uploads::new();
        let tickets: Vec<UploadTicket> = (0..3).map(|_| uploads.begin(client(1))).collect();
        assert!(!uploads.make_room(client(2), 6), "half of the slots");
        assert!(!uploads.make_room(client(1), 5), "its own request");
        assert!(uploads.make_room(client(2), 5));
        assert_eq!(kept(&uploads, &tickets), [true, true, false]);
        drop(tickets);
        assert!(uploads.table().receiving.is_empty());
    }
}
