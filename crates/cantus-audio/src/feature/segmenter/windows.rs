//! Places of windows in a recording, and the padding of a recording that is shorter than one.

use crate::feature::SegmentPadding;

/// First samples of the windows of a recording: one every `hop`, and one that ends where the recording ends, if at least half
/// a hop would remain uncovered. None if the recording is shorter than a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowStarts {
    /// First sample of a window that ends with the recording.
    last: Option<u64>,
    hop: u64,
}

impl WindowStarts {
    pub(super) fn new(n_samples: u64, length: usize, hop: usize) -> Self {
        Self { last: n_samples.checked_sub(length as u64), hop: hop as u64 }
    }

    /// Number of windows.
    pub(super) fn len(self) -> u64 {
        self.last.map_or(0, |last| {
            let rest = last % self.hop;
            last / self.hop + 1 + u64::from(rest > 0 && 2 * rest >= self.hop)
        })
    }

    /// First sample of window number `index`.
    pub(super) fn start(self, index: u64) -> u64 {
        (index * self.hop).min(self.last.unwrap_or(0))
    }

    /// First samples of `n_chosen` windows at equal distances, from the first to the last; a single one is in the middle. There
    /// are more windows than that.
    pub(super) fn spread(self, n_chosen: usize) -> Vec<u64> {
        let (n_chosen, n_windows) = (n_chosen as u64, self.len());
        let index = |number: u64| match n_chosen {
            1 => (n_windows - 1) / 2,
            _ => (u128::from(number) * u128::from(n_windows - 1) / u128::from(n_chosen - 1)) as u64,
        };
        (0..n_chosen).map(|number| self.start(index(number))).collect()
    }
}

/// A short recording as a segment of `length` samples.
pub(super) fn padded(samples: &[f32], length: usize, padding: SegmentPadding) -> Vec<f32> {
    match padding {
        SegmentPadding::Repeat => samples.iter().copied().cycle().take(length).collect(),
        SegmentPadding::Zero | SegmentPadding::None => {
            let mut padded = samples.to_vec();
            padded.resize(length, 0.0);
            padded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(n_samples: u64, length: usize, hop: usize) -> Vec<u64> {
        let windows = WindowStarts::new(n_samples, length, hop);
        (0..windows.len()).map(|index| windows.start(index)).collect()
    }

    #[test]
    fn windows_cover_the_recording_and_the_last_one_ends_with_it() {
        assert_eq!(starts(100, 40, 20), [0, 20, 40, 60]);
        assert_eq!(starts(109, 40, 20), [0, 20, 40, 60]);
        assert_eq!(starts(110, 40, 20), [0, 20, 40, 60, 70]);
        assert_eq!(starts(40, 40, 50), [0]);
        assert_eq!(starts(100, 40, 50), [0, 50]);
        assert_eq!(starts(120, 40, 50), [0, 50, 80]);
        assert!(starts(39, 40, 20).is_empty());
    }

    #[test]
    fn windows_at_equal_distances_begin_with_the_first_and_end_with_the_last() {
        let windows = WindowStarts::new(110, 40, 20);
        assert_eq!(windows.spread(4), [0, 20, 40, 70]);
        assert_eq!(windows.spread(3), [0, 40, 70]);
        assert_eq!(windows.spread(2), [0, 70]);
        assert_eq!(windows.spread(1), [40]);
        assert_eq!(windows.spread(0), [0_u64; 0]);
    }
}
