//! Places of windows in a recording, and the padding of a recording that is shorter than one.

use crate::feature::SegmentPadding;

/// The window of `n_windows` that is number `index` of `n_chosen` at equal distances, from the first to the last; a single one
/// is in the middle.
pub(super) fn spread_index(index: usize, n_chosen: usize, n_windows: usize) -> usize {
    match n_chosen {
        0 | 1 => (n_windows - 1) / 2,
        _ => index * (n_windows - 1) / (n_chosen - 1),
    }
}

/// First samples of the windows of a recording that is at least as long as a window: one every `hop`, and one that ends where
/// the recording ends, if at least half a hop would remain uncovered.
pub(super) fn window_starts(n_samples: usize, length: usize, hop: usize) -> Vec<usize> {
    let Some(last) = n_samples.checked_sub(length) else { return Vec::new() };
    let mut starts: Vec<usize> = (0..=last).step_by(hop).collect();
    if 2 * (last % hop) >= hop && last % hop > 0 {
        starts.push(last);
    }
    starts
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

    #[test]
    fn windows_cover_the_recording_and_the_last_one_ends_with_it() {
        assert_eq!(window_starts(100, 40, 20), [0, 20, 40, 60]);
        assert_eq!(window_starts(109, 40, 20), [0, 20, 40, 60]);
        assert_eq!(window_starts(110, 40, 20), [0, 20, 40, 60, 70]);
        assert_eq!(window_starts(40, 40, 50), [0]);
        assert_eq!(window_starts(100, 40, 50), [0, 50]);
        assert_eq!(window_starts(120, 40, 50), [0, 50, 80]);
        assert!(window_starts(39, 40, 20).is_empty());
    }
}
