//! Deltas: derivatives of features over time, by Savitzky–Golay filters.
//!
//! A polynomial is fitted to a window of `width` frames by least squares and differentiated; differences of adjacent frames
//! would be too noisy. librosa takes the `order`-th derivative of a polynomial of degree `order`, which is constant:
//! `order!` times the leading coefficient. A delta is therefore one weighted sum over the window; frames less than half a
//! window from an end have the delta of the first or last window.
//!
//! # Reference
//! Savitzky & Golay, "Smoothing and differentiation of data by simplified least squares procedures", 1964;
//! `librosa.feature.delta` 0.11 in its mode `interp`.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;

/// Maximum width of the window, in frames.
const MAX_WIDTH: usize = 1001;

/// Settings of deltas; librosa's name and default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeltaConfig {
    /// Width of the window, in frames: odd, at least 3.
    pub width: usize,
}

impl Default for DeltaConfig {
    fn default() -> Self {
        Self { width: 9 }
    }
}

/// A derivative over time, planned.
#[derive(Debug, Clone)]
pub struct Delta {
    order: usize,
    /// `[width]`
    weights: Vec<f32>,
}

impl Delta {
    /// Plans the derivative of order `order` over windows of `width` frames.
    ///
    /// # Panics
    /// If `width` is even or not above `order`.
    pub fn new(width: usize, order: usize) -> Self {
        assert!(width % 2 == 1 && width > order, "a window of {width} frames for order {order}");
        Self { order, weights: weights(width, order) }
    }

    /// The derivative of every column of a matrix.
    ///
    /// With fewer frames than the window has, the widest window that fits is used; if that is too narrow for the order,
    /// the derivative is 0. (librosa rejects both.)
    ///
    /// # Shapes
    /// - `values`: `[n_frames, n_bins]`
    /// - `deltas`: as many rows, each `[n_bins]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.delta(values.T, width=width, order=order).T` 0.11 within 1e-6 of the largest value.
    pub fn apply<'a>(&self, values: &[f32], n_bins: usize, deltas: impl Iterator<Item = &'a mut [f32]>) {
        let n_frames = values.len() / n_bins.max(1);
        if n_frames >= self.weights.len() {
            return apply(&self.weights, values, n_bins, deltas);
        }
        let widest = n_frames.saturating_sub(1) / 2 * 2 + 1;
        if widest > self.order && widest <= n_frames {
            return apply(&weights(widest, self.order), values, n_bins, deltas);
        }
        deltas.for_each(|row| row.fill(0.0));
    }
}

fn apply<'a>(weights: &[f32], values: &[f32], n_bins: usize, deltas: impl Iterator<Item = &'a mut [f32]>) {
    let width = weights.len();
    let last = values.len() / n_bins - width;
    for (t, row) in deltas.enumerate() {
        let first = t.saturating_sub(width / 2).min(last);
        row.fill(0.0);
        for (weight, frame) in weights.iter().zip(values[first * n_bins..].chunks_exact(n_bins)) {
            row.iter_mut().zip(frame).for_each(|(slot, x)| *slot += weight * x);
        }
    }
}

/// `order! · p / Σp²` with the monic polynomial `p = x^order + …` that is orthogonal to all of lower degree on the points
/// `x = -width/2 ..= width/2`: the projection on `p` is the leading coefficient of the fit.
fn weights(width: usize, order: usize) -> Vec<f32> {
    let half = (width / 2) as f64;
    let points: Vec<f64> = (0..width).map(|i| i as f64 - half).collect();
    let square = |p: &[f64]| p.iter().map(|x| x * x).sum::<f64>();
    // Three-term recurrence of orthogonal polynomials on symmetric points.
    let (mut before, mut p) = (vec![0.0; width], vec![1.0; width]);
    for _ in 0..order {
        let fraction = if square(&before) > 0.0 { square(&p) / square(&before) } else { 0.0 };
        let next = points.iter().zip(&p).zip(&before).map(|((x, p), b)| x * p - fraction * b).collect();
        before = std::mem::replace(&mut p, next);
    }
    let factorial: f64 = (1..=order).map(|k| k as f64).product();
    let scale = factorial / square(&p);
    p.iter().map(|p| (p * scale) as f32).collect()
}

/// Derivative of order `ORDER`, 1 or 2, of the MFCCs over time: `[n_frames, n_mfcc]`.
#[derive(Debug, Clone)]
pub(crate) struct MfccDelta<const ORDER: usize>(Delta);

impl<const ORDER: usize> Feature for MfccDelta<ORDER> {
    type Config = DeltaConfig;
    const NAME: &'static str = if ORDER == 1 { "mfcc_delta" } else { "mfcc_delta2" };
    const TITLE: &'static str = if ORDER == 1 { "MFCC delta" } else { "MFCC delta-delta" };
    const UNIT: &'static str = if ORDER == 1 { "per frame" } else { "per frame²" };
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mfcc];

    fn n_bins(_: &DeltaConfig, params: &FrameParams) -> usize {
        params.n_mfcc
    }

    fn bins(_: &DeltaConfig, _: &FrameParams) -> Bins {
        Bins::Numbered(Self::TITLE)
    }

    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Coefficients
    }

    fn validate(config: &DeltaConfig, params: &FrameParams) -> Result<(), Error> {
        let (width, n_frames) = (config.width, params.n_frames(params.segment_samples));
        let is_window = width % 2 == 1 && (3..=MAX_WIDTH).contains(&width);
        require(is_window, "delta.width", width, || {
            format!("an odd number of frames from 3 to {MAX_WIDTH}")
        })?;
        require(width <= n_frames, "delta.width", width, || {
            format!("at most the {n_frames} frames of a segment")
        })
    }

    fn plan(config: &DeltaConfig, _: &FrameParams) -> Self {
        Self(Delta::new(config.width, ORDER))
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.0.apply(input.mfcc, input.params.n_mfcc, rows.iter_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn delta(width: usize, order: usize, values: &[f32]) -> Vec<f32> {
        let mut deltas = vec![f32::NAN; values.len()];
        Delta::new(width, order).apply(values, 1, deltas.chunks_exact_mut(1));
        deltas
    }

    #[test]
    fn the_delta_of_a_line_is_its_slope_in_every_frame() {
        let line: Vec<f32> = (0..20).map(|t| 3.0 * t as f32 - 7.0).collect();
        assert_close(&delta(9, 1, &line), &[3.0; 20], 1e-5);
        assert_close(&delta(9, 2, &line), &[0.0; 20], 1e-5);
    }

    #[test]
    fn the_second_delta_of_a_parabola_is_its_curvature_everywhere() {
        let parabola: Vec<f32> = (0..20).map(|t| 0.5 * (t * t) as f32).collect();
        assert_close(&delta(5, 2, &parabola), &[1.0; 20], 1e-4);
    }

    #[test]
    fn weights_equal_scipys() {
        // scipy.signal.savgol_coeffs(5, 1, deriv=1, use="dot"), savgol_coeffs(5, 2, deriv=2, use="dot")
        assert_close(&weights(5, 1), &[-0.2, -0.1, 0.0, 0.1, 0.2], 1e-7);
        assert_close(&weights(5, 2), &[2.0 / 7.0, -1.0 / 7.0, -2.0 / 7.0, -1.0 / 7.0, 2.0 / 7.0], 1e-7);
    }

    #[test]
    fn short_input_uses_the_widest_window_that_fits() {
        assert_close(&delta(9, 1, &[1.0, 2.0, 3.0, 4.0]), &[1.0; 4], 1e-6);
        assert_eq!(delta(9, 1, &[1.0, 2.0]), [0.0; 2]);
        assert!(delta(9, 1, &[]).is_empty());
    }
}
