//! The part of a decoded stream that is sound, without encoder delay and padding.

use std::ops::Range;

/// Samples to skip at the start of a stream, and the number of samples after them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PlayRange {
    pub(super) n_skipped: u64,
    /// `None`: to the end.
    pub(super) n_samples: Option<u64>,
}

impl PlayRange {
    /// The part of the next `n` decoded samples that is within the range, which moves on by them.
    pub(super) fn next(&mut self, n: usize) -> Range<usize> {
        let start = n.min(usize::try_from(self.n_skipped).unwrap_or(usize::MAX));
        self.n_skipped -= start as u64;
        let n_left = self.n_samples.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let n_played = (n - start).min(n_left);
        self.n_samples = self.n_samples.map(|n| n - n_played as u64);
        start..start + n_played
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_out_of_blocks() {
        let mut range = PlayRange { n_skipped: 1500, n_samples: Some(1000) };
        let found: Vec<_> = (0..4).map(|_| range.next(1024)).collect();
        assert_eq!(found, [1024..1024, 476..1024, 0..452, 0..0]);
        assert_eq!(PlayRange::default().next(7), 0..7);
    }
}
