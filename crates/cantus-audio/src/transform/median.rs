//! Running median filter of [`LANES`] sequences at once.
//!
//! Each value is replaced by the median of the window around it. Unlike a mean, a median removes outliers that are shorter
//! than half the window completely, and preserves edges.
//!
//! # Method
//! The window is kept sorted; a step removes the oldest value and inserts the next in one branch-free pass of comparisons,
//! in vector instructions over the sequences.
//!
//! # Conventions
//! A sequence is padded by reflection that repeats the end value. The median of an even window is the upper of the two
//! middle values.
//!
//! # Reference
//! Equals `scipy.ndimage.median_filter(…, mode="reflect")`.

use super::padding::PadMode;

/// Number of sequences that are filtered at once.
pub const LANES: usize = 16;

/// One value of each of [`LANES`] sequences.
pub type Lanes = [f32; LANES];

/// A planned running median.
#[derive(Debug, Clone)]
pub struct RunningMedian {
    /// `[size]`, each lane in ascending order.
    sorted: Vec<Lanes>,
}

impl RunningMedian {
    /// Plans a median over windows of `size` values; a size of 0 is taken as 1.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { sorted: vec![[0.0; LANES]; size.max(1)] }
    }

    /// Length of the window.
    #[must_use]
    pub fn size(&self) -> usize {
        self.sorted.len()
    }

    /// Filters sequences of `n` values: `value(i)` returns the values at `i`; `visit` is called with `i` and the medians.
    pub fn filter(&mut self, n: usize, value: impl Fn(usize) -> Lanes, mut visit: impl FnMut(usize, &Lanes)) {
        if n == 0 {
            return;
        }
        let (size, half) = (self.size(), (self.size() / 2) as isize);
        let padded = |i: isize| PadMode::Symmetric.source(i, n).map_or([0.0; LANES], &value);
        self.sorted.fill([f32::INFINITY; LANES]);
        (0..size as isize).for_each(|i| self.replace([f32::INFINITY; LANES], padded(i - half)));
        for i in 0..n {
            visit(i, &self.sorted[size / 2]);
            let oldest = i as isize - half;
            if i + 1 < n {
                self.replace(padded(oldest), padded(oldest + size as isize));
            }
        }
    }

    /// Removes one occurrence of `old` from the window and inserts `new` in order.
    fn replace(&mut self, old: Lanes, new: Lanes) {
        let mut before = [f32::NEG_INFINITY; LANES]; // the largest value so far without `old`
        let last = self.sorted.len() - 1;
        for j in 0..last {
            let (here, next) = (self.sorted[j], self.sorted[j + 1]);
            let slot = &mut self.sorted[j];
            for lane in 0..LANES {
                let kept = if here[lane] < old[lane] { here[lane] } else { next[lane] };
                let inserted = if new[lane] < kept { new[lane] } else { kept };
                slot[lane] = if inserted > before[lane] { inserted } else { before[lane] };
                before[lane] = kept;
            }
        }
        for lane in 0..LANES {
            self.sorted[last][lane] = if new[lane] > before[lane] { new[lane] } else { before[lane] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(i: usize, lane: usize) -> f32 {
        let mixed = (i * 31 + lane + 7).wrapping_mul(2_654_435_761) >> 7;
        (mixed % 23) as f32 - 11.0 // few values, so that many are equal
    }

    /// Sorts every window.
    fn direct(values: &[f32], size: usize) -> Vec<f32> {
        let n = values.len();
        (0..n as isize)
            .map(|i| {
                let start = i - (size / 2) as isize;
                let positions = (start..start + size as isize).map(|p| PadMode::Symmetric.source(p, n));
                let mut window: Vec<f32> = positions.map(|p| values[p.unwrap()]).collect();
                window.sort_by(f32::total_cmp);
                window[size / 2]
            })
            .collect()
    }

    #[test]
    fn it_equals_the_middle_of_every_sorted_window() {
        for size in [1, 2, 3, 8, 17, 31] {
            let mut median = RunningMedian::new(size);
            for n in [0, 1, 2, 5, 40, 200] {
                let mut found = vec![[f32::NAN; LANES]; n];
                median.filter(
                    n,
                    |i| std::array::from_fn(|lane| noise(i, lane)),
                    |i, medians| found[i] = *medians,
                );
                for lane in 0..LANES {
                    let values: Vec<f32> = (0..n).map(|i| noise(i, lane)).collect();
                    let found: Vec<f32> = found.iter().map(|lanes| lanes[lane]).collect();
                    assert_eq!(found, direct(&values, size), "{size} of {n}, lane {lane}");
                }
            }
        }
    }

    #[test]
    fn medians_equal_scipys() {
        // print(scipy.ndimage.median_filter([3., 1, 4, 1, 5, 9, 2, 6], size=size, mode="reflect")) for 3 and 4
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        assert_eq!(direct(&values, 3), [3.0, 3.0, 1.0, 4.0, 5.0, 5.0, 6.0, 6.0]);
        assert_eq!(direct(&values, 4), [3.0, 3.0, 3.0, 4.0, 5.0, 5.0, 6.0, 6.0]);
    }

    #[test]
    fn nan_does_not_panic() {
        let mut n_visited = 0;
        RunningMedian::new(5).filter(
            20,
            |i| [if i % 3 == 0 { f32::NAN } else { 1.0 }; LANES],
            |_, _| n_visited += 1,
        );
        assert_eq!(n_visited, 20);
    }
}
