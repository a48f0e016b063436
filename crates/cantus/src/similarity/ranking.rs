//! The `k` most similar of any number of candidates, in memory of `k`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A candidate and its similarity; ordered from the most to the least similar, equal ones by their index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) index: usize,
    /// Not NaN.
    pub(super) similarity: f64,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.similarity.total_cmp(&self.similarity).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// The `k` most similar candidates so far.
#[derive(Debug)]
pub(super) struct Ranking {
    k: usize,
    /// The least similar is at the top.
    heap: BinaryHeap<Ranked>,
}

impl Ranking {
    pub(super) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(super) fn add(&mut self, candidate: Ranked) {
        self.heap.push(candidate);
        if self.heap.len() > self.k {
            self.heap.pop();
        }
    }

    /// The candidates, the most similar first.
    pub(super) fn finish(self) -> Vec<Ranked> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Indices of the `k` most similar.
    fn ranked(similarities: &[f64], k: usize) -> Vec<usize> {
        let mut ranking = Ranking::new(k);
        let candidates = similarities.iter().enumerate();
        candidates.for_each(|(index, &similarity)| ranking.add(Ranked { index, similarity }));
        assert!(ranking.heap.len() <= k, "bounded memory");
        ranking.finish().into_iter().map(|ranked| ranked.index).collect()
    }

    #[test]
    fn equal_similarities_are_in_the_order_of_their_indices() {
        let similarities = [0.5, 1.0, -0.5, 1.0, 0.5, 1.0];
        assert_eq!(ranked(&similarities, 2), [1, 3]);
        assert_eq!(ranked(&similarities, 4), [1, 3, 5, 0]);
        assert_eq!(ranked(&similarities, 9), [1, 3, 5, 0, 4, 2]);
        assert!(ranked(&similarities, 0).is_empty());
    }

    #[test]
    fn the_ranking_equals_the_beginning_of_a_sorted_list() {
        let similarities: Vec<f64> = (0..500).map(|n| f64::from(n * 7919 % 101) / 101.0).collect();
        let mut sorted: Vec<usize> = (0..similarities.len()).collect();
        sorted.sort_by(|&a, &b| similarities[b].total_cmp(&similarities[a]));
        for k in [1, 10, 499, 500] {
            assert_eq!(ranked(&similarities, k), sorted[..k]);
        }
    }
}
