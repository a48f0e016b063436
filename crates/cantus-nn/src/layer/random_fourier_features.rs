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
//! Inputs can be divided into consecutive groups with a kernel each; the layer then approximates the mean of the kernels, so
//! that a group with many inputs has the same weight as one with few.
//!
//! Backward: ∂E/∂x = W (cos h ∂E/∂sin - sin h ∂E/∂cos) with h = Wᵀ x.

use serde::{Deserialize, Serialize};

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
/// - weights, not trained: `kernel [n, units / 2]`
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
    /// Inputs of each group; their sum is the number of inputs. Empty for one group.
    #[serde(default)]
    pub groups: Vec<usize>,
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
        id.at_least_one("units", self.units)?;
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(id.setting("scale", self.scale, "a finite number of more than 0"));
        }
        let groups = if self.groups.is_empty() { vec![n_inputs] } else { self.groups.clone() };
        for &group in &groups {
            id.at_least_one("groups", group)?;
        }
        let grouped = groups.iter().fold(0, |sum: usize, &group| sum.saturating_add(group));
        if grouped != n_inputs {
            return Err(id.shape(input_shape, format!("{grouped} numbers, for its groups {groups:?}")));
        }
        let output_shape = vec![groups.len().saturating_mul(self.units)];
        Ok(RandomFourierFeaturesLayer { description: self.clone(), groups, n_inputs, output_shape })
    }
}

/// A [`RandomFourierFeatures`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct RandomFourierFeaturesLayer {
    description: RandomFourierFeatures,
    groups: Vec<usize>,
    n_inputs: usize,
    output_shape: Vec<usize>,
}

impl RandomFourierFeaturesLayer {
    fn n_frequencies(&self) -> usize {
        self.description.units / 2
    }

    fn n_outputs(&self) -> usize {
        self.output_shape[0]
    }

    /// Scales numbers of the standard distribution to the frequencies of a group of `n` inputs.
    fn factor(&self, n: usize) -> f32 {
        let RandomFourierFeatures { kernel, scale, .. } = self.description;
        match kernel {
            Kernel::Laplacian => 1.0 / (scale * n as f32),
            Kernel::Gaussian => 1.0 / (scale * (n as f32).sqrt()),
        }
    }

    /// For each group: start and number of its inputs, and start of its outputs.
    fn group_ranges(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let units = self.description.units;
        self.groups.iter().enumerate().scan(0, move |start, (i, &n)| {
            let group = (*start, n, i * units);
            *start += n;
            Some(group)
        })
    }

    /// The group's inputs, and its rows of the kernel.
    fn factors<'a>(
        &self,
        rows: usize,
        x: &'a [f32],
        kernel: &'a [f32],
        (start, n): (usize, usize),
    ) -> (Matrix<'a>, Matrix<'a>) {
        let n_frequencies = self.n_frequencies();
        let x = Matrix::strided(&x[start..], rows, n, self.n_inputs);
        (x, Matrix::new(&kernel[start * n_frequencies..], n, n_frequencies))
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
        let initializer = match self.description.kernel {
            Kernel::Laplacian => Initializer::StandardCauchy,
            Kernel::Gaussian => Initializer::StandardNormal,
        };
        let kernel = Parameter::new("kernel", &[self.n_inputs, self.n_frequencies()], initializer);
        vec![Parameter { trainable: false, ..kernel }]
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
        let n_frequencies = self.n_frequencies();
        for (start, n, output) in self.group_ranges() {
            let (x, kernel) = self.factors(context.rows, x, weights.values, (start, n));
            matmul(&mut y[output..], self.n_outputs(), x, kernel, Accumulate::Overwrite);
            let factor = self.factor(n);
            for y in y.chunks_exact_mut(self.n_outputs()) {
                let (cosines, sines) = y[output..output + 2 * n_frequencies].split_at_mut(n_frequencies);
                for (cosine, sine) in cosines.iter_mut().zip(sines) {
                    (*sine, *cosine) = (*cosine * factor).sin_cos();
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
        for (start, n, output) in self.group_ranges() {
            let factor = self.factor(n);
            let outputs = io.y.chunks_exact(self.n_outputs()).zip(io.dy.chunks_exact(self.n_outputs()));
            for ((y, dy), dh) in outputs.zip(cache.scratch.chunks_exact_mut(n_frequencies)) {
                let range = output..output + 2 * n_frequencies;
                let ((cosines, sines), (d_cosines, d_sines)) =
                    (y[range.clone()].split_at(n_frequencies), dy[range].split_at(n_frequencies));
                for (i, dh) in dh.iter_mut().enumerate() {
                    *dh = factor * (cosines[i] * d_sines[i] - sines[i] * d_cosines[i]);
                }
            }
            let dh = Matrix::new(cache.scratch, context.rows, n_frequencies);
            let (_, kernel) = self.factors(context.rows, io.x, weights.values, (start, n));
            matmul(&mut dx[start..], self.n_inputs, dh, kernel.transposed(), Accumulate::Overwrite);
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
        RandomFourierFeatures { units, kernel, scale: 0.8, groups: groups.to_vec() }
    }

    /// The features of some rows with fresh frequencies.
    fn run(layer: &RandomFourierFeatures, n: usize, x: &[f32]) -> Vec<f32> {
        let built = layer.build(&[n], SITE).unwrap();
        let parameter = &built.parameters()[0];
        let mut kernel = vec![0.0; parameter.len()];
        parameter.initializer.fill(&mut kernel, &parameter.shape, &mut cantus_random::KeyedRng::new([5]));
        run_forward(&LayerSpec::RandomFourierFeatures(layer.clone()), &[n], &kernel, x)
    }

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn products_of_features_are_the_mean_of_the_kernels_of_the_groups() {
        let (n, units) = (5, 20_000);
        let x = noise(2 * n, 3);
        let apart: Vec<f32> = (0..n).map(|i| (x[i] - x[n + i]).abs()).collect();
        for kernel in [Kernel::Laplacian, Kernel::Gaussian] {
            let of = |apart: &[f32]| {
                let n = apart.len() as f32;
                match kernel {
                    Kernel::Laplacian => (-apart.iter().sum::<f32>() / (0.8 * n)).exp(),
                    Kernel::Gaussian => (-dot(apart, apart) / (2.0 * 0.8 * 0.8 * n)).exp(),
                }
            };
            let y = run(&features(units, kernel, &[2, 3]), n, &x);
            let (a, b) = y.split_at(2 * units);
            let expected = (of(&apart[..2]) + of(&apart[2..])) / 2.0;
            // The deviation of a mean of 10,000 cosines is at most 0.01.
            assert_close(&[dot(a, b) / units as f32], &[expected], 0.03);
            assert_close(&[dot(a, a) / units as f32], &[1.0], 1e-4);
        }
    }

    #[test]
    fn gradients_equal_central_differences() {
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
        let flat = RandomFourierFeatures { scale: 0.0, ..features(6, Kernel::Gaussian, &[]) };
        assert!(message(flat).contains("scale must be a finite number of more than 0"));
    }
}
