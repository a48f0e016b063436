//! RandomFourierFeatures: random features that approximate a kernel (Rahimi & Recht 2007).
//!
//! A kernel k(x, x') that depends on x - x' only is the mean of cos(w · (x - x')) over a distribution of frequencies w
//! (Bochner). With D/2 random frequencies, the features cos(w · x) and sin(w · x) have products φ(x) · φ(x') ≈ D/2 · k(x, x'),
//! and a Dense layer after them is a kernel machine: with a cross-entropy, kernel logistic regression. The frequencies are
//! drawn with the initial weights and not trained.
//!
//! - Laplacian, exp(-|x - x'|₁ / (scale · n)): frequencies from Cauchy's distribution;
//! - Gaussian, exp(-|x - x'|₂² / (2 scale² n)): from the normal distribution.
//!
//! The division by n, the number of inputs, makes the scale that of a single input, which should have a deviation of about 1.
//! Inputs can be divided into consecutive groups with a kernel each; the layer then approximates the weighted sum of the
//! kernels, so that a group with many inputs has the same weight as one with few, unless another weight is given: the
//! features of a group with weight v are multiplied by √v.
//!
//! Backward: ∂E/∂x = W (cos h ∂E/∂sin - sin h ∂E/∂cos) with h = Wᵀ x, for features of weight 1; with others, outputs have √v as a
//! factor already.

mod groups;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use self::groups::{FourierGroup, InputGroup};
use super::{
    BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Parameter, Weights,
    size,
};
use crate::error::Error;
use crate::initializer::Initializer;
use crate::matmul::{Accumulate, Matrix, matmul};

/// The kernel that random features approximate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// exp(-|x - x'|₁ / (scale · n)): robust to large differences in a few inputs.
    #[default]
    Laplacian,
    /// exp(-|x - x'|₂² / (2 scale² n))
    Gaussian,
}

/// Random features whose products approximate a kernel.
///
/// # Shapes
/// - input `[...]`, n numbers, taken as one row
/// - output `[n_groups · units]`: for each group the cosines, then the sines
/// - weights, not trained: `kernel [n, units / 2]` or, if a group names its kernel, `groups.0.kernel`, `groups.1.kernel`, …,
///   each `[inputs, units / 2]`
///
/// # Reference
/// Rahimi & Recht 2007, "Random features for large-scale kernel machines"; as
/// `keras.layers.RandomFourierFeatures` (TensorFlow 2.11), with sines in place of random phases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFourierFeatures {
    /// Outputs of each group, an even number; the error of the kernel decreases with its square root.
    pub units: usize,
    /// The kernel.
    #[serde(default)]
    pub kernel: Kernel,
    /// The width of the kernel.
    #[serde(default = "one")]
    pub scale: f32,
    /// The groups, first to last; their inputs are all of the layer's. Empty for one group.
    #[serde(default)]
    pub groups: Vec<InputGroup>,
}

fn one() -> f32 {
    1.0
}

impl RandomFourierFeatures {
    pub(crate) fn build(
        &self,
        input_shape: &[usize],
        id: LayerId<'_>,
    ) -> Result<RandomFourierFeaturesLayer, Error> {
        let n_inputs = size(input_shape);
        if self.units == 0 || !self.units.is_multiple_of(2) {
            return Err(id.setting("units", self.units, "an even number of at least 2"));
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(id.setting("scale", self.scale, "a finite number of more than 0"));
        }
        for (i, group) in self.groups.iter().enumerate() {
            if group.inputs.is_none() && i + 1 < self.groups.len() {
                return Err(id.setting(
                    "groups",
                    "a group without inputs",
                    "groups with inputs, except the last",
                ));
            }
            if !(group.weight.is_finite() && group.weight > 0.0) {
                return Err(id.setting("weight", group.weight, "a finite number of more than 0"));
            }
        }
        let groups = self.groups_of(n_inputs);
        let sizes: Vec<usize> = groups.iter().map(|group| group.inputs.len()).collect();
        let grouped = groups.last().map_or(0, |group| group.inputs.end);
        if grouped != n_inputs {
            return Err(id.shape(input_shape, format!("{grouped} numbers, for its groups {sizes:?}")));
        }
        for size in sizes {
            id.at_least_one("groups", size)?;
        }
        let output_shape = vec![groups.len().saturating_mul(self.units)];
        Ok(RandomFourierFeaturesLayer { units: self.units, groups, n_inputs, output_shape })
    }
}

impl Kernel {
    /// The distribution of its frequencies.
    fn initializer(self) -> Initializer {
        match self {
            Self::Laplacian => Initializer::StandardCauchy,
            Self::Gaussian => Initializer::StandardNormal,
        }
    }
}

/// A [`RandomFourierFeatures`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct RandomFourierFeaturesLayer {
    units: usize,
    groups: Vec<FourierGroup>,
    n_inputs: usize,
    output_shape: Vec<usize>,
}

impl RandomFourierFeaturesLayer {
    fn n_frequencies(&self) -> usize {
        self.units / 2
    }

    fn n_outputs(&self) -> usize {
        self.output_shape[0]
    }

    /// The groups, each with its range of the outputs.
    fn groups(&self) -> impl Iterator<Item = (&FourierGroup, Range<usize>)> {
        let units = self.units;
        self.groups.iter().enumerate().map(move |(i, group)| (group, i * units..(i + 1) * units))
    }

    /// The group's inputs, and its rows of the weights: the tensors of groups follow each other as their inputs do.
    fn factors<'a>(
        &self,
        rows: usize,
        x: &'a [f32],
        weights: &'a [f32],
        group: &FourierGroup,
    ) -> (Matrix<'a>, Matrix<'a>) {
        let (start, n, n_frequencies) = (group.inputs.start, group.inputs.len(), self.n_frequencies());
        let x = Matrix::strided(&x[start..], rows, n, self.n_inputs);
        (x, Matrix::new(&weights[start * n_frequencies..], n, n_frequencies))
    }
}

impl Layer for RandomFourierFeaturesLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::BOTH
    }

    fn parameters(&self) -> Vec<Parameter> {
        let tensor = |group: &FourierGroup, n_rows: usize| Parameter {
            trainable: false,
            ..Parameter::new(&group.tensor, &[n_rows, self.n_frequencies()], group.kernel.initializer())
        };
        let tensors = self.groups.chunk_by(|a, b| a.tensor == b.tensor);
        tensors
            .map(|groups| tensor(&groups[0], groups.iter().map(|group| group.inputs.len()).sum()))
            .collect()
    }

    fn buffer_sizes(&self) -> BufferSizes {
        // ∂E/∂h of one group.
        BufferSizes { scratch_per_row: self.n_frequencies(), ..BufferSizes::default() }
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        for (group, outputs) in self.groups() {
            let (x, kernel) = self.factors(context.rows, x, weights.values, group);
            matmul(&mut y[outputs.start..], self.n_outputs(), x, kernel, Accumulate::Overwrite);
            for y in y.chunks_exact_mut(self.n_outputs()) {
                let (cosines, sines) = y[outputs.clone()].split_at_mut(self.n_frequencies());
                for (cosine, sine) in cosines.iter_mut().zip(sines) {
                    let (sin, cos) = (*cosine * group.frequency).sin_cos();
                    (*sine, *cosine) = (group.amplitude * sin, group.amplitude * cos);
                }
            }
        }
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let Some(dx) = io.dx else { return };
        let n_frequencies = self.n_frequencies();
        for (group, range) in self.groups() {
            let outputs = io.y.chunks_exact(self.n_outputs()).zip(io.dy.chunks_exact(self.n_outputs()));
            for ((y, dy), dh) in outputs.zip(cache.scratch.chunks_exact_mut(n_frequencies)) {
                let ((cosines, sines), (d_cosines, d_sines)) =
                    (y[range.clone()].split_at(n_frequencies), dy[range.clone()].split_at(n_frequencies));
                for (i, dh) in dh.iter_mut().enumerate() {
                    *dh = group.frequency * (cosines[i] * d_sines[i] - sines[i] * d_cosines[i]);
                }
            }
            let dh = Matrix::new(cache.scratch, context.rows, n_frequencies);
            let (_, kernel) = self.factors(context.rows, io.x, weights.values, group);
            matmul(
                &mut dx[group.inputs.start..],
                self.n_inputs,
                dh,
                kernel.transposed(),
                Accumulate::Overwrite,
            );
        }
    }

    fn prefers_many_rows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    const SITE: LayerId<'_> = LayerId { path: "layers.3", kind: "RandomFourierFeatures" };

    fn features(units: usize, kernel: Kernel, groups: &[usize]) -> RandomFourierFeatures {
        let groups = groups.iter().map(|&inputs| InputGroup::of(inputs)).collect();
        RandomFourierFeatures { units, kernel, scale: 0.8, groups }
    }

    /// A Gaussian kernel of some inputs, and a Laplacian one with another weight of all others.
    fn mixed(units: usize, inputs: usize, weight: f32) -> RandomFourierFeatures {
        let rest = InputGroup { inputs: None, kernel: None, weight };
        let first = InputGroup { kernel: Some(Kernel::Gaussian), ..InputGroup::of(inputs) };
        RandomFourierFeatures { groups: vec![first, rest], ..features(units, Kernel::Laplacian, &[]) }
    }

    /// The features of some rows with fresh frequencies.
    fn run(layer: &RandomFourierFeatures, n: usize, x: &[f32]) -> Vec<f32> {
        let mut rng = cantus_random::KeyedRng::new([5]);
        let mut kernel = Vec::new();
        for parameter in layer.build(&[n], SITE).unwrap().parameters() {
            let start = kernel.len();
            kernel.resize(start + parameter.len(), 0.0);
            parameter.initializer.fill(&mut kernel[start..], &parameter.shape, &mut rng);
        }
        run_forward(&LayerSpec::RandomFourierFeatures(layer.clone()), &[n], &kernel, x)
    }

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The kernel of two vectors with these differences.
    fn exact(kernel: Kernel, apart: &[f32]) -> f32 {
        let n = apart.len() as f32;
        match kernel {
            Kernel::Laplacian => (-apart.iter().sum::<f32>() / (0.8 * n)).exp(),
            Kernel::Gaussian => (-dot(apart, apart) / (2.0 * 0.8 * 0.8 * n)).exp(),
        }
    }

    #[test]
    fn products_of_features_are_the_mean_of_the_kernels_of_the_groups() {
        let (n, units) = (5, 20_000);
        let x = noise(2 * n, 3);
        let apart: Vec<f32> = (0..n).map(|i| (x[i] - x[n + i]).abs()).collect();
        for kernel in [Kernel::Laplacian, Kernel::Gaussian] {
            let of = |apart: &[f32]| exact(kernel, apart);
            let y = run(&features(units, kernel, &[2, 3]), n, &x);
            let (a, b) = y.split_at(2 * units);
            let expected = (of(&apart[..2]) + of(&apart[2..])) / 2.0;
            // The deviation of a mean of 10,000 cosines is at most 0.01.
            assert_close(&[dot(a, b) / units as f32], &[expected], 0.03);
            assert_close(&[dot(a, a) / units as f32], &[1.0], 1e-4);
        }
    }

    #[test]
    fn groups_have_a_kernel_and_a_weight_each() {
        let (n, units) = (5, 20_000);
        let x = noise(2 * n, 3);
        let apart: Vec<f32> = (0..n).map(|i| (x[i] - x[n + i]).abs()).collect();
        let y = run(&mixed(units, 2, 0.25), n, &x);
        let (a, b) = y.split_at(2 * units);
        let expected = exact(Kernel::Gaussian, &apart[..2]) + 0.25 * exact(Kernel::Laplacian, &apart[2..]);
        assert_close(&[2.0 * dot(a, b) / units as f32], &[expected], 0.03);
        assert_close(&[2.0 * dot(a, a) / units as f32], &[1.25], 1e-4);
    }

    #[test]
    fn gradients_equal_central_differences() {
        gradients_match_differences(&LayerSpec::RandomFourierFeatures(mixed(6, 2, 0.3)), &[5], 3);
        for kernel in [Kernel::Laplacian, Kernel::Gaussian] {
            let layer = features(6, kernel, &[1, 4]);
            gradients_match_differences(&LayerSpec::RandomFourierFeatures(layer), &[5], 3);
        }
    }

    #[test]
    fn settings_that_do_not_fit_are_rejected() {
        let message = |layer: RandomFourierFeatures| layer.build(&[5], SITE).unwrap_err().to_string();
        assert_eq!(
            message(features(6, Kernel::Gaussian, &[2, 2])),
            "layers.3 (RandomFourierFeatures) needs 4 numbers, for its groups [2, 2], but its input has shape [5]"
        );
        assert!(message(features(7, Kernel::Gaussian, &[])).contains("units must be an even number"));
        assert!(message(features(6, Kernel::Gaussian, &[5, 0])).contains("groups must be at least 1"));
        assert!(message(mixed(6, 5, 1.0)).contains("groups must be at least 1"));
        assert!(message(mixed(6, 2, 0.0)).contains("weight must be a finite number of more than 0"));
        let rest = InputGroup { inputs: None, kernel: None, weight: 1.0 };
        let twice = RandomFourierFeatures { groups: vec![rest, rest], ..features(6, Kernel::Gaussian, &[]) };
        assert!(message(twice).contains("groups with inputs, except the last"));
        let flat = RandomFourierFeatures { scale: 0.0, ..features(6, Kernel::Gaussian, &[]) };
        assert!(message(flat).contains("scale must be a finite number of more than 0"));
    }
}
