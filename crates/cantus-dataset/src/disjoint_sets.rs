//! Disjoint-set forest (union-find): connected components of joined pairs.
//!
//! Path halving, and the smallest member as the representative of a set, so that the result does not depend on the order
//! of the joins.
//!
//! # Reference
//! B. A. Galler, M. J. Fisher, "An improved equivalence algorithm", 1964.

/// Disjoint sets of the numbers `0..n`, initially singletons.
#[derive(Debug, Clone)]
pub(crate) struct DisjointSets {
    /// For each number, a smaller member of its set; the smallest member points to itself.
    parent: Vec<usize>,
}

impl DisjointSets {
    pub(crate) fn new(n: usize) -> Self {
        Self { parent: (0..n).collect() }
    }

    /// The smallest member of the set of `number`.
    pub(crate) fn find(&mut self, mut number: usize) -> usize {
        while self.parent[number] != number {
            self.parent[number] = self.parent[self.parent[number]];
            number = self.parent[number];
        }
        number
    }

    /// Unites the sets of `a` and `b`.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_transitive_and_do_not_depend_on_their_order() {
        for pairs in [[(4, 2), (2, 0), (3, 5)], [(3, 5), (0, 2), (2, 4)]] {
            let mut sets = DisjointSets::new(6);
            pairs.iter().for_each(|(a, b)| sets.join(*a, *b));
            assert_eq!((0..6).map(|n| sets.find(n)).collect::<Vec<_>>(), [0, 1, 0, 3, 0, 3]);
        }
    }
}
