//! MultiTimescaleLSTM: several memories, each slower than the one before.
//!
//! The lecture asks whether there is "a version of this with multiple cell states the forget / modulate with
//! different relative difficulties that store info on consecutively longer time scales". This is one:
//! memories c₁ … c_K of `units` numbers each, and for each a time scale τ_k in steps, τ₁ < … < τ_K. For every
//! k, with h the outputs of all memories, side by side:
//!
//! - i_k = σ(x Wᵢₖ + h Rᵢₖ + bᵢₖ), f_k = σ(x W_fk + h R_fk + b_fk), o_k = σ(x Wₒₖ + h Rₒₖ + bₒₖ), g_k =
//!   tanh(x W_gk + h R_gk + b_gk)
//! - c_k' = f_k c_k + i_k g_k, h_k' = o_k tanh(c_k')
//!
//! The gates are biased at first: b_fk = ln(τ_k - 1) and bᵢₖ = -ln(τ_k - 1). A memory that keeps the share
//! σ(ln(τ - 1)) = 1 - 1/τ at each step holds on to what it has for τ steps on average, and lets in 1/τ of
//! what is new. So fast memories see the notes, slow ones the bars and phrases, and every gate may look at
//! all of them. Nothing is tied: training may move every bias.
//!
//! In sum this is an [`Lstm`](super::Lstm) of K · `units` units with its own first biases, and is computed as
//! one. Forward and backward are explained there.
//!
//! Nearest published work: chrono initialisation (Tallec & Ollivier 2018, "Can recurrent neural networks warp
//! time?"), which draws τ for each unit at random from a range; Clockwork RNN (Koutník et al. 2014), whose
//! modules run at fixed clock rates; the multi-timescale LSTM of Liu et al. 2015, whose groups of memories
//! are updated at fixed, growing intervals.

use serde::{Deserialize, Serialize};

use super::Site;
use super::lstm::{Lstm, LstmLayer};
use crate::error::Error;

/// An LSTM with several memories, each for a longer time scale.
///
/// # Shapes
/// - input `[time, n]`; output `[K units]` or, with `return_sequences`, `[time, K units]`, for K time scales
/// - weights: those of [`Lstm`] with K · `units` units; within a gate, memory by memory
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiTimescaleLstm {
    /// The size of each memory.
    pub units: usize,
    /// τ, in steps, from the shortest to the longest; each more than 1.
    #[serde(default = "MultiTimescaleLstm::default_time_scales")]
    pub time_scales: Vec<f32>,
    /// Whether to put out h of every step, and not of the last alone.
    #[serde(default)]
    pub return_sequences: bool,
}

impl MultiTimescaleLstm {
    /// Four time scales, each four times as long as the one before.
    fn default_time_scales() -> Vec<f32> {
        vec![2.0, 8.0, 32.0, 128.0]
    }

    pub(crate) fn build(&self, input_shape: &[usize], site: Site<'_>) -> Result<LstmLayer, Error> {
        site.at_least_one("units", self.units)?;
        let rising = self.time_scales.is_sorted_by(|a, b| a < b);
        if self.time_scales.is_empty()
            || !rising
            || self.time_scales.iter().any(|tau| !(tau.is_finite() && *tau > 1.0))
        {
            let got = format!("{:?}", self.time_scales);
            return Err(site.setting("time_scales", got, "one or more rising numbers of more than 1"));
        }
        let units = site.at_least_one("units", self.units.saturating_mul(self.time_scales.len()))?;
        let lstm = Lstm::new(units, self.return_sequences);
        Ok(lstm.build(input_shape, site)?.with_initial_bias(self.initial_bias()))
    }

    /// Of the gates i, f, g, o, in this order; within each, memory by memory.
    fn initial_bias(&self) -> Vec<f32> {
        let of_memories = |sign: f32| {
            self.time_scales.iter().flat_map(move |tau| vec![sign * (tau - 1.0).ln(); self.units])
        };
        of_memories(-1.0).chain(of_memories(1.0)).chain(of_memories(0.0)).chain(of_memories(0.0)).collect()
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
    fn a_memory_fades_over_its_time_scale() {
        // With no kernels, and the gate g open at the first step only, memories are c = f^t times the first
        // one.
        let spec = layer(1, &[2.0, 8.0, 32.0]);
        let built = spec.build(&[40, 1], Site { path: "", kind: "" }).unwrap();
        let mut weights = vec![0.0; 12 + 3 * 12];
        weights[6..9].fill(5.0);
        weights.extend(&built.parameters()[2].values.clone().unwrap());
        let mut x = vec![0.0; 40];
        x[0] = 1.0;
        let y = run_forward(&LayerSpec::MultiTimescaleLstm(spec), &[40, 1], &weights, &x);
        for (k, tau) in [2.0_f32, 8.0, 32.0].into_iter().enumerate() {
            let memory = |t: usize| (2.0 * y[t * 3 + k]).atanh();
            let kept = memory(10) / memory(0);
            assert!((kept - (1.0 - 1.0 / tau).powi(10)).abs() < 1e-3, "time scale {tau}: {kept}");
        }
    }

    #[test]
    fn time_scales_must_rise_above_one() {
        for time_scales in [&[][..], &[1.0, 2.0], &[4.0, 2.0], &[2.0, f32::INFINITY], &[f32::NAN]] {
            assert!(
                layer(2, time_scales).build(&[4, 3], Site { path: "", kind: "" }).is_err(),
                "{time_scales:?}"
            );
        }
    }
}
