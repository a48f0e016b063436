//! How much of a feature store a training has in memory.

/// Bytes for features, if [`TrainOptions::memory`](crate::TrainOptions::memory) does not say how many: 2 GiB.
pub(super) const DEFAULT_MEMORY: u64 = 2 << 30;

/// Memory that is left for the features of a training.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    left: u64,
}

impl MemoryBudget {
    pub(crate) fn new(n_bytes: u64) -> Self {
        Self { left: n_bytes }
    }

    /// Takes `n_bytes`, if so many are left.
    pub(crate) fn take(&mut self, n_bytes: u64) -> bool {
        let left = self.left.checked_sub(n_bytes);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// An equal share of what is left, for each of `n` users.
    pub(crate) fn share(&self, n: u64) -> u64 {
        self.left / n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_no_longer_left() {
        let mut memory = MemoryBudget::new(10);
        assert_eq!(
            [memory.take(7), memory.take(4), memory.take(3), memory.take(1)],
            [true, false, true, false]
        );
        assert!(memory.take(0));
        assert_eq!(MemoryBudget::new(10).share(3), 3);
    }
}
