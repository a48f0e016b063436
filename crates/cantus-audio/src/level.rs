//! Levels of the channels of a recording: peak, RMS, DC offset, clipping, and inter-channel correlation.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

/// Full scale: the largest 16-bit sample.
pub const FULL_SCALE: f32 = 32_767.0 / 32_768.0;
/// Consecutive samples at full scale that count as clipping: the default of Audacity's "Find Clipping".
pub const CLIPPING_RUN: u64 = 3;

/// Independent partial sums, so that the loops over samples vectorise.
const LANES: usize = 32;

/// Levels of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelLevels {
    /// Largest magnitude; 1 is full scale.
    pub peak: f32,
    /// Root mean square.
    pub rms: f64,
    /// Mean (DC offset).
    pub offset: f64,
    /// Samples in runs of [`CLIPPING_RUN`] or more at [`FULL_SCALE`] or beyond.
    pub n_clipped: u64,
    /// Number of such runs.
    pub n_runs: u64,
    /// Length of the longest run, in samples.
    pub longest_run: u64,
}

/// Levels of all channels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Length in samples.
    pub n_samples: u64,
    /// Levels of each channel.
    pub channels: Vec<ChannelLevels>,
    /// Normalised correlation of two channels, from -1 (inverted) to 1 (equal); `None` unless there are two channels and
    /// neither is silent.
    pub correlation: Option<f64>,
}

/// Measures the levels of a recording block by block.
#[derive(Debug, Clone, Default)]
pub struct LevelMeter {
    n_samples: u64,
    meters: Vec<ChannelMeter>,
    /// Sum of the products of two channels.
    product: f64,
    /// Scratch: the deinterleaved channels.
    channels: Vec<Vec<f32>>,
}

#[derive(Debug, Clone, Default)]
struct ChannelMeter {
    levels: ChannelLevels,
    sum: f64,
    sum_of_squares: f64,
    /// Length so far of the current run at full scale.
    run: u64,
}

impl LevelMeter {
    /// Adds a block. A block with another number of channels than the first is ignored.
    ///
    /// # Shapes
    /// - `interleaved`: `[n, n_channels]`
    pub fn add(&mut self, interleaved: &[f32], n_channels: usize) {
        if interleaved.is_empty() || n_channels == 0 {
            return;
        }
        if self.meters.is_empty() {
            self.meters.resize(n_channels, ChannelMeter::default());
            self.channels.resize(n_channels, Vec::new());
        }
        if self.meters.len() != n_channels {
            return;
        }
        self.n_samples += (interleaved.len() / n_channels) as u64;
        if let [meter] = &mut self.meters[..] {
            return meter.add(interleaved);
        }
        for (number, channel) in self.channels.iter_mut().enumerate() {
            channel.clear();
            channel.extend(interleaved.chunks_exact(n_channels).map(|frame| frame[number]));
        }
        self.meters.iter_mut().zip(&self.channels).for_each(|(meter, samples)| meter.add(samples));
        if let [left, right] = &self.channels[..] {
            self.product += dot(left, right);
        }
    }

    /// The levels of all blocks.
    #[must_use]
    pub fn finish(mut self) -> Levels {
        let n = self.n_samples.max(1) as f64;
        self.meters.iter_mut().for_each(|meter| meter.end_run());
        let energy = self.meters.iter().map(|meter| meter.sum_of_squares);
        let scale = energy.product::<f64>().sqrt();
        let is_pair = self.meters.len() == 2 && scale > 0.0 && scale.is_finite();
        let level = |meter: &ChannelMeter| ChannelLevels {
            rms: finite((meter.sum_of_squares / n).sqrt()),
            offset: finite(meter.sum / n),
            ..meter.levels
        };
        Levels {
            n_samples: self.n_samples,
            channels: self.meters.iter().map(level).collect(),
            correlation: is_pair.then(|| finite(self.product / scale).clamp(-1.0, 1.0)),
        }
    }
}

impl ChannelMeter {
    fn add(&mut self, samples: &[f32]) {
        let (peak, sum, squares) = sums(samples);
        self.sum += sum;
        self.sum_of_squares += squares;
        self.levels.peak = self.levels.peak.max(peak);
        if peak < FULL_SCALE {
            return self.end_run();
        }
        for sample in samples {
            if sample.abs() >= FULL_SCALE {
                self.run += 1;
            } else {
                self.end_run();
            }
        }
    }

    fn end_run(&mut self) {
        if self.run >= CLIPPING_RUN {
            self.levels.n_clipped += self.run;
            self.levels.n_runs += 1;
            self.levels.longest_run = self.levels.longest_run.max(self.run);
        }
        self.run = 0;
    }
}

/// Largest magnitude; NaN is ignored, and 0 is that of no samples.
///
/// # Shapes
/// - `samples`: `[n]`
#[must_use]
#[multiversion]
pub fn peak(samples: &[f32]) -> f32 {
    let mut peaks = [0.0_f32; LANES];
    let (blocks, rest) = samples.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            peaks[lane] = larger(peaks[lane], block[lane].abs());
        }
    }
    let peak = rest.iter().fold(0.0, |peak, sample| larger(peak, sample.abs()));
    peaks.into_iter().fold(peak, larger)
}

/// Peak, sum and sum of squares of a block; accumulated in f32, since blocks are short.
#[multiversion]
fn sums(samples: &[f32]) -> (f32, f64, f64) {
    let mut lanes = ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    let (blocks, rest) = samples.as_chunks::<LANES>();
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    // Not one loop over a chain of both, which does not vectorise.
    for block in blocks {
        add_block(block, &mut lanes);
    }
    add_block(&last, &mut lanes);
    let (peak, sum, squares) = lanes;
    (peak.into_iter().fold(0.0, larger), total(&sum), total(&squares))
}

#[inline(always)]
fn add_block(block: &[f32; LANES], (peak, sum, squares): &mut ([f32; LANES], [f32; LANES], [f32; LANES])) {
    for lane in 0..LANES {
        peak[lane] = larger(peak[lane], block[lane].abs());
        sum[lane] += block[lane];
        squares[lane] += block[lane] * block[lane];
    }
}

/// A maximum that compiles to one instruction; NaN in `b` is ignored.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[multiversion]
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut products = [0.0_f32; LANES];
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            products[lane] += a[lane] * b[lane];
        }
    }
    total(&products) + a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(a * b)).sum::<f64>()
}

#[inline(always)]
fn total(lanes: &[f32; LANES]) -> f64 {
    lanes.iter().map(|lane| f64::from(*lane)).sum()
}

/// Replaces a non-finite level, from non-finite samples, by 0.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(interleaved: &[f32], n_channels: usize) -> Levels {
        let mut meter = LevelMeter::default();
        interleaved.chunks(6 * n_channels).for_each(|block| meter.add(block, n_channels));
        meter.finish()
    }

    #[test]
    fn peak_mean_and_rms_equal_their_definitions() {
        let samples: Vec<f32> = (0..1001).map(|n| 0.25 + 0.5 * (n as f32 * 0.3).sin()).collect();
        let found = levels(&samples, 1).channels[0];
        let mean = samples.iter().map(|x| f64::from(*x)).sum::<f64>() / 1001.0;
        let power = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 1001.0;
        assert!((found.offset - mean).abs() < 1e-6 && (found.rms - power.sqrt()).abs() < 1e-6);
        assert_eq!(found.peak, samples.iter().fold(0.0, |peak: f32, x| peak.max(x.abs())));
        assert_eq!(found.peak, peak(&samples));
        assert_eq!((found.n_clipped, found.n_runs), (0, 0));
    }

    #[test]
    fn runs_at_full_scale_count_across_blocks_and_single_samples_do_not() {
        let mut samples = vec![0.0; 40];
        samples[3] = 1.0;
        samples[10..15].fill(-1.0);
        samples[38..].fill(1.2);
        assert_eq!(levels(&samples, 1).channels[0].n_runs, 1);
        samples[37..].fill(FULL_SCALE);
        let found = levels(&samples, 1).channels[0];
        assert_eq!((found.n_clipped, found.n_runs, found.longest_run), (8, 2, 5));
    }

    #[test]
    fn correlation_is_1_for_equal_and_minus_1_for_inverted_channels() {
        let pair = |gain: f32| (0..500).flat_map(|n| [(n as f32).sin(), gain * (n as f32).sin()]).collect();
        let correlation = |samples: Vec<f32>| levels(&samples, 2).correlation;
        assert!((correlation(pair(0.5)).unwrap() - 1.0).abs() < 1e-6);
        assert!((correlation(pair(-0.2)).unwrap() + 1.0).abs() < 1e-6);
        assert_eq!(correlation(pair(0.0)), None);
        assert_eq!(levels(&[0.1; 30], 3).correlation, None);
    }

    #[test]
    fn levels_of_non_finite_samples_are_finite() {
        let found = levels(&[f32::NAN, 0.5, f32::INFINITY, 0.5, 0.1, 0.5], 2);
        assert!(found.channels.iter().all(|channel| channel.rms.is_finite() && channel.offset.is_finite()));
        assert_eq!((peak(&[f32::NAN, -0.5, 0.25]), peak(&[])), (0.5, 0.0));
    }
}
