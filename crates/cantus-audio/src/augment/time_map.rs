//! Which moment of a recording is heard at which moment of its stretched copy.
//!
//! A straight line would smear every attack over as many frames as hear it. So time runs at its own speed around each
//! onset, at the place where the straight line has it, and the stretches between onsets make up for that.

/// A piecewise linear map from stretched time to recorded time, both in samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeMap {
    /// Pairs of stretched and recorded time, both ascending; beyond the ends time runs at its own speed.
    corners: Vec<(f64, f64)>,
    /// Stretches of stretched time around onsets, in which time runs at its own speed.
    zones: Vec<(f64, f64)>,
}

/// Share of the way to the next onset within which time may run at its own speed.
const SHARE: f64 = 0.25;

impl TimeMap {
    /// For a recording of `n_in` samples with these onsets and a copy of `n_out`; up to `reach` samples around an onset
    /// run at their own speed.
    pub(super) fn new(onsets: &[usize], n_in: usize, n_out: usize, reach: usize) -> Self {
        let (n_in, n_out) = (n_in as f64, n_out as f64);
        let places: Vec<(f64, f64)> =
            onsets.iter().map(|&onset| (onset as f64 * n_out / n_in, onset as f64)).collect();
        let ends = [(0.0, 0.0), (n_out, n_in)];
        let mut map = Self { corners: vec![ends[0]], zones: Vec::new() };
        for (i, &place) in places.iter().enumerate() {
            let before = if i == 0 { ends[0] } else { places[i - 1] };
            let after = places.get(i + 1).copied().unwrap_or(ends[1]);
            let (left, right) = (room(before, place, reach), room(place, after, reach));
            map.corners.push((place.0 - left, place.1 - left));
            map.corners.push((place.0 + right, place.1 + right));
            map.zones.push((place.0 - left, place.0 + right));
        }
        map.corners.push(ends[1]);
        map
    }

    /// Recorded time at a moment of stretched time.
    pub(super) fn recorded(&self, stretched: f64) -> f64 {
        let next = self.corners.partition_point(|corner| corner.0 <= stretched);
        let (Some(&before), Some(&after)) = (self.corners.get(next.wrapping_sub(1)), self.corners.get(next))
        else {
            let end = if next == 0 { self.corners.first() } else { self.corners.last() };
            return end.map_or(stretched, |end| end.1 + stretched - end.0);
        };
        before.1 + (stretched - before.0) * (after.1 - before.1) / (after.0 - before.0)
    }

    /// Whether a moment of stretched time lies around an onset.
    pub(super) fn is_at_onset(&self, stretched: f64) -> bool {
        let next = self.zones.partition_point(|zone| zone.0 <= stretched);
        self.zones.get(next.wrapping_sub(1)).is_some_and(|zone| stretched <= zone.1)
    }
}

/// Samples between two moments that may run at their own speed.
fn room(from: (f64, f64), to: (f64, f64), reach: usize) -> f64 {
    (SHARE * (to.0 - from.0).min(to.1 - from.1)).min(reach as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_onsets_time_is_a_straight_line() {
        let map = TimeMap::new(&[], 1000, 800, 100);
        for stretched in [0.0, 1.0, 399.5, 799.0, 800.0] {
            assert!((map.recorded(stretched) - stretched * 1.25).abs() < 1e-9);
            assert!(!map.is_at_onset(stretched));
        }
        assert_eq!((map.recorded(-10.0), map.recorded(810.0)), (-10.0, 1010.0));
    }

    #[test]
    fn onsets_keep_their_place_and_their_surroundings_their_speed() {
        for n_out in [50_000, 200_000] {
            let onsets = [20_000, 60_000, 61_000, 99_990];
            let map = TimeMap::new(&onsets, 100_000, n_out, 1024);
            let mut last = -1e9;
            for stretched in (-500..n_out as i32 + 500).map(f64::from) {
                let recorded = map.recorded(stretched);
                assert!(recorded > last, "time runs backwards at {stretched}");
                last = recorded;
            }
            for onset in onsets {
                let place = onset as f64 * n_out as f64 / 1e5;
                assert!((map.recorded(place) - onset as f64).abs() < 1e-6 && map.is_at_onset(place));
            }
            let place = 20_000.0 * n_out as f64 / 1e5;
            for away in [-1000.0, 500.0, 1000.0] {
                assert!((map.recorded(place + away) - 20_000.0 - away).abs() < 1e-6);
                assert!(map.is_at_onset(place + away) && !map.is_at_onset(place + 3.0 * away));
            }
        }
    }
}
