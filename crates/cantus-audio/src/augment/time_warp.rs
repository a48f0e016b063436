//! The map from output time to input time of a time stretch that preserves transients.
//!
//! A linear map would smear every attack over all frames that contain it. Here time is not stretched around each onset,
//! whose position is that of the linear map, and the intervals between onsets compensate for it.

/// A piecewise linear map from output time to input time, both in samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeWarp {
    /// Pairs of output and input time, both ascending; slope 1 beyond the ends.
    corners: Vec<(f64, f64)>,
    /// Intervals of output time around onsets, where the slope is 1.
    unstretched: Vec<(f64, f64)>,
}

/// Largest share of the interval to the adjacent onset that is not stretched.
const MAX_SHARE: f64 = 0.25;

impl TimeWarp {
    /// For `n_in` input samples with these onsets and `n_out` output samples; up to `max_width` samples on either side of
    /// an onset are not stretched.
    pub(super) fn new(onsets: &[usize], n_in: usize, n_out: usize, max_width: usize) -> Self {
        let (n_in, n_out) = (n_in as f64, n_out as f64);
        let positions: Vec<(f64, f64)> =
            onsets.iter().map(|&onset| (onset as f64 * n_out / n_in, onset as f64)).collect();
        let ends = [(0.0, 0.0), (n_out, n_in)];
        let mut warp = Self { corners: vec![ends[0]], unstretched: Vec::new() };
        for (i, &onset) in positions.iter().enumerate() {
            let before = if i == 0 { ends[0] } else { positions[i - 1] };
            let after = positions.get(i + 1).copied().unwrap_or(ends[1]);
            let (left, right) = (width(before, onset, max_width), width(onset, after, max_width));
            warp.corners.push((onset.0 - left, onset.1 - left));
            warp.corners.push((onset.0 + right, onset.1 + right));
            warp.unstretched.push((onset.0 - left, onset.0 + right));
        }
        warp.corners.push(ends[1]);
        warp
    }

    /// Input time at an output time.
    pub(super) fn input_time(&self, output: f64) -> f64 {
        let next = self.corners.partition_point(|corner| corner.0 <= output);
        let (Some(&before), Some(&after)) = (self.corners.get(next.wrapping_sub(1)), self.corners.get(next))
        else {
            let end = if next == 0 { self.corners.first() } else { self.corners.last() };
            return end.map_or(output, |end| end.1 + output - end.0);
        };
        before.1 + (output - before.0) * (after.1 - before.1) / (after.0 - before.0)
    }

    /// Whether an output time is close to an onset.
    pub(super) fn is_at_onset(&self, output: f64) -> bool {
        let next = self.unstretched.partition_point(|interval| interval.0 <= output);
        self.unstretched.get(next.wrapping_sub(1)).is_some_and(|interval| output <= interval.1)
    }
}

/// Number of samples between two points of the map that are not stretched.
fn width(from: (f64, f64), to: (f64, f64), max_width: usize) -> f64 {
    (MAX_SHARE * (to.0 - from.0).min(to.1 - from.1)).min(max_width as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_onsets_the_map_is_linear() {
        let warp = TimeWarp::new(&[], 1000, 800, 100);
        for output in [0.0, 1.0, 399.5, 799.0, 800.0] {
            assert!((warp.input_time(output) - output * 1.25).abs() < 1e-9);
            assert!(!warp.is_at_onset(output));
        }
        assert_eq!((warp.input_time(-10.0), warp.input_time(810.0)), (-10.0, 1010.0));
    }

    #[test]
    fn onsets_keep_their_position_and_are_not_stretched() {
        for n_out in [50_000, 200_000] {
            let onsets = [20_000, 60_000, 61_000, 99_990];
            let warp = TimeWarp::new(&onsets, 100_000, n_out, 1024);
            let mut last = -1e9;
            for output in (-500..n_out as i32 + 500).map(f64::from) {
                let input = warp.input_time(output);
                assert!(input > last, "not ascending at {output}");
                last = input;
            }
            for onset in onsets {
                let position = onset as f64 * n_out as f64 / 1e5;
                assert!(
                    (warp.input_time(position) - onset as f64).abs() < 1e-6 && warp.is_at_onset(position)
                );
            }
            let position = 20_000.0 * n_out as f64 / 1e5;
            for offset in [-1000.0, 500.0, 1000.0] {
                assert!((warp.input_time(position + offset) - 20_000.0 - offset).abs() < 1e-6);
                assert!(warp.is_at_onset(position + offset) && !warp.is_at_onset(position + 3.0 * offset));
            }
        }
    }
}
