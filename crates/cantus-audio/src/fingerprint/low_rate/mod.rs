//! Conversion of a recording to the 5512.5 Hz from which the fingerprint is computed, by short filters.
//!
//! The sample rate is halved while it is at least twice the target, by half-band filters; what is left of the ratio, less than
//! two, is interpolated by a windowed sinc. Frequencies up to [`PASS_HZ`] are kept within 0.2 dB, and what aliases there is
//! attenuated by 39 dB or more: far more than a fingerprint needs. All sums are in a fixed order, so that the output depends
//! neither on the lengths of the blocks nor on the instruction set.
//!
//! # Reference
//! P. P. Vaidyanathan, "Multirate Systems and Filter Banks", 1993, section 4.6 (half-band filters in polyphase form).

mod halving;
mod interpolation;

use cantus_simd::multiversion;

use self::halving::{BEFORE_TAPS, Halving, LAST_TAPS};
use self::interpolation::Interpolation;
use crate::resample::bessel_i0;

/// Twice the target rate, in Hz.
pub(super) const TWICE_RATE: u64 = 11_025;
/// Highest frequency that is kept, in Hz.
pub(super) const PASS_HZ: f64 = 2400.0;

/// Shape of the Kaiser windows: side lobes of 40 dB.
const BETA: f64 = 3.4;
/// Input samples that are processed at once.
const BLOCK: usize = 8192;

/// Converts a signal that arrives in blocks, in memory that does not depend on its length.
pub(super) struct LowRate {
    sample_rate: u32,
    n_samples: u64,
    n_out: u64,
    /// Samples that the first stage has taken since they were last processed.
    n_pending: usize,
    halvings: Vec<Halving>,
    interpolation: Option<Interpolation>,
    /// Scratch: output of a stage.
    halved: Vec<f32>,
}

impl LowRate {
    /// For samples at `sample_rate` Hz.
    pub(super) fn new(sample_rate: u32) -> Self {
        let mut halvings = Vec::new();
        let (rate, mut target) = (2 * u64::from(sample_rate), TWICE_RATE);
        while rate >= 2 * target {
            target *= 2;
            let taps = if rate < 2 * target { &*LAST_TAPS } else { &*BEFORE_TAPS };
            halvings.push(Halving::new(taps));
        }
        let interpolation = (rate != target).then(|| Interpolation::new(rate, target));
        Self {
            sample_rate,
            n_samples: 0,
            n_out: 0,
            n_pending: 0,
            halvings,
            interpolation,
            halved: vec![0.0; BLOCK],
        }
    }

    /// Takes the next samples, and appends those at the low rate that depend on no later ones to `low`, some with a delay.
    pub(super) fn push(&mut self, mut samples: &[f32], low: &mut Vec<f32>) {
        self.n_samples += samples.len() as u64;
        while !samples.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(BLOCK - self.n_pending));
            self.take(head, low);
            samples = tail;
            if self.n_pending == BLOCK {
                self.process(low);
            }
        }
    }

    /// Appends the samples at the low rate that remain; the signal is zero-padded.
    pub(super) fn finish(&mut self, low: &mut Vec<f32>) {
        let n_expected =
            u128::from(self.n_samples) * u128::from(TWICE_RATE) / (2 * u128::from(self.sample_rate));
        // More than the delay of all filters.
        let n_zeros = self.sample_rate as usize / 50 + 64;
        for start in (0..n_zeros).step_by(PADDING.len()) {
            self.push(&PADDING[..PADDING.len().min(n_zeros - start)], low);
        }
        self.process(low);
        low.truncate(low.len() - u128::from(self.n_out).saturating_sub(n_expected) as usize);
    }

    /// Gives samples to the first stage.
    fn take(&mut self, samples: &[f32], low: &mut Vec<f32>) {
        self.n_pending += samples.len();
        match (&mut self.halvings[..], &mut self.interpolation) {
            ([first, ..], _) => first.take(samples),
            ([], Some(interpolation)) => append(samples, &mut interpolation.samples),
            ([], None) => {
                append(samples, low);
                self.n_out += samples.len() as u64;
            }
        }
    }

    fn process(&mut self, low: &mut Vec<f32>) {
        self.n_pending = 0;
        let n_before = low.len();
        for i in 0..self.halvings.len() {
            match (&mut self.halvings[i..], &mut self.interpolation) {
                ([halving, next, ..], _) => next.take(halving.process(&mut self.halved)),
                ([halving], Some(interpolation)) => {
                    interpolation.samples.extend_from_slice(halving.process(&mut self.halved));
                }
                ([halving], None) => low.extend_from_slice(halving.process(&mut self.halved)),
                ([], _) => {}
            }
        }
        if let Some(interpolation) = &mut self.interpolation {
            interpolation.process(low);
        }
        self.n_out += (low.len() - n_before) as u64;
    }
}

const PADDING: [f32; 1024] = [0.0; 1024];

/// The sample; 0 if it is not finite, or so large that its energy is not.
#[inline(always)]
fn within_range(sample: f32) -> f32 {
    if sample.abs() < 1e6 { sample } else { 0.0 }
}

#[multiversion]
fn append(samples: &[f32], to: &mut Vec<f32>) {
    to.extend(samples.iter().map(|sample| within_range(*sample)));
}

/// The window at `x`, from -1 to 1.
fn kaiser(x: f64) -> f64 {
    bessel_i0(BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(BETA)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::transform::fourier::dft;

    fn sine(frequency: f64, sample_rate: f64, n: usize) -> Vec<f32> {
        (0..n).map(|i| (0.5 * (2.0 * PI * frequency * i as f64 / sample_rate).sin()) as f32).collect()
    }

    fn converted(samples: &[f32], sample_rate: u32, block_len: usize) -> Vec<f32> {
        let (mut low_rate, mut low) = (LowRate::new(sample_rate), Vec::new());
        samples.chunks(block_len).for_each(|block| low_rate.push(block, &mut low));
        low_rate.finish(&mut low);
        low
    }

    /// Largest amplitude of a sine below the limit, under a Hann window.
    fn largest_below_the_limit(samples: &[f32]) -> f32 {
        let n = samples.len() as f64;
        let hann = |i: usize| (1.0 - (2.0 * PI * i as f64 / n).cos()) as f32;
        let windowed: Vec<f32> = samples.iter().enumerate().map(|(i, sample)| sample * hann(i)).collect();
        let n_bins = (PASS_HZ * n / (TWICE_RATE as f64 / 2.0)) as usize;
        let power = dft(&windowed)[..n_bins].iter().fold(0.0_f32, |power, bin| power.max(bin.norm_sqr()));
        2.0 * power.sqrt() / n as f32
    }

    const RATES: [u32; 10] = [6000, 8000, 11_025, 16_000, 22_050, 32_000, 44_100, 44_101, 48_000, 192_000];

    #[test]
    fn a_sine_below_the_limit_keeps_its_phase_and_amplitude() {
        for sample_rate in RATES {
            for frequency in [100.0, 1000.0, PASS_HZ] {
                let found = converted(
                    &sine(frequency, f64::from(sample_rate), sample_rate as usize),
                    sample_rate,
                    1000,
                );
                assert_eq!(found.len(), 5512);
                let expected = sine(frequency, TWICE_RATE as f64 / 2.0, 5512);
                for i in 500..5000 {
                    let error = (found[i] - expected[i]).abs();
                    assert!(error < 0.012, "{frequency} Hz at {sample_rate} Hz, {i}: {error}");
                }
            }
        }
    }

    #[test]
    fn frequencies_that_alias_below_the_limit_are_attenuated_by_39_db() {
        for sample_rate in RATES {
            let highest = f64::from(sample_rate) / 2.0;
            let aliases = [3113.0, 4000.0, 5300.0, 8626.0, 10_000.0, 19_652.0, 21_000.0];
            for frequency in aliases.into_iter().filter(|frequency| *frequency < highest) {
                let found = converted(
                    &sine(frequency, f64::from(sample_rate), sample_rate as usize),
                    sample_rate,
                    1000,
                );
                let largest = largest_below_the_limit(&found[1000..3048]);
                assert!(largest < 0.0055, "{frequency} Hz at {sample_rate} Hz: {largest}");
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_signal() {
        for sample_rate in [44_100, 48_000] {
            let mut low_rate = LowRate::new(sample_rate);
            for _ in 0..1000 {
                low_rate.push(&[0.5; 1152], &mut Vec::new());
                assert!(
                    low_rate
                        .interpolation
                        .iter()
                        .all(|interpolation| interpolation.samples.len() < 2 * BLOCK)
                );
            }
        }
    }
}
