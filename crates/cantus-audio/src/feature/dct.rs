//! Discrete cosine transform (DCT), types I to IV.
//!
//! Of a log-mel spectrum, coefficient 0 is the level, 1 the spectral tilt, the next ones the spectral envelope. Mel bands of
//! music are strongly correlated, their coefficients hardly: the first few contain most of the variance.
//!
//! Computed as a product with a precomputed matrix: inputs are short, and few coefficients are needed.
//!
//! # Conventions
//! Orthonormal by default: `scipy.fft.dct(x, type, norm="ortho")`.
//!
//! # Reference
//! Ahmed, Natarajan & Rao, "Discrete cosine transform", 1974; SciPy 1.17.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

/// Number of coefficients that are computed in parallel.
const LANES: usize = 16;

/// Type of the DCT; serialised as the number 1, 2, 3 or 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum DctType {
    /// Even about the first and the last value.
    I,
    /// Even about half a step before the first and after the last value; *the* DCT, and librosa's default.
    #[default]
    II,
    /// The transpose of type II; HTK's choice.
    III,
    /// Even about half a step before the first value, odd about half a step after the last.
    IV,
}

/// Scaling of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DctNorm {
    /// Orthonormal (librosa's default).
    #[default]
    Ortho,
    /// Unscaled: SciPy's `norm=None`.
    None,
}

impl From<DctType> for u8 {
    fn from(dct_type: DctType) -> Self {
        match dct_type {
            DctType::I => 1,
            DctType::II => 2,
            DctType::III => 3,
            DctType::IV => 4,
        }
    }
}

impl TryFrom<u8> for DctType {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::I),
            2 => Ok(Self::II),
            3 => Ok(Self::III),
            4 => Ok(Self::IV),
            _ => Err(format!("dct_type = {number}: 1, 2, 3 or 4 is expected")),
        }
    }
}

impl DctType {
    /// Weight of value `n` of `n_in` in coefficient `k`.
    fn weight(self, norm: DctNorm, k: usize, n: usize, n_in: usize) -> f64 {
        let (last, cosine) = (n_in - 1, self.cosine(k, n, n_in));
        // The even extension about a value contains that value once, all others twice.
        let (k_is_end, n_is_end) = match self {
            Self::I => (k == 0 || k == last, n == 0 || n == last),
            Self::II => (k == 0, false),
            Self::III => (false, n == 0),
            Self::IV => (false, false),
        };
        match norm {
            DctNorm::None => {
                if n_is_end {
                    cosine
                } else {
                    2.0 * cosine
                }
            }
            DctNorm::Ortho => {
                let length = if self == Self::I { last } else { n_in } as f64;
                let ends = i32::from(k_is_end) + i32::from(n_is_end);
                (2.0 / length).sqrt() * FRAC_1_SQRT_2.powi(ends) * cosine
            }
        }
    }

    fn cosine(self, k: usize, n: usize, n_in: usize) -> f64 {
        let (k, n, length) = (k as f64, n as f64, n_in as f64);
        match self {
            Self::I => (PI * k * n / (length - 1.0)).cos(),
            Self::II => (PI * k * (n + 0.5) / length).cos(),
            Self::III => (PI * (k + 0.5) * n / length).cos(),
            Self::IV => (PI * (k + 0.5) * (n + 0.5) / length).cos(),
        }
    }
}

/// A DCT of `n_in` values to the first `n_out` coefficients, planned.
#[derive(Debug, Clone)]
pub struct Dct {
    n_in: usize,
    n_out: usize,
    /// `[n_out / LANES, n_in, LANES]`: per block of sixteen coefficients, their weights value by value.
    weights: Vec<[f32; LANES]>,
}

impl Dct {
    /// Plans an orthonormal transform. Type I needs at least two values; a single value is returned as it is.
    pub fn new(dct_type: DctType, n_in: usize, n_out: usize) -> Self {
        Self::scaled(dct_type, DctNorm::Ortho, n_in, n_out, |_| 1.0)
    }

    /// Plans a transform with coefficient `k` multiplied by `scale(k)`.
    pub fn scaled(
        dct_type: DctType,
        norm: DctNorm,
        n_in: usize,
        n_out: usize,
        scale: impl Fn(usize) -> f64,
    ) -> Self {
        let is_single = n_in == 1 && dct_type == DctType::I; // type I is undefined for one value
        let weight = |k, n| if is_single { 1.0 } else { dct_type.weight(norm, k, n, n_in) };
        let weights = (0..n_out.div_ceil(LANES))
            .flat_map(|block| (0..n_in).map(move |n| (block, n)))
            .map(|(block, n)| {
                std::array::from_fn(|lane| {
                    let k = block * LANES + lane;
                    (weight(k, n) * scale(k)) as f32
                })
            })
            .collect();
        Self { n_in, n_out, weights }
    }

    /// Number of input values.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Number of coefficients.
    pub fn n_out(&self) -> usize {
        self.n_out
    }

    /// Transforms one vector.
    ///
    /// # Shapes
    /// - `values`: `[n_in]`
    /// - `coefficients`: `[n_out]`, overwritten
    pub fn apply(&self, values: &[f32], coefficients: &mut [f32]) {
        if self.n_in == 0 {
            return coefficients.fill(0.0);
        }
        let blocks = self.weights.chunks_exact(self.n_in);
        for (out, block) in coefficients.chunks_mut(LANES).zip(blocks) {
            out.copy_from_slice(&weighted_sums(values, block)[..out.len()]);
        }
    }
}

/// `Σ value · weight` in each lane.
#[multiversion]
fn weighted_sums(values: &[f32], weights: &[[f32; LANES]]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (value, weights) in values.iter().zip(weights) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += value * weight;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    const TYPES: [DctType; 4] = [DctType::I, DctType::II, DctType::III, DctType::IV];

    fn transformed(dct_type: DctType, values: &[f32], n_out: usize) -> Vec<f32> {
        let mut coefficients = vec![f32::NAN; n_out];
        Dct::new(dct_type, values.len(), n_out).apply(values, &mut coefficients);
        coefficients
    }

    #[test]
    fn every_type_preserves_energy() {
        let curve: Vec<f32> = (0..40).map(|n| (n as f32 * 0.7).sin()).collect();
        let energy = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>();
        for dct_type in TYPES {
            assert_close(&[energy(&transformed(dct_type, &curve, 40))], &[energy(&curve)], 1e-4);
        }
    }

    #[test]
    fn type_3_inverts_type_2_and_type_1_itself() {
        let curve: Vec<f32> = (0..33).map(|n| (n as f32 * 0.7).sin()).collect();
        let there = transformed(DctType::II, &curve, 33);
        assert_close(&transformed(DctType::III, &there, 33), &curve, 1e-6);
        let there = transformed(DctType::I, &curve, 33);
        assert_close(&transformed(DctType::I, &there, 33), &curve, 1e-6);
    }

    #[test]
    fn fewer_coefficients_are_the_first_ones() {
        let curve: Vec<f32> = (0..40).map(|n| (n as f32).sqrt()).collect();
        let all = transformed(DctType::II, &curve, 40);
        for n_out in [0, 1, 13, 16, 17] {
            assert_eq!(transformed(DctType::II, &curve, n_out), all[..n_out]);
        }
    }

    #[test]
    fn inputs_of_one_value_or_none_are_transformed() {
        for dct_type in [DctType::I, DctType::II, DctType::III] {
            assert_close(&transformed(dct_type, &[3.0], 1), &[3.0], 1e-6);
            assert_eq!(transformed(dct_type, &[], 2), [0.0, 0.0]);
        }
        // scipy.fft.dct([3.0], 4, norm="ortho")
        assert_close(&transformed(DctType::IV, &[3.0], 1), &[3.0], 1e-6);
    }
}
