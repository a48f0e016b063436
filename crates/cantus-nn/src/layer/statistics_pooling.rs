//! StatisticsPooling1D: mean and standard deviation of each channel over time, and the deviation of its changes.
//!
//! Of a channel x₁ … x_T:
//!
//! - its mean, and its deviation √(σ² + ε) (Snyder et al. 2018, "X-vectors");
//! - for each scale L, the deviation of dₜ = mean(x_{t+L} … x_{t+2L-1}) - mean(x_t … x_{t+L-1}): the strength of changes
//!   within 2 L steps. Short scales measure attacks, long ones phrases (a modulation spectrum in octaves; McKinney & Breebaart
//!   2003).
//!
//! A deviation may be given as its logarithm, ½ ln(σ² + ε), for which a change of loudness is an offset.
//!
//! Backward, with n numbers u of variance σ² and mean μ: ∂√(σ² + ε)/∂uᵢ = (uᵢ - μ) / (n √(σ² + ε)) and
//! ∂½ ln(σ² + ε)/∂uᵢ = (uᵢ - μ) / (n (σ² + ε)); the gradient of dₜ has weight 1/L for the later interval and -1/L for the
//! earlier one.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Weights};
use crate::error::Error;

/// Statistics of each channel of a sequence over time.
///
/// # Shapes
/// - input `[time, channels]`
/// - output `[channels, 2 + scales.len()]`: mean, deviation, and the deviation of the change at each scale
///
/// # Reference
/// Without scales: statistics pooling, Snyder et al. 2018.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatisticsPooling1D {
    /// L of each scale, in time steps; less than half of the sequence.
    pub scales: Vec<usize>,
    /// Whether deviations are given as their natural logarithm.
    pub logarithm: bool,
    /// ε
    pub epsilon: f32,
}

impl Default for StatisticsPooling1D {
    fn default() -> Self {
        Self { scales: Vec::new(), logarithm: false, epsilon: 1e-5 }
    }
}

impl StatisticsPooling1D {
    pub(crate) fn build(
        &self,
        input_shape: &[usize],
        id: LayerId<'_>,
    ) -> Result<StatisticsPooling1DLayer, Error> {
        let &[time, channels] = input_shape else {
            return Err(id.shape(input_shape, "[time, channels]"));
        };
        if !(self.epsilon.is_finite() && self.epsilon > 0.0) {
            return Err(id.setting("epsilon", self.epsilon, "a finite number of more than 0"));
        }
        for &scale in &self.scales {
            id.at_least_one("scales", scale)?;
            if 2 * scale >= time {
                return Err(id.setting("scales", scale, "less than half of the time steps of the input"));
            }
        }
        let output_shape = vec![channels, 2 + self.scales.len()];
        Ok(StatisticsPooling1DLayer { description: self.clone(), time, channels, output_shape })
    }
}

/// A [`StatisticsPooling1D`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct StatisticsPooling1DLayer {
    description: StatisticsPooling1D,
    time: usize,
    channels: usize,
    output_shape: Vec<usize>,
}

/// Mean and variance of each column of `x`, whose rows are as long as `mean`.
#[multiversion]
fn moments(x: &[f32], mean: &mut [f32], variance: &mut [f32]) {
    let n = (x.len() / mean.len()) as f32;
    mean.fill(0.0);
    variance.fill(0.0);
    for row in x.chunks_exact(mean.len()) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= n);
    for row in x.chunks_exact(mean.len()) {
        for ((variance, mean), x) in variance.iter_mut().zip(&*mean).zip(row) {
            *variance += (x - mean) * (x - mean);
        }
    }
    variance.iter_mut().for_each(|variance| *variance /= n);
}

/// dₜ of each column of `x` for the scale `len`; `d` has a row for each t.
#[multiversion]
fn differences(x: &[f32], channels: usize, len: usize, d: &mut [f32]) {
    let row = |t: usize| &x[t * channels..(t + 1) * channels];
    let share = 1.0 / len as f32;
    let (first, rest) = d.split_at_mut(channels);
    first.fill(0.0);
    for t in 0..len {
        for ((d, earlier), later) in first.iter_mut().zip(row(t)).zip(row(t + len)) {
            *d += (later - earlier) * share;
        }
    }
    let mut before: &[f32] = first;
    for (t, next) in rest.chunks_exact_mut(channels).enumerate() {
        let rows = row(t).iter().zip(row(t + len)).zip(row(t + 2 * len));
        for ((next, before), ((leaves, changes), enters)) in next.iter_mut().zip(before).zip(rows) {
            *next = before + (enters - 2.0 * changes + leaves) * share;
        }
        before = next;
    }
}

/// The backward pass of [`differences`]: adds ∂E/∂x, given the gradient `g` of d, to `dx`. `sum` is one row of scratch.
#[multiversion]
fn add_differences_gradient(g: &[f32], channels: usize, len: usize, dx: &mut [f32], sum: &mut [f32]) {
    let n_rows = g.len() / channels;
    let row = |t: Option<usize>| t.filter(|&t| t < n_rows).map(|t| &g[t * channels..(t + 1) * channels]);
    let share = 1.0 / len as f32;
    sum.fill(0.0);
    // x_i is in the earlier interval of d_{i-len+1} … d_i, and in the later one of d_{i-2len+1} … d_{i-len}.
    for (i, dx) in dx.chunks_exact_mut(channels).enumerate() {
        for (t, weight) in
            [(Some(i), -share), (i.checked_sub(len), 2.0 * share), (i.checked_sub(2 * len), -share)]
        {
            if let Some(g) = row(t) {
                sum.iter_mut().zip(g).for_each(|(sum, g)| *sum += weight * g);
            }
        }
        dx.iter_mut().zip(&*sum).for_each(|(dx, sum)| *dx += sum);
    }
}

impl StatisticsPooling1DLayer {
    fn n_statistics(&self) -> usize {
        self.output_shape[1]
    }

    /// Number of dₜ of a scale.
    fn n_differences(&self, scale: usize) -> usize {
        self.time - 2 * scale + 1
    }

    /// √(σ² + ε), or its logarithm.
    fn deviation(&self, variance: f32) -> f32 {
        let variance = variance + self.description.epsilon;
        if self.description.logarithm { 0.5 * variance.ln() } else { variance.sqrt() }
    }

    /// Replaces `u` by the gradient of its columns' deviations, whose own gradients are every `stride`th element of `dy`.
    fn deviation_gradient(
        &self,
        u: &mut [f32],
        mean: &[f32],
        variance: &mut [f32],
        dy: &[f32],
        stride: usize,
    ) {
        let n = (u.len() / mean.len()) as f32;
        for (variance, dy) in variance.iter_mut().zip(dy.iter().step_by(stride)) {
            let v = *variance + self.description.epsilon;
            *variance = dy / (n * if self.description.logarithm { v } else { v.sqrt() });
        }
        for row in u.chunks_exact_mut(mean.len()) {
            for ((u, mean), factor) in row.iter_mut().zip(mean).zip(&*variance) {
                *u = (*u - mean) * factor;
            }
        }
    }
}

impl Layer for StatisticsPooling1DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::INPUT
    }

    fn buffer_sizes(&self) -> BufferSizes {
        // d of one scale, or a copy of x; mean, variance and a running sum.
        BufferSizes { scratch: (self.time + 3) * self.channels, ..BufferSizes::default() }
    }

    fn forward(&self, _: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], cache: ForwardCache<'_>) {
        let (channels, n_statistics) = (self.channels, self.n_statistics());
        let (mean, rest) = cache.scratch.split_at_mut(channels);
        let (variance, rest) = rest.split_at_mut(channels);
        let outputs = y.chunks_exact_mut(channels * n_statistics);
        for (x, y) in x.chunks_exact(self.time * channels).zip(outputs) {
            let mut put = |place: usize, values: &[f32], of: &dyn Fn(f32) -> f32| {
                y[place..]
                    .iter_mut()
                    .step_by(n_statistics)
                    .zip(values)
                    .for_each(|(y, &value)| *y = of(value));
            };
            moments(x, mean, variance);
            put(0, mean, &|mean| mean);
            put(1, variance, &|variance| self.deviation(variance));
            for (place, &scale) in (2..).zip(&self.description.scales) {
                let d = &mut rest[..self.n_differences(scale) * channels];
                differences(x, channels, scale, d);
                moments(d, mean, variance);
                put(place, variance, &|variance| self.deviation(variance));
            }
        }
    }

    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let Some(dx) = io.dx else { return };
        let (channels, n_statistics) = (self.channels, self.n_statistics());
        let (mean, rest) = cache.scratch.split_at_mut(channels);
        let (variance, rest) = rest.split_at_mut(channels);
        let (sum, rest) = rest.split_at_mut(channels);
        let inputs = io.x.chunks_exact(self.time * channels).zip(dx.chunks_exact_mut(self.time * channels));
        for ((x, dx), dy) in inputs.zip(io.dy.chunks_exact(channels * n_statistics)) {
            moments(x, mean, variance);
            dx.copy_from_slice(x);
            self.deviation_gradient(dx, mean, variance, &dy[1..], n_statistics);
            for row in dx.chunks_exact_mut(channels) {
                let means = dy.iter().step_by(n_statistics);
                row.iter_mut().zip(means).for_each(|(dx, dy)| *dx += dy / self.time as f32);
            }
            for (place, &scale) in (2..).zip(&self.description.scales) {
                let d = &mut rest[..self.n_differences(scale) * channels];
                differences(x, channels, scale, d);
                moments(d, mean, variance);
                self.deviation_gradient(d, mean, variance, &dy[place..], n_statistics);
                add_differences_gradient(d, channels, scale, dx, sum);
            }
        }
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, run_forward};

    const SITE: LayerId<'_> = LayerId { path: "layers.0", kind: "StatisticsPooling1D" };

    fn pooling(scales: &[usize], logarithm: bool) -> StatisticsPooling1D {
        StatisticsPooling1D { scales: scales.to_vec(), logarithm, ..StatisticsPooling1D::default() }
    }

    /// PyTorch 2.15, with `x = torch.tensor([[1., 0.], [3., 0.5], [2., -1.], [7., 4.], [5., 2.5]])`:
    /// `x.mean(0)`, `(x.var(0, correction=0) + 1e-5).sqrt()`, and with
    /// `m = x.unfold(0, 2, 1).mean(2); d = m[2:] - m[:-2]` also `(d.var(0, correction=0) + 1e-5).sqrt()`; then
    /// `.log() / 2` in place of `.sqrt()`.
    #[test]
    fn statistics_equal_those_of_pytorch() {
        let x = [1.0, 0.0, 3.0, 0.5, 2.0, -1.0, 7.0, 4.0, 5.0, 2.5];
        let run = |logarithm| {
            run_forward(&LayerSpec::StatisticsPooling1D(pooling(&[2], logarithm)), &[5, 2], &[], &x)
        };
        assert_close(&run(false), &[3.6, 2.154_068_2, 0.500_01, 1.2, 1.805_549_9, 1.125_004_4], 1e-6);
        assert_close(&run(true), &[3.6, 0.767_358_24, -0.693_127_16, 1.2, 0.590_865_14, 0.117_786_99], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        for (scales, logarithm) in [(&[][..], false), (&[1], false), (&[1, 2, 4], true)] {
            gradients_match_differences(
                &LayerSpec::StatisticsPooling1D(pooling(scales, logarithm)),
                &[11, 3],
                2,
            );
        }
    }

    #[test]
    fn a_constant_sequence_has_finite_statistics() {
        let y = run_forward(&LayerSpec::StatisticsPooling1D(pooling(&[1, 2], true)), &[8, 1], &[], &[3.0; 8]);
        assert!(y.iter().all(|y| y.is_finite()), "{y:?}");
    }

    #[test]
    fn a_scale_that_is_too_long_is_rejected() {
        let message = pooling(&[1, 64], true).build(&[128, 13], SITE).unwrap_err().to_string();
        assert_eq!(
            message,
            "layers.0 (StatisticsPooling1D): scales must be less than half of the time steps of the input, but is 64"
        );
        assert!(pooling(&[0], true).build(&[128, 13], SITE).unwrap_err().to_string().contains("at least 1"));
    }
}
