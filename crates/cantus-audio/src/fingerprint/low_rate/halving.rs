//! Halving of the sample rate by a half-band filter, whose taps at even distances from the centre are zero.

use std::f64::consts::PI;
use std::sync::LazyLock;

use cantus_simd::multiversion;

use super::{BLOCK, kaiser, within_range};

/// Pairs of taps of the last halving, whose transition band is narrow, and of those before it.
const N_LAST: usize = 9;
const N_BEFORE: usize = 3;
/// Independent sums of the loop over samples.
const LANES: usize = 32;

/// The taps of a half-band filter on one side of its centre, without those that are zero.
pub(super) static LAST_TAPS: LazyLock<Vec<f32>> = LazyLock::new(|| half_band(N_LAST));
pub(super) static BEFORE_TAPS: LazyLock<Vec<f32>> = LazyLock::new(|| half_band(N_BEFORE));

fn half_band(n: usize) -> Vec<f32> {
    let taps = (0..n)
        .map(|i| (2 * i + 1) as f64)
        .map(|t| (PI * t / 2.0).sin() / (PI * t) * kaiser(t / (2 * n) as f64));
    let taps: Vec<f64> = taps.collect();
    // With the centre, one half, the gain is 1.
    let scale = 0.25 / taps.iter().sum::<f64>();
    taps.iter().map(|tap| (tap * scale) as f32).collect()
}

/// Halves the sample rate.
pub(super) struct Halving {
    taps: &'static [f32],
    /// Samples of even and odd index, from as many taps before the next output on, and their numbers.
    even: Vec<f32>,
    odd: Vec<f32>,
    n_even: usize,
    n_odd: usize,
}

impl Halving {
    pub(super) fn new(taps: &'static [f32]) -> Self {
        let capacity = BLOCK / 2 + 2 * taps.len() + 2;
        Self { taps, even: vec![0.0; capacity], odd: vec![0.0; capacity], n_even: 0, n_odd: taps.len() }
    }

    /// Takes the next samples, at most [`BLOCK`] before [`process`](Self::process).
    pub(super) fn take(&mut self, mut samples: &[f32]) {
        // After an odd number of samples, the second of a pair is missing.
        if self.n_odd < self.n_even + self.taps.len()
            && let Some((second, rest)) = samples.split_first()
        {
            self.odd[self.n_odd] = within_range(*second);
            self.n_odd += 1;
            samples = rest;
        }
        let (pairs, last) = samples.as_chunks::<2>();
        let (even, odd) = (&mut self.even[self.n_even..], &mut self.odd[self.n_odd..]);
        deinterleave(pairs, even, odd);
        if let [last] = last {
            even[pairs.len()] = within_range(*last);
        }
        self.n_even += pairs.len() + last.len();
        self.n_odd += pairs.len();
    }

    /// The output that depends on no later samples: at most half of [`BLOCK`].
    pub(super) fn process<'a>(&mut self, out: &'a mut [f32]) -> &'a [f32] {
        let n_out = (self.n_odd + 1).saturating_sub(2 * self.taps.len()).min(self.n_even);
        let out = &mut out[..n_out];
        halve(&self.even, &self.odd, self.taps, out);
        self.even.copy_within(n_out..self.n_even, 0);
        self.odd.copy_within(n_out..self.n_odd, 0);
        (self.n_even, self.n_odd) = (self.n_even - n_out, self.n_odd - n_out);
        out
    }
}

#[multiversion]
fn deinterleave(pairs: &[[f32; 2]], even: &mut [f32], odd: &mut [f32]) {
    for ((pair, even), odd) in pairs.iter().zip(even).zip(odd) {
        (*even, *odd) = (within_range(pair[0]), within_range(pair[1]));
    }
}

/// Half-band filter: output `i` has its centre at `even[i]`, between `odd[i + n - 1]` and `odd[i + n]`.
#[multiversion]
fn halve(even: &[f32], odd: &[f32], taps: &[f32], out: &mut [f32]) {
    let n = taps.len();
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    let n_in_blocks = blocks.len() * LANES;
    for (i_block, block) in blocks.iter_mut().enumerate() {
        let at = i_block * LANES;
        let (odd, centre) = (&odd[at..at + 2 * n + LANES - 1], &even[at..at + LANES]);
        let mut sums = [0.0_f32; LANES];
        for (i, tap) in taps.iter().enumerate() {
            let (before, after) = (&odd[n - 1 - i..][..LANES], &odd[n + i..][..LANES]);
            for lane in 0..LANES {
                sums[lane] += tap * (before[lane] + after[lane]);
            }
        }
        for lane in 0..LANES {
            block[lane] = sums[lane] + 0.5 * centre[lane];
        }
    }
    for (at, out) in (n_in_blocks..).zip(rest) {
        let mut sum = 0.0_f32;
        for (i, tap) in taps.iter().enumerate() {
            sum += tap * (odd[at + n - 1 - i] + odd[at + n + i]);
        }
        *out = sum + 0.5 * even[at];
    }
}
