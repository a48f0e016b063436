//! The random order of the training examples in an epoch.

use cantus_random::KeyedRng;

use crate::rng_streams;

/// A permutation of `0..n` that depends only on the seed and the epoch (counted from 0).
pub(crate) fn epoch_order(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    KeyedRng::new([seed, rng_streams::EXAMPLE_ORDER, epoch as u64]).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/reference/keyed_random.py`, a second implementation. A change of these orders changes the result of every user's training.
    #[test]
    fn the_orders_of_the_first_epochs_are_pinned() {
        assert_eq!(epoch_order(10, 0, 0), [5, 3, 8, 4, 1, 9, 7, 6, 0, 2]);
        assert_eq!(epoch_order(10, 0, 1), [7, 8, 6, 0, 2, 4, 5, 1, 9, 3]);
    }

    #[test]
    fn every_example_comes_once_and_every_epoch_and_seed_has_its_own_order() {
        let mut sorted = epoch_order(1000, 3, 5);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_ne!(epoch_order(1000, 3, 5), epoch_order(1000, 3, 6));
        assert_ne!(epoch_order(1000, 3, 5), epoch_order(1000, 4, 5));
        assert!(epoch_order(0, 0, 0).is_empty());
    }
}
