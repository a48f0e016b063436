//! Change of the sample rate by any ratio, by a windowed sinc at the nearest of 128 positions between two samples.

use std::f64::consts::PI;
use std::sync::LazyLock;

use cantus_simd::multiversion;

use super::kaiser;

/// Half of the length of the interpolating sinc, in samples of the lower rate.
const SINC_HALF: f64 = 12.0;
/// Points of the sinc's table between its centre and its end.
const N_POINTS: usize = 4096;
/// Positions between two samples at which the sinc is evaluated; the nearest one is used.
const N_PHASES: usize = 128;
/// Independent sums of the loop over samples.
const LANES: usize = 16;

/// The right half of the interpolating sinc at equally spaced points.
static SINC: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let point = |i: usize| {
        let x = i as f64 / N_POINTS as f64;
        let phase = PI * SINC_HALF * x;
        (if i == 0 { 1.0 } else { phase.sin() / phase }) * kaiser(x)
    };
    (0..=N_POINTS).map(point).collect()
});

/// The sinc at `t` samples of the lower rate.
fn sinc(t: f64) -> f64 {
    let at = t.abs() / SINC_HALF * N_POINTS as f64;
    let (i, fraction) = (at as usize, at.fract());
    match SINC.get(i..i + 2) {
        Some(near) => near[0] + fraction * (near[1] - near[0]),
        None => 0.0,
    }
}

/// Divides the rate by a number less than two, or raises it.
pub(super) struct Interpolation {
    /// Input and output rate, in the same unit.
    rate: u64,
    target: u64,
    /// `[N_PHASES + 1, n_taps]`, `n_taps` a multiple of [`LANES`].
    taps: Vec<f32>,
    n_taps: usize,
    pub(super) samples: Vec<f32>,
    /// Index in `samples` of the first tap of the next output, and how far the output lies behind the sample at its centre, in
    /// units of `1 / target` samples.
    at: usize,
    remainder: u64,
}

impl Interpolation {
    pub(super) fn new(rate: u64, target: u64) -> Self {
        // Input samples per sample of the lower rate.
        let period = (rate as f64 / target as f64).max(1.0);
        let half = (SINC_HALF * period).ceil() as usize;
        let n_taps = (2 * half).next_multiple_of(LANES);
        let mut taps = vec![0.0; (N_PHASES + 1) * n_taps];
        for (phase, taps) in taps.chunks_exact_mut(n_taps).enumerate() {
            let at = phase as f64 / N_PHASES as f64;
            let values: Vec<f64> =
                (0..2 * half).map(|i| sinc((i as f64 - (half - 1) as f64 - at) / period)).collect();
            let sum: f64 = values.iter().sum();
            taps.iter_mut().zip(&values).for_each(|(tap, value)| *tap = (value / sum) as f32);
        }
        Self { rate, target, taps, n_taps, samples: vec![0.0; half - 1], at: 0, remainder: 0 }
    }

    /// Appends the output that depends on no later samples.
    pub(super) fn process(&mut self, out: &mut Vec<f32>) {
        let (step, step_remainder) = ((self.rate / self.target) as usize, self.rate % self.target);
        let phases = N_PHASES as f64 / self.target as f64;
        while let Some(samples) = self.samples.get(self.at..self.at + self.n_taps) {
            let phase = (self.remainder as f64 * phases + 0.5) as usize;
            out.push(dot(samples, &self.taps[phase * self.n_taps..][..self.n_taps]));
            self.at += step;
            self.remainder += step_remainder;
            if self.remainder >= self.target {
                (self.at, self.remainder) = (self.at + 1, self.remainder - self.target);
            }
        }
        let n_used = self.at.min(self.samples.len());
        self.samples.drain(..n_used);
        self.at -= n_used;
    }
}

/// Sum of products; both lengths are a multiple of [`LANES`].
#[multiversion]
fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (samples, taps) in samples.as_chunks::<LANES>().0.iter().zip(taps.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += samples[lane] * taps[lane];
        }
    }
    sums.iter().sum()
}
