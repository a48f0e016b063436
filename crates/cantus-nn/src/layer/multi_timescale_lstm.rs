//! MultiTimescaleLSTM: an LSTM with several groups of units, initialised for increasing time scales.
//!
//! The lecture asks whether there is "a version of this with multiple cell states the forget / modulate with different
//! relative difficulties that store info on consecutively longer time scales". This is one: cell states c₁ … c_K of `units`
//! numbers each, with time scales τ₁ < … < τ_K in steps. For every k, with h the outputs of all groups, concatenated:
//!
//! - i_k = σ(x Wᵢₖ + h Rᵢₖ + bᵢₖ), f_k = σ(x W_fk + h R_fk + b_fk), o_k = σ(x Wₒₖ + h Rₒₖ + bₒₖ), g_k = tanh(x W_gk + h R_gk + b_gk)
//! - c_k' = f_k c_k + i_k g_k, h_k' = o_k tanh(c_k')
//!
//! The initial biases are b_fk = ln(τ_k - 1) and bᵢₖ = -ln(τ_k - 1). A cell state that keeps the fraction σ(ln(τ - 1)) = 1 - 1/τ
//! at each step has a mean lifetime of τ steps, and the input gate admits 1/τ of the candidate. The biases are trained like
//! all weights, and every gate depends on all groups.
//!
//! This is an [`Lstm`](super::Lstm) of K · `units` units with other initial biases, and is computed as one; see there for the
//! forward and backward pass.
//!
//! Related work: chrono initialisation (Tallec & Ollivier 2018, "Can recurrent neural networks warp time?"), which draws τ for
//! each unit at random from a range; Clockwork RNN (Koutník et al. 2014), whose modules run at fixed clock rates; the
//! multi-timescale LSTM of Liu et al. 2015, whose groups are updated at fixed, growing intervals.

use serde::{Deserialize, Serialize};

use super::LayerId;
use super::lstm::{Lstm, LstmLayer};
use crate::error::Error;

/// An LSTM with several groups of units of increasing time scales.
///
/// # Shapes
/// - input `[time, n]`; output `[K units]` or, with `return_sequences`, `[time, K units]`, for K time scales
/// - weights: those of [`Lstm`] with K · `units` units; within a gate, group by group
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiTimescaleLstm {
    /// Units of each group.
    pub units: usize,
    /// τ of each group in steps, increasing; each more than 1.
    #[serde(default = "MultiTimescaleLstm::default_time_scales")]
    pub time_scales: Vec<f32>,
    /// Whether to output h of every step, and not only of the last.
    #[serde(default)]
    pub return_sequences: bool,
}

impl MultiTimescaleLstm {
    /// Four time scales, each four times as long as the one before.
    fn default_time_scales() -> Vec<f32> {
        vec![2.0, 8.0, 32.0, 128.0]
    }

    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<LstmLayer, Error> {
        id.at_least_one("units", self.units)?;
        let rising = self.time_scales.is_sorted_by(|a, b| a < b);
        if self.time_scales.is_empty()
            || !rising
            || self.time_scales.iter().any(|tau| !(tau.is_finite() && *tau > 1.0))
        {
            let got = format!("{:?}", self.time_scales);
            return Err(id.setting("time_scales", got, "one or more rising numbers of more than 1"));
        }
        let units = id.at_least_one("units", self.units.saturating_mul(self.time_scales.len()))?;
        let lstm = Lstm::new(units, self.return_sequences);
        Ok(lstm.build(input_shape, id)?.with_initial_bias(self.initial_bias()))
    }

    /// For the gates i, f, g, o, in this order; within each, group by group.
    fn initial_bias(&self) -> Vec<f32> {
        let of_groups = |sign: f32| {
            self.time_scales.iter().flat_map(move |tau| vec![sign * (tau - 1.0).ln(); self.units])
        };
        of_groups(-1.0).chain(of_groups(1.0)).chain(of_groups(0.0)).chain(of_groups(0.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Layer, LayerSpec};
    use crate::testing::{gradients_match_differences, run_forward};

    fn layer(units: usize, time_scales: &[f32]) -> MultiTimescaleLstm {
        MultiTimescaleLstm { units, time_scales: time_scales.to_vec(), return_sequences: true }
    }

    #[test]
    fn gradients_equal_central_differences() {
        gradients_match_differences(&LayerSpec::MultiTimescaleLstm(layer(2, &[2.0, 8.0])), &[4, 3], 2);
    }

    #[test]
    fn a_cell_state_decays_with_its_time_scale() {
        // With zero kernels, and the candidate g nonzero at the first step only, c = f^t times the first one.
        let spec = layer(1, &[2.0, 8.0, 32.0]);
        let built = spec.build(&[40, 1], LayerId { path: "", kind: "" }).unwrap();
        let mut weights = vec![0.0; 12 + 3 * 12];
        weights[6..9].fill(5.0);
        weights.extend(&built.parameters()[2].values.clone().unwrap());
        let mut x = vec![0.0; 40];
        x[0] = 1.0;
        let y = run_forward(&LayerSpec::MultiTimescaleLstm(spec), &[40, 1], &weights, &x);
        for (k, tau) in [2.0_f32, 8.0, 32.0].into_iter().enumerate() {
            let cell = |t: usize| (2.0 * y[t * 3 + k]).atanh();
            let kept = cell(10) / cell(0);
            assert!((kept - (1.0 - 1.0 / tau).powi(10)).abs() < 1e-3, "time scale {tau}: {kept}");
        }
    }

    #[test]
    fn time_scales_must_rise_above_one() {
        for time_scales in [&[][..], &[1.0, 2.0], &[4.0, 2.0], &[2.0, f32::INFINITY], &[f32::NAN]] {
            assert!(
                layer(2, time_scales).build(&[4, 3], LayerId { path: "", kind: "" }).is_err(),
                "{time_scales:?}"
            );
        }
    }
}
