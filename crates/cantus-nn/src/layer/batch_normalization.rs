//! BatchNormalization: each channel is normalised over the batch, then scaled and shifted (Ioffe & Szegedy 2015).
//!
//! Training: with mean μ and variance σ² of a channel over all examples and positions, x̂ = (x - μ) / √(σ² + ε), y = γ x̂ + β.
//! Inference: the same with moving averages of μ and σ², m ← momentum · m + (1 - momentum) · μ, so that an output does not
//! depend on the other examples of the batch.
//!
//! Backward: μ and σ² depend on every example. With n numbers in a channel,
//!
//! - ∂E/∂β = Σ ∂E/∂y, ∂E/∂γ = Σ x̂ ∂E/∂y
//! - ∂E/∂x = γ / √(σ² + ε) · (∂E/∂y - ∂E/∂β / n - x̂ ∂E/∂γ / n)
//!
//! So a batch is reduced twice: in the forward pass the [`Moments`] of its shards, in the backward pass their sums for ∂E/∂β
//! and ∂E/∂γ. Both are accumulated while the numbers are in the cache.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::{
    BackwardReads, BatchContext, BatchReduction, BufferSizes, ForwardCache, GradientIo, Layer, LayerId,
    Parameter, Weights, split, split_mut,
};
use crate::error::Error;
use crate::initializer::Initializer;

/// Normalises each channel (the last axis) over the batch.
///
/// # Shapes
/// - input and output `[..., channels]`
/// - weights, all `[channels]`: `gamma`, `beta`, and, not trained, `moving_mean`, `moving_variance`
///
/// # Reference
/// Equals `keras.layers.BatchNormalization`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormalization {
    /// The decay of the moving averages, in [0, 1).
    pub momentum: f64,
    /// ε
    pub epsilon: f32,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self { momentum: 0.99, epsilon: 1e-3 }
    }
}

impl BatchNormalization {
    pub(crate) fn build(
        self,
        input_shape: &[usize],
        id: LayerId<'_>,
    ) -> Result<BatchNormalizationLayer, Error> {
        id.fraction("momentum", self.momentum as f32)?;
        let Some(&channels) = input_shape.last() else {
            return Err(id.shape(input_shape, "at least one axis"));
        };
        Ok(BatchNormalizationLayer { description: self, channels, shape: input_shape.to_vec() })
    }
}

/// A [`BatchNormalization`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct BatchNormalizationLayer {
    description: BatchNormalization,
    channels: usize,
    shape: Vec<usize>,
}

/// Count, mean and sum of squared deviations of each channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    n: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

/// The statistics of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BatchStatistics {
    /// μ
    mean: Vec<f32>,
    /// 1 / √(σ² + ε)
    scale: Vec<f32>,
    /// γ / √(σ² + ε)
    factor: Vec<f32>,
    /// b of [`input_gradient`] …
    d_mean: Vec<f32>,
    /// … and c.
    d_scale: Vec<f32>,
    /// Numbers of a channel in this batch.
    n: f64,
}

impl Moments {
    pub(crate) fn new(channels: usize) -> Self {
        Self { n: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    pub(crate) fn clear(&mut self) {
        self.n = 0.0;
        self.mean.fill(0.0);
        self.squares.fill(0.0);
    }

    /// Merges the moments of other numbers (Chan, Golub & LeVeque 1979).
    fn merge(&mut self, n: f64, mean: impl Iterator<Item = f64>, squares: impl Iterator<Item = f64>) {
        let total = self.n + n;
        if n == 0.0 {
            return;
        }
        let own = self.mean.iter_mut().zip(&mut self.squares);
        for ((own_mean, own_squares), (mean, squares)) in own.zip(mean.zip(squares)) {
            let apart = mean - *own_mean;
            *own_mean += apart * n / total;
            *own_squares += squares + apart * apart * self.n * n / total;
        }
        self.n = total;
    }
}

impl BatchStatistics {
    pub(crate) fn new(channels: usize) -> Self {
        let zeros = vec![0.0; channels];
        Self {
            mean: zeros.clone(),
            scale: zeros.clone(),
            factor: zeros.clone(),
            d_mean: zeros.clone(),
            d_scale: zeros,
            n: 0.0,
        }
    }
}

/// `scratch`, `[2, channels]`, receives means and sums of squared deviations of the columns of `x`.
#[multiversion]
fn column_moments(x: &[f32], scratch: &mut [f32]) {
    let (mean, squares) = scratch.split_at_mut(scratch.len() / 2);
    let n = (x.len() / mean.len()) as f32;
    mean.fill(0.0);
    squares.fill(0.0);
    for row in x.chunks_exact(mean.len()) {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    mean.iter_mut().for_each(|sum| *sum /= n);
    for row in x.chunks_exact(mean.len()) {
        for ((squares, mean), x) in squares.iter_mut().zip(&*mean).zip(row) {
            *squares += (x - mean) * (x - mean);
        }
    }
}

/// y = (x - μ) · factor + β
#[multiversion]
fn normalise(x: &[f32], y: &mut [f32], mean: &[f32], factor: &[f32], beta: &[f32]) {
    let channels = mean.len();
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
        for ((x, y), ((factor, beta), mean)) in x.iter().zip(y).zip(factor.iter().zip(beta).zip(mean)) {
            *y = (x - mean) * factor + beta;
        }
    }
}

/// Adds Σ x̂ ∂E/∂y to `d_gamma` and Σ ∂E/∂y to `d_beta`.
#[multiversion]
fn add_gradient(x: &[f32], dy: &[f32], mean: &[f32], scale: &[f32], d_gamma: &mut [f32], d_beta: &mut [f32]) {
    let channels = mean.len();
    for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
        let sums = d_gamma.iter_mut().zip(&mut *d_beta).zip(mean.iter().zip(scale));
        for ((x, dy), ((d_gamma, d_beta), (mean, scale))) in x.iter().zip(dy).zip(sums) {
            *d_gamma += dy * ((x - mean) * scale);
            *d_beta += dy;
        }
    }
}

/// The formula for ∂E/∂x at the head of this file, as a (∂E/∂y) - b - c (x - μ) with a, b, c for each
/// channel.
#[multiversion]
fn input_gradient(x: &[f32], dy: &[f32], dx: &mut [f32], mean: &[f32], [a, b, c]: [&[f32]; 3]) {
    let channels = mean.len();
    for ((x, dy), dx) in
        x.chunks_exact(channels).zip(dy.chunks_exact(channels)).zip(dx.chunks_exact_mut(channels))
    {
        let factors = a.iter().zip(b).zip(c.iter().zip(mean));
        for (((x, dy), dx), ((a, b), (c, mean))) in x.iter().zip(dy).zip(dx).zip(factors) {
            *dx = a * dy - b - c * (x - mean);
        }
    }
}

impl BatchNormalizationLayer {
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    fn lens(&self) -> [usize; 4] {
        [self.channels; 4]
    }

    /// Adds some examples to a shard's moments; `scratch` is `[2, channels]`.
    pub(crate) fn add_moments(&self, x: &[f32], moments: &mut Moments, scratch: &mut [f32]) {
        let scratch = &mut scratch[..2 * self.channels];
        column_moments(x, scratch);
        let (mean, squares) = scratch.split_at(self.channels);
        let n = (x.len() / self.channels) as f64;
        moments.merge(n, mean.iter().copied().map(f64::from), squares.iter().copied().map(f64::from));
    }

    /// The share of a moving average that a batch leaves unchanged.
    pub(crate) fn momentum(&self) -> f64 {
        self.description.momentum
    }

    /// Computes mean and variance of the batch from its shards, and updates the moving averages among the weights, of which
    /// `momentum` stays.
    pub(crate) fn reduce_moments<'m>(
        &self,
        shards: impl Iterator<Item = &'m Moments>,
        statistics: &mut BatchStatistics,
        weights: &mut [f32],
        momentum: f64,
    ) {
        let mut all = Moments::new(self.channels);
        shards
            .for_each(|shard| all.merge(shard.n, shard.mean.iter().copied(), shard.squares.iter().copied()));
        statistics.n = all.n;
        let [gamma, _, moving_mean, moving_variance] = split_mut(weights, self.lens());
        // Rounded once, after the subtraction, as Keras does.
        let (momentum, rest) = (momentum as f32, (1.0 - momentum) as f32);
        for c in 0..self.channels {
            let (mean, variance) = (all.mean[c] as f32, (all.squares[c] / all.n) as f32);
            statistics.mean[c] = mean;
            statistics.scale[c] = 1.0 / (variance + self.description.epsilon).sqrt();
            statistics.factor[c] = gamma[c] * statistics.scale[c];
            moving_mean[c] = moving_mean[c] * momentum + mean * rest;
            moving_variance[c] = moving_variance[c] * momentum + variance * rest;
        }
    }

    /// The forward pass, given the statistics of the batch.
    pub(crate) fn forward_with_statistics(
        &self,
        weights: Weights<'_>,
        statistics: &BatchStatistics,
        x: &[f32],
        y: &mut [f32],
    ) {
        let [_, beta, _, _] = split(weights.values, self.lens());
        normalise(x, y, &statistics.mean, &statistics.factor, beta);
    }

    /// Adds ∂E/∂γ and ∂E/∂β of some examples to a shard's gradient.
    pub(crate) fn add_parameter_gradient(
        &self,
        statistics: &BatchStatistics,
        x: &[f32],
        dy: &[f32],
        gradient: &mut [f32],
    ) {
        let [d_gamma, d_beta, _, _] = split_mut(gradient, self.lens());
        add_gradient(x, dy, &statistics.mean, &statistics.scale, d_gamma, d_beta);
    }

    /// Sums ∂E/∂γ and ∂E/∂β over the shards.
    pub(crate) fn reduce_gradient<'g>(
        &self,
        shards: impl Iterator<Item = &'g [f32]>,
        statistics: &mut BatchStatistics,
    ) {
        statistics.d_mean.fill(0.0);
        statistics.d_scale.fill(0.0);
        for shard in shards {
            let [d_gamma, d_beta, _, _] = split(shard, self.lens());
            statistics.d_mean.iter_mut().zip(d_beta).for_each(|(sum, d)| *sum += d);
            statistics.d_scale.iter_mut().zip(d_gamma).for_each(|(sum, d)| *sum += d);
        }
        for c in 0..self.channels {
            let share = statistics.factor[c] / statistics.n as f32;
            statistics.d_mean[c] *= share;
            statistics.d_scale[c] *= share * statistics.scale[c];
        }
    }

    /// The backward pass, given the gradient sums of the batch.
    pub(crate) fn backward_with_statistics(
        &self,
        statistics: &BatchStatistics,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    ) {
        input_gradient(
            x,
            dy,
            dx,
            &statistics.mean,
            [&statistics.factor, &statistics.d_mean, &statistics.d_scale],
        );
    }
}

impl Layer for BatchNormalizationLayer {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::INPUT
    }

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |name, initializer| Parameter::new(name, &[self.channels], initializer);
        vec![
            parameter("gamma", Initializer::Ones),
            parameter("beta", Initializer::Zeros),
            Parameter { trainable: false, ..parameter("moving_mean", Initializer::Zeros) },
            Parameter { trainable: false, ..parameter("moving_variance", Initializer::Ones) },
        ]
    }

    fn buffer_sizes(&self) -> BufferSizes {
        BufferSizes { scratch: self.channels, ..BufferSizes::default() }
    }

    /// Inference, and training while the layer is frozen. (Otherwise training uses the batch reduction.)
    fn forward(
        &self,
        _: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let [gamma, beta, mean, variance] = split(weights.values, self.lens());
        let factors = cache.scratch.iter_mut().zip(gamma.iter().zip(variance));
        factors.for_each(|(factor, (gamma, variance))| {
            *factor = gamma / (variance + self.description.epsilon).sqrt();
        });
        normalise(x, y, mean, &cache.scratch[..self.channels], beta);
    }

    /// The gradient while the layer is frozen: its statistics are constants.
    fn backward(
        &self,
        _: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let [gamma, _, mean, variance] = split(weights.values, self.lens());
        let scale: Vec<f32> = variance.iter().map(|v| 1.0 / (v + self.description.epsilon).sqrt()).collect();
        let [d_gamma, d_beta, _, _] = split_mut(gradient, self.lens());
        add_gradient(io.x, io.dy, mean, &scale, d_gamma, d_beta);
        if let Some(dx) = io.dx {
            for (i, (dx, dy)) in dx.iter_mut().zip(io.dy).enumerate() {
                *dx = *dy * gamma[i % self.channels] * scale[i % self.channels];
            }
        }
    }

    fn batch_reduction(&self) -> Option<BatchReduction<'_>> {
        Some(BatchReduction::Statistics(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, noise, run_forward};

    const SHAPE: [usize; 3] = [2, 2, 3];
    const ROWS: usize = 5;

    fn layer() -> BatchNormalizationLayer {
        BatchNormalization::default().build(&SHAPE, LayerId { path: "", kind: "" }).unwrap()
    }

    /// γ, β, and moving averages with the initial values 0 and 1.
    fn weights() -> Vec<f32> {
        [noise(6, 3), vec![0.0; 3], vec![1.0; 3]].concat()
    }

    /// The forward pass of two shards, of 2 and 3 examples.
    fn train(layer: &BatchNormalizationLayer, x: &[f32], weights: &mut [f32]) -> (Vec<f32>, BatchStatistics) {
        let mut statistics = BatchStatistics::new(3);
        let shards: Vec<Moments> = [&x[..24], &x[24..]]
            .map(|x| {
                let mut moments = Moments::new(3);
                layer.add_moments(x, &mut moments, &mut [0.0; 6]);
                moments
            })
            .to_vec();
        layer.reduce_moments(shards.iter(), &mut statistics, weights, layer.momentum());
        let mut y = vec![0.0; x.len()];
        layer.forward_with_statistics(Weights { values: weights, derived: &[] }, &statistics, x, &mut y);
        (y, statistics)
    }

    #[test]
    fn channels_have_mean_beta_and_deviation_gamma_however_the_batch_is_divided() {
        let x: Vec<f32> =
            noise(ROWS * 12, 1).iter().enumerate().map(|(i, x)| 100.0 * (i % 3) as f32 + x * 9.0).collect();
        let mut weights = weights();
        let (y, _) = train(&layer(), &x, &mut weights);
        for c in 0..3 {
            let channel: Vec<f32> = y.iter().skip(c).step_by(3).copied().collect();
            let mean = channel.iter().sum::<f32>() / 20.0;
            let deviation = (channel.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 20.0).sqrt();
            assert_close(&[mean, deviation], &[weights[3 + c], weights[c].abs()], 1e-3);
        }
    }

    #[test]
    fn moving_averages_are_updated_by_one_hundredth() {
        let x = noise(ROWS * 12, 1);
        let mut weights = weights();
        train(&layer(), &x, &mut weights);
        let channel: Vec<f32> = x.iter().step_by(3).copied().collect();
        let mean = channel.iter().sum::<f32>() / 20.0;
        let variance = channel.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 20.0;
        assert_close(&[weights[6], weights[9]], &[0.01 * mean, 0.99 + 0.01 * variance], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences_through_mean_and_variance() {
        let (layer, x, weights, direction) = (layer(), noise(ROWS * 12, 1), weights(), noise(ROWS * 12, 2));
        let energy = |x: &[f32], weights: &[f32]| -> f64 {
            let (y, _) = train(&layer, x, &mut weights.to_vec());
            y.iter().zip(&direction).map(|(&y, &d)| f64::from(y * d)).sum()
        };
        let (_, mut statistics) = train(&layer, &x, &mut weights.clone());
        let mut gradients = [vec![0.0; 12], vec![0.0; 12]];
        layer.add_parameter_gradient(&statistics, &x[..24], &direction[..24], &mut gradients[0]);
        layer.add_parameter_gradient(&statistics, &x[24..], &direction[24..], &mut gradients[1]);
        layer.reduce_gradient(gradients.iter().map(Vec::as_slice), &mut statistics);
        let mut dx = vec![0.0; x.len()];
        layer.backward_with_statistics(&statistics, &x, &direction, &mut dx);
        let slope = |at: &[f32], i: usize, energy: &dyn Fn(&[f32]) -> f64| {
            let moved = |by: f32| {
                let mut at = at.to_vec();
                at[i] += by;
                energy(&at)
            };
            ((moved(1e-2) - moved(-1e-2)) / 2e-2) as f32
        };
        let slopes: Vec<f32> = (0..x.len()).map(|i| slope(&x, i, &|x| energy(x, &weights))).collect();
        assert_close(&dx, &slopes, 2e-3);
        let slopes: Vec<f32> = (0..6).map(|i| slope(&weights, i, &|w| energy(&x, w))).collect();
        let gradient: Vec<f32> = (0..6).map(|i| gradients[0][i] + gradients[1][i]).collect();
        assert_close(&gradient, &slopes, 2e-3);
    }

    #[test]
    fn inference_uses_the_moving_averages() {
        let spec = LayerSpec::BatchNormalization(BatchNormalization {
            epsilon: 0.0,
            ..BatchNormalization::default()
        });
        let y = run_forward(&spec, &[2], &[2.0, 1.0, 0.5, 0.0, 1.0, -1.0, 4.0, 9.0], &[5.0, 2.0]);
        assert_close(&y, &[4.5, 1.0], 1e-6);
    }
}
