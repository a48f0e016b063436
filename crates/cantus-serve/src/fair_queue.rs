//! Order of the recordings that wait for a worker: that of the client which has the fewest being processed, and of these the oldest.

use std::collections::{HashMap, VecDeque};

use crate::client::Client;

/// Items that wait, each of a client, and the number of items that each client has being processed.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    next_id: u64,
    waiting: VecDeque<Waiting<T>>,
    n_running: HashMap<Option<Client>, usize>,
}

#[derive(Debug)]
struct Waiting<T> {
    id: u64,
    client: Option<Client>,
    item: T,
}

impl<T> FairQueue<T> {
    pub(crate) fn new() -> Self {
        Self { next_id: 0, waiting: VecDeque::new(), n_running: HashMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds an item; the result identifies it.
    pub(crate) fn push(&mut self, client: Option<Client>, item: T) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.waiting.push_back(Waiting { id, client, item });
        id
    }

    /// Removes an item that no longer waits for its result; `None` if it was popped.
    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        let position = self.waiting.iter().position(|waiting| waiting.id == id)?;
        self.waiting.remove(position).map(|waiting| waiting.item)
    }

    /// The next item, being processed from now on.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.pop_below(usize::MAX)
    }

    /// The next item of a client that has none being processed.
    pub(crate) fn pop_of_idle_client(&mut self) -> Option<T> {
        self.pop_below(1)
    }

    /// The next item of a client that has fewer than `limit` being processed.
    fn pop_below(&mut self, limit: usize) -> Option<T> {
        let n_running = |waiting: &Waiting<T>| self.n_running.get(&waiting.client).copied().unwrap_or(0);
        let numbers = self.waiting.iter().map(n_running).enumerate();
        let (position, _) =
            numbers.filter(|(_, n)| *n < limit).min_by_key(|(position, n)| (*n, *position))?;
        let Waiting { client, item, .. } = self.waiting.remove(position)?;
        *self.n_running.entry(client).or_default() += 1;
        Some(item)
    }

    /// An item of a client has been processed.
    pub(crate) fn finish(&mut self, client: Option<Client>) {
        if let Some(n) = self.n_running.get_mut(&client) {
            *n -= 1;
            if *n == 0 {
                self.n_running.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Option<Client> {
        Some(Client::new([10, 0, 0, last].into()))
    }

    /// A queue in which items of these clients wait; the item is its number.
    fn queue(clients: &[u8]) -> FairQueue<usize> {
        let mut queue = FairQueue::new();
        for (n, &last) in clients.iter().enumerate() {
            queue.push(client(last), n);
        }
        queue
    }

    #[test]
    fn clients_take_turns_and_the_oldest_item_of_a_client_is_first() {
        let mut queue = queue(&[1, 1, 1, 1, 2, 3, 2]);
        let order: Vec<usize> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [0, 4, 5, 1, 6, 2, 3]);
    }

    #[test]
    fn a_client_without_an_item_in_progress_is_first() {
        let mut queue = queue(&[1, 1, 1, 2]);
        assert_eq!(
            (queue.pop(), queue.pop_of_idle_client(), queue.pop_of_idle_client()),
            (Some(0), Some(3), None)
        );
        queue.finish(client(1));
        assert_eq!((queue.pop_of_idle_client(), queue.pop_of_idle_client()), (Some(1), None));
        queue.finish(client(1));
        queue.finish(client(2));
        assert!(queue.n_running.is_empty());
    }

    #[test]
    fn a_removed_item_is_not_popped() {
        let mut queue = FairQueue::new();
        let ids = [0, 1, 2].map(|n| queue.push(client(1), n));
        assert_eq!((queue.remove(ids[1]), queue.remove(ids[1])), (Some(1), None));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(0), Some(2), None));
        assert!(queue.is_empty() && queue.remove(ids[0]).is_none());
    }
}
