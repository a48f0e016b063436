//! The running median: what most of the neighbours say, whatever the loudest of them claims.
//!
//! A window slides along a sequence, and each value is replaced by the median of the window around it. Unlike a mean,
//! it removes what is shorter than half the window altogether, and leaves edges where they are.
//!
//! # Method
//! The window is kept sorted; a step takes the oldest value out and puts the next one in, in one pass of comparisons
//! without a branch. So [`LANES`] sequences are filtered side by side in vector instructions.
//!
//! # Conventions
//! Beyond its ends a sequence is mirrored, the end value twice. Of an even window, the upper of the two middle values.
//!
//! # Reference
//! Equals `scipy.ndimage.median_filter(…, mode="reflect")`.

use super::padding::PadMode;

/// Number of sequences that are filtered side by side.
pub const LANES: usize = 16;

/// Values of [`LANES`] sequences at one time.
pub type Lanes = [f32; LANES];

/// A planned running median.
#[derive(Debug, Clone)]
pub struct RunningMedian {
    /// `[size]`, each lane in rising order.
    sorted: Vec<Lanes>,
}

impl RunningMedian {
    /// Plans a median over windows of `size` values; a size of 0 is taken as 1.
    pub fn new(size: usize) -> Self {
        Self { sorted: vec![[0.0; LANES]; size.max(1)] }
    }

    /// Length of the window.
    pub fn size(&self) -> usize {
        self.sorted.len()
    }

    /// Filters sequences of `n` values: `value(i)` gives the values at `i`, and `visit` is handed their medians.
    pub fn filter(&mut self, n: usize, value: impl Fn(usize) -> Lanes, mut visit: impl FnMut(usize, &Lanes)) {
        if n == 0 {
            return;
        }
        let (size, half) = (self.size(), (self.size() / 2) as isize);
        let mirrored = |i: isize| PadMode::Symmetric.source(i, n).map_or([0.0; LANES], &value);
        self.sorted.fill([f32::INFINITY; LANES]);
        (0..size as isize).for_each(|i| self.replace([f32::INFINITY; LANES], mirrored(i - half)));
        for i in 0..n {
            visit(i, &self.sorted[size / 2]);
            let oldest = i as isize - half;
            if i + 1 < n {
                self.replace(mirrored(oldest), mirrored(oldest + size as isize));
            }
        }
    }

    /// Takes one occurrence of `old` out of the window and puts `new` in its place in the order.
    fn replace(&mut self, old: Lanes, new: Lanes) {
        let mut before = [f32::NEG_INFINITY; LANES]; // the greatest of those already passed, `old` left out
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

    /// Sorts every window anew.
    fn slow(values: &[f32], size: usize) -> Vec<f32> {
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
    fn the_running_median_is_the_middle_of_every_window_sorted_anew() {
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
                    assert_eq!(found, slow(&values, size), "{size} of {n}, lane {lane}");
                }
            }
        }
    }

    #[test]
    fn medians_equal_scipys() {
        // print(scipy.ndimage.median_filter([3., 1, 4, 1, 5, 9, 2, 6], size=size, mode="reflect")) for 3 and 4
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        assert_eq!(slow(&values, 3), [3.0, 3.0, 1.0, 4.0, 5.0, 5.0, 6.0, 6.0]);
        assert_eq!(slow(&values, 4), [3.0, 3.0, 3.0, 4.0, 5.0, 5.0, 6.0, 6.0]);
    }

    #[test]
    fn what_is_no_number_does_not_stop_it() {
        let mut n_seen = 0;
        RunningMedian::new(5).filter(
            20,
            |i| [if i % 3 == 0 { f32::NAN } else { 1.0 }; LANES],
            |_, _| n_seen += 1,
        );
        assert_eq!(n_seen, 20);
    }
}
