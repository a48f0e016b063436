//! Disjoint sets: what belongs together, directly or by way of others.
//!
//! # Reference
//! Galler & Fisher 1964, with path halving and the smallest member as a set's representative, so that the sets do not
//! depend on the order in which their members were joined.

/// Sets of the numbers `0..n`, each alone at first.
#[derive(Debug, Clone)]
pub(crate) struct DisjointSets {
    /// Of each number, one that is not larger and in the same set; the smallest of a set points to itself.
    parent: Vec<usize>,
}

impl DisjointSets {
    pub(crate) fn new(n: usize) -> Self {
        Self { parent: (0..n).collect() }
    }

    /// The smallest number of the set that holds `number`.
    pub(crate) fn find(&mut self, mut number: usize) -> usize {
        while self.parent[number] != number {
            self.parent[number] = self.parent[self.parent[number]];
            number = self.parent[number];
        }
        number
    }

    /// Makes one set of those of `a` and `b`.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_by_way_of_others_is_one_set_in_any_order() {
        for pairs in [[(4, 2), (2, 0), (3, 5)], [(3, 5), (0, 2), (2, 4)]] {
            let mut sets = DisjointSets::new(6);
            pairs.iter().for_each(|(a, b)| sets.join(*a, *b));
            assert_eq!((0..6).map(|n| sets.find(n)).collect::<Vec<_>>(), [0, 1, 0, 3, 0, 3]);
        }
    }
}
