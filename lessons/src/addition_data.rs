//! Data for the lessons that train addition: random pairs of numbers, and a random split into training and test part.

use cantus_random::KeyedRng;

/// Purpose of a random stream: streams of one seed for different purposes are independent.
const PAIRS: u64 = 0;
const SPLIT: u64 = 1;

/// `n` pairs of numbers, each drawn uniformly from [0, 0.5); the same seed draws the same pairs.
///
/// ```
/// let pairs = cantus_lessons::random_pairs(3, 0);
/// assert!(pairs.concat().iter().all(|x| (0.0..0.5).contains(x)));
/// ```
#[must_use]
pub fn random_pairs(n: usize, seed: u64) -> Vec<[f64; 2]> {
    let mut rng = KeyedRng::new([seed, PAIRS]);
    (0..n).map(|_| [rng.uniform() / 2.0, rng.uniform() / 2.0]).collect()
}

/// Random split into a training part and a test part, which has the share `test_size` (0 to 1) of all items, rounded up.
///
/// # Reference
/// `sklearn.model_selection.train_test_split(items, test_size=test_size)`: same sizes, different random numbers.
#[must_use]
pub fn train_test_split<T>(mut items: Vec<T>, test_size: f64, seed: u64) -> (Vec<T>, Vec<T>) {
    KeyedRng::new([seed, SPLIT]).shuffle(&mut items);
    let n_test = (items.len() as f64 * test_size.clamp(0.0, 1.0)).ceil() as usize;
    let test = items.split_off(items.len().saturating_sub(n_test));
    (items, test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_uniform_in_their_range_and_depend_on_the_seed() {
        let numbers = random_pairs(5000, 3).concat();
        let mean = numbers.iter().sum::<f64>() / 10_000.0;
        // The mean of 10,000 uniform numbers from [0, 0.5) deviates from 0.25 by 0.5 / √12 / 100 = 0.0014.
        assert!((mean - 0.25).abs() < 6.0 * 0.0015, "{mean}");
        assert!(numbers.iter().all(|x| (0.0..0.5).contains(x)));
        assert_ne!(random_pairs(5, 3), random_pairs(5, 4));
        assert_eq!(random_pairs(5, 3), random_pairs(5, 3));
    }

    /// scikit-learn's rule: the test part has `ceil(test_size * n)` items, the training part the rest.
    #[test]
    fn a_split_has_scikit_learns_sizes_and_every_item_once() {
        for (n, n_train, n_test) in [(5000, 3500, 1500), (11, 7, 4), (2, 1, 1)] {
            let (train, test) = train_test_split((0..n).collect(), 0.3, 1);
            assert_eq!((train.len(), test.len()), (n_train, n_test));
            let mut all = [train, test].concat();
            assert!(n < 10 || !all.is_sorted(), "in random order");
            all.sort_unstable();
            assert!(all.into_iter().eq(0..n));
        }
        assert_ne!(train_test_split((0..50).collect(), 0.3, 1), train_test_split((0..50).collect(), 0.3, 2));
    }
}
