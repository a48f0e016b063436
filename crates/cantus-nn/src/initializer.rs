//! Weight initialisers.
//!
//! Weights that are too large saturate neurons; weights that are too small make their outputs vanish. Glorot & Bengio 2010
//! preserve the variance of signals and of gradients with a variance of 2 / (fan_in + fan_out); He et al. 2015 use 2 / fan_in
//! for ReLU, which halves it. Recurrent kernels are initially orthogonal, so that a state neither grows nor decays over many
//! steps (Saxe et al. 2014).

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

/// The distribution of a tensor's initial weights, with the name that Keras gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform within ±√(6 / (fan_in + fan_out)): Keras's default for kernels.
    GlorotUniform,
    /// Normal with deviation √(2 / (fan_in + fan_out)), truncated at two deviations.
    GlorotNormal,
    /// Uniform within ±√(6 / fan_in).
    HeUniform,
    /// Normal with deviation √(2 / fan_in), truncated at two deviations.
    HeNormal,
    /// Rows or columns (whichever are fewer) are orthonormal: Keras's default for recurrent kernels.
    Orthogonal,
    /// Cauchy with scale 1, without mean and variance: the frequencies of a Laplacian kernel.
    StandardCauchy,
    /// Normal with mean 0 and deviation 1.
    StandardNormal,
}

impl Initializer {
    /// Fills `values`, a tensor of `shape`.
    pub(crate) fn fill(self, values: &mut [f32], shape: &[usize], rng: &mut KeyedRng) {
        let (fan_in, fan_out) = fans(shape);
        match self {
            Self::Zeros => values.fill(0.0),
            Self::Ones => values.fill(1.0),
            Self::GlorotUniform => uniform(values, (6.0 / (fan_in + fan_out)).sqrt(), rng),
            Self::GlorotNormal => truncated_normal(values, (2.0 / (fan_in + fan_out)).sqrt(), rng),
            Self::HeUniform => uniform(values, (6.0 / fan_in).sqrt(), rng),
            Self::HeNormal => truncated_normal(values, (2.0 / fan_in).sqrt(), rng),
            Self::Orthogonal => orthogonal(values, shape.last().copied().unwrap_or(1), rng),
            Self::StandardCauchy => {
                values.fill_with(|| (std::f64::consts::PI * (rng.uniform() - 0.5)).tan() as f32);
            }
            Self::StandardNormal => values.fill_with(|| rng.normal() as f32),
        }
    }
}

/// Number of inputs of an output and of outputs of an input, for `[..., inputs, outputs]`: times the kernel's area.
fn fans(shape: &[usize]) -> (f64, f64) {
    let (area, inputs, outputs) = match shape {
        [] => (1, 1, 1),
        [n] => (1, *n, *n),
        [area @ .., inputs, outputs] => (area.iter().product(), *inputs, *outputs),
    };
    ((area * inputs).max(1) as f64, (area * outputs).max(1) as f64)
}

fn uniform(values: &mut [f32], limit: f64, rng: &mut KeyedRng) {
    values.fill_with(|| (limit * (2.0 * rng.uniform() - 1.0)) as f32);
}

/// The deviation of a standard normal distribution truncated at two deviations.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

fn truncated_normal(values: &mut [f32], deviation: f64, rng: &mut KeyedRng) {
    values.fill_with(|| {
        let mut x = rng.normal();
        while x.abs() > 2.0 {
            x = rng.normal();
        }
        (x * deviation / TRUNCATED_DEVIATION) as f32
    });
}

/// Gram-Schmidt orthogonalisation of normal vectors, applied twice to reduce rounding errors.
fn orthogonal(values: &mut [f32], columns: usize, rng: &mut KeyedRng) {
    let rows = values.len() / columns.max(1);
    let (n_vectors, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(n_vectors);
    for _ in 0..n_vectors {
        let mut vector: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for _ in 0..2 {
            for other in &vectors {
                let dot: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(other).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|a| *a /= norm);
        vectors.push(vector);
    }
    for (i, value) in values.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        *value = if rows <= columns { vectors[row][column] } else { vectors[column][row] } as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glorot_and_he_have_the_variance_of_their_papers() {
        for (initializer, expected) in [
            (Initializer::GlorotUniform, 2.0 / 500.0),
            (Initializer::GlorotNormal, 2.0 / 500.0),
            (Initializer::HeUniform, 2.0 / 200.0),
            (Initializer::HeNormal, 2.0 / 200.0),
        ] {
            let mut values = vec![0.0; 200 * 300];
            initializer.fill(&mut values, &[200, 300], &mut KeyedRng::new([4]));
            let variance = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 6e4;
            assert!(
                (variance / expected - 1.0).abs() < 0.03,
                "{initializer:?}: {variance}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_convolution_kernel_counts_its_area() {
        assert_eq!(fans(&[3, 3, 16, 32]), (144.0, 288.0));
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal() {
        for shape in [[6, 24], [24, 6], [8, 8]] {
            let mut values = vec![0.0; shape[0] * shape[1]];
            Initializer::Orthogonal.fill(&mut values, &shape, &mut KeyedRng::new([2]));
            let wide = shape[0] <= shape[1];
            let n = shape[0].min(shape[1]);
            let at = |vector: usize, i: usize| {
                if wide { values[vector * shape[1] + i] } else { values[i * shape[1] + vector] }
            };
            for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
                let dot: f32 = (0..shape[0].max(shape[1])).map(|i| at(a, i) * at(b, i)).sum();
                assert!((dot - f32::from(u8::from(a == b))).abs() < 1e-5, "{shape:?} {a} {b}: {dot}");
            }
        }
    }
}
