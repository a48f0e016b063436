//! Regularisers: a penalty on large weights, added to the loss.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

/// l1 Σ|w| + l2 Σw², Keras's `L1`, `L2` and `L1L2` in one; in an architecture `kernel_regularizer = { l2 =
/// 0.001 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularizer {
    /// Weight of the sum of absolute values: drives weights to exactly zero.
    pub l1: f32,
    /// Weight of the sum of squares: keeps weights small.
    pub l2: f32,
}

impl Regularizer {
    /// Only absolute values.
    #[must_use]
    pub fn l1(l1: f32) -> Self {
        Self { l1, l2: 0.0 }
    }

    /// Only squares.
    #[must_use]
    pub fn l2(l2: f32) -> Self {
        Self { l1: 0.0, l2 }
    }

    /// The penalty of these weights.
    pub(crate) fn penalty(self, weights: &[f32]) -> f64 {
        if self == Self::default() {
            return 0.0;
        }
        let total = |sums: [f32; 16]| sums.into_iter().map(f64::from).sum::<f64>();
        let of_block = |block: &[f32]| {
            let (absolute, squares) = sums(block);
            f64::from(self.l1) * total(absolute) + f64::from(self.l2) * total(squares)
        };
        weights.chunks(BLOCK).map(of_block).sum()
    }

    /// The penalty's derivative at one weight.
    #[inline(always)]
    pub(crate) fn gradient(self, weight: f32) -> f32 {
        let sign = if weight > 0.0 {
            1.0
        } else if weight < 0.0 {
            -1.0
        } else {
            0.0
        };
        self.l1 * sign + 2.0 * self.l2 * weight
    }
}

/// Weights summed in f32: few enough to keep all digits, many enough to be fast.
const BLOCK: usize = 4096;

/// Sums of absolute values and of squares, 16 of each in parallel, since a single sum would wait for each addition.
#[multiversion]
fn sums(weights: &[f32]) -> ([f32; 16], [f32; 16]) {
    let (mut absolute, mut squares) = ([0.0_f32; 16], [0.0_f32; 16]);
    let (chunks, rest) = weights.as_chunks::<16>();
    for chunk in chunks {
        for i in 0..16 {
            absolute[i] += chunk[i].abs();
            squares[i] += chunk[i] * chunk[i];
        }
    }
    for weight in rest {
        absolute[0] += weight.abs();
        squares[0] += weight * weight;
    }
    (absolute, squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `float(keras.regularizers.L1L2(l1=0.1, l2=0.01)(numpy.array([1.0, -2.0, 0.5])))` is 0.4025, Keras
    /// 3.15.1.
    #[test]
    fn the_penalty_is_that_of_keras() {
        let both = Regularizer { l1: 0.1, l2: 0.01 };
        assert!((both.penalty(&[1.0, -2.0, 0.5]) - 0.4025).abs() < 1e-7);
        assert_eq!(Regularizer::default().penalty(&[3.0]), 0.0);
    }

    /// A sum of so many numbers in f32 alone would be off by 1e-6 and more.
    #[test]
    fn the_penalty_of_many_weights_keeps_its_digits() {
        let weights: Vec<f32> = (0..865_000).map(|i| 0.01 + (i % 97) as f32 * 1e-4).collect();
        let exact: f64 = weights.iter().map(|&w| f64::from(w).powi(2)).sum();
        let found = Regularizer::l2(1.0).penalty(&weights);
        assert!((found / exact - 1.0).abs() < 1e-7, "{found}, not {exact}");
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_penalty() {
        let both = Regularizer { l1: 0.1, l2: 0.01 };
        for weight in [-2.0_f32, 0.5, 3.0] {
            let slope = (both.penalty(&[weight + 1e-2]) - both.penalty(&[weight - 1e-2])) / 2e-2;
            assert!((f64::from(both.gradient(weight)) - slope).abs() < 1e-4);
        }
    }
}
