//! GRU: gated recurrent unit (Cho et al. 2014), in the variant that applies the reset gate after the recurrent product.
//!
//! Forward, at each step, from the input x and the state h of the step before (initially 0), with W, R and the biases b (of
//! the input) and d (of the state) split by gate:
//!
//! - update gate z = σ(x W_z + b_z + h R_z + d_z), reset gate r = σ(x W_r + b_r + h R_r + d_r)
//! - s = h R_g + d_g, candidate g = tanh(x W_g + b_g + r s)
//! - h' = z h + (1 - z) g
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after), the net inputs' gradients
//! are
//!
//! - ∂E/∂a_z = ∂E/∂h' (h - g) z (1 - z), ∂E/∂a_g = ∂E/∂h' (1 - z)(1 - g²), ∂E/∂a_r = ∂E/∂a_g s r (1 - r),
//!   ∂E/∂s = ∂E/∂a_g r
//! - for the step before: ∂E/∂h = ∂E/∂h' z + [∂E/∂s ∂E/∂a_z ∂E/∂a_r] [R_g R_z R_r]ᵀ
//! - ∂E/∂W = Σ xᵀ [∂E/∂a_z ∂E/∂a_r ∂E/∂a_g], ∂E/∂R = Σ hᵀ [∂E/∂a_z ∂E/∂a_r ∂E/∂s]; biases the same with 1 for x and h

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::recurrence::Recurrence;
use super::recurrent_layer::{Cell, CellGradient, RecurrentLayer};
use super::single_example::CellStep;
use super::{LayerId, Parameter, quarters_mut, thirds};
use crate::elementwise::{add, add_rows, sigmoid, tanh};
use crate::error::Error;
use crate::initializer::Initializer;
use crate::matmul::{Accumulate, Matrix, matmul};
use crate::regularizer::Regularizer;

/// Gated recurrent unit.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all states
/// - weights: `kernel [n, 3 units]`, `recurrent_kernel [units, 3 units]`, `bias [2, 3 units]` (of the input, of the state);
///   gates in the order z, r, g
///
/// # Reference
/// Equals `keras.layers.GRU` with its default activations and `reset_after=True`, its default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gru {
    /// The size of h.
    pub units: usize,
    /// Whether to output h of every step, for another recurrent layer, and not only of the last.
    #[serde(default)]
    pub return_sequences: bool,
    /// A penalty on W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
    /// A penalty on R.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrent_regularizer: Option<Regularizer>,
}

impl Gru {
    /// A layer of `units` units, otherwise with Keras's defaults.
    #[must_use]
    pub fn new(units: usize, return_sequences: bool) -> Self {
        Self { units, return_sequences, kernel_regularizer: None, recurrent_regularizer: None }
    }

    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<GruLayer, Error> {
        let sequence = Recurrence::new(input_shape, self.units, self.return_sequences, id)?;
        let bias = Parameter::new("bias", &[2, 3 * self.units], Initializer::Zeros);
        Ok(RecurrentLayer::new(sequence, [self.kernel_regularizer, self.recurrent_regularizer], bias))
    }
}

/// A [`Gru`] layer for one input shape.
pub(crate) type GruLayer = RecurrentLayer<GruCell>;

/// The time step of a GRU. Stored are s, z, r, g, and in the backward pass ∂E/∂s, ∂E/∂a_z, ∂E/∂a_r, ∂E/∂a_g: in this order,
/// the three that depend on the state are adjacent, and so are the three that depend on the input.
#[derive(Debug)]
pub(crate) struct GruCell;

impl Cell for GruCell {
    const N_GATES: usize = 3;
    const N_CACHED: usize = 4;
    const HAS_CELL_STATE: bool = false;
    const SEPARATE_PRODUCT: bool = true;
    const STATE_GRADIENT: Accumulate = Accumulate::Add;

    fn forward(step: CellStep<'_>) {
        let CellStep { gates, recurrent, bias, before, state, .. } = step;
        let units = bias.len() / 6;
        let (of_input, of_state) = bias.split_at(3 * units);
        let ([b_z, b_r, b_g], [d_z, d_r, d_g]) = (thirds(of_input), thirds(of_state));
        let rows = gates.chunks_exact_mut(4 * units).zip(recurrent.chunks_exact(3 * units));
        let rows = rows.zip(before.chunks_exact(units).zip(state.chunks_exact_mut(units)));
        for ((gates, recurrent), (before, state)) in rows {
            let ([s, z, r, g], [h_z, h_r, h_g]) = (quarters_mut(gates), thirds(recurrent));
            cell_forward(s, z, r, g, b_z, b_r, b_g, d_z, d_r, d_g, h_z, h_r, h_g, before, state);
        }
    }

    /// Leaves ∂E/∂h' z in `d_state`.
    fn backward(step: CellGradient<'_>) {
        let CellGradient { gates, before, d_state, units, .. } = step;
        let rows = gates.chunks_exact_mut(4 * units).zip(before.chunks_exact(units));
        for ((gates, before), d_state) in rows.zip(d_state.chunks_exact_mut(units)) {
            let [s, z, r, g] = quarters_mut(gates);
            cell_backward(s, z, r, g, before, d_state);
        }
    }

    /// [R_g R_z R_r]ᵀ
    fn arrange_recurrent(recurrent_t: &mut [f32], units: usize) {
        recurrent_t.rotate_right(units * units);
    }

    fn add_recurrent_gradient(d_recurrent: &mut [f32], before: Matrix<'_>, d_gates: &[f32], units: usize) {
        if d_gates.is_empty() {
            return;
        }
        let n = d_gates.len() / (4 * units);
        let of_z_and_r = Matrix::strided(&d_gates[units..], n, 2 * units, 4 * units);
        let of_s = Matrix::strided(d_gates, n, units, 4 * units);
        matmul(d_recurrent, 3 * units, before.transposed(), of_z_and_r, Accumulate::Add);
        matmul(&mut d_recurrent[2 * units..], 3 * units, before.transposed(), of_s, Accumulate::Add);
    }

    fn add_bias_gradient(d_bias: &mut [f32], d_gates: &[f32], sums: &mut [f32]) {
        let units = sums.len() / 4;
        sums.fill(0.0);
        add_rows(sums, d_gates);
        let (of_input, of_state) = d_bias.split_at_mut(3 * units);
        add(of_input, &sums[units..]);
        add(&mut of_state[..2 * units], &sums[units..3 * units]);
        add(&mut of_state[2 * units..], &sums[..units]);
    }
}

/// One step forward for one example; separate, so that its arguments are known not to overlap.
#[multiversion]
#[expect(
    clippy::too_many_arguments,
    reason = "only as arguments are slices known not to overlap, and the loop vectorised"
)]
fn cell_forward(
    s: &mut [f32],
    z: &mut [f32],
    r: &mut [f32],
    g: &mut [f32],
    b_z: &[f32],
    b_r: &[f32],
    b_g: &[f32],
    d_z: &[f32],
    d_r: &[f32],
    d_g: &[f32],
    h_z: &[f32],
    h_r: &[f32],
    h_g: &[f32],
    before: &[f32],
    state: &mut [f32],
) {
    let gates = s.iter_mut().zip(z).zip(r.iter_mut().zip(g));
    let of_z = b_z.iter().zip(d_z).zip(h_z);
    let of_r = b_r.iter().zip(d_r).zip(h_r);
    let of_g = b_g.iter().zip(d_g).zip(h_g);
    let states = before.iter().zip(state);
    for (((((s, z), (r, g)), ((b_z, d_z), h_z)), (((b_r, d_r), h_r), ((b_g, d_g), h_g))), (before, state)) in
        gates.zip(of_z).zip(of_r.zip(of_g)).zip(states)
    {
        *s = h_g + d_g;
        *z = sigmoid(*z + b_z + h_z + d_z);
        *r = sigmoid(*r + b_r + h_r + d_r);
        *g = tanh(r.mul_add(*s, *g + b_g));
        *state = z.mul_add(before - *g, *g);
    }
}

/// One step backward for one example; separate, so that its arguments are known not to overlap.
#[multiversion]
fn cell_backward(
    s: &mut [f32],
    z: &mut [f32],
    r: &mut [f32],
    g: &mut [f32],
    before: &[f32],
    d_state: &mut [f32],
) {
    let gates = s.iter_mut().zip(z).zip(r.iter_mut().zip(g));
    for (((s, z), (r, g)), (before, d_state)) in gates.zip(before.iter().zip(d_state)) {
        let d_g = *d_state * (1.0 - *z) * (1.0 - *g * *g);
        let d_z = *d_state * (before - *g) * *z * (1.0 - *z);
        let d_r = d_g * *s * *r * (1.0 - *r);
        *d_state *= *z;
        (*s, *z, *r, *g) = (d_g * *r, d_z, d_r, d_g);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    /// The formulas at the head of this file, for one example and in f64.
    fn naive(x: &[f32], weights: &[f32], n: usize, units: usize) -> Vec<f32> {
        let (kernel, rest) = weights.split_at(n * 3 * units);
        let (recurrent, bias) = rest.split_at(units * 3 * units);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut h = vec![0.0; units];
        let mut all = Vec::new();
        for x in x.chunks(n) {
            let of_input = |j: usize| -> f64 {
                f64::from(bias[j]) + (0..n).map(|i| f64::from(x[i] * kernel[i * 3 * units + j])).sum::<f64>()
            };
            let of_state = |j: usize| -> f64 {
                let product = (0..units).map(|i| h[i] * f64::from(recurrent[i * 3 * units + j]));
                f64::from(bias[3 * units + j]) + product.sum::<f64>()
            };
            h = (0..units)
                .map(|u| {
                    let [z, r] = [u, units + u].map(|j| sigmoid(of_input(j) + of_state(j)));
                    let g = (of_input(2 * units + u) + r * of_state(2 * units + u)).tanh();
                    z * h[u] + (1.0 - z) * g
                })
                .collect();
            all.extend(h.iter().map(|&h| h as f32));
        }
        all
    }

    #[test]
    fn sequences_equal_the_definition() {
        let (n_steps, n, units, rows) = (9, 3, 5, 4);
        let (x, weights) = (noise(rows * n_steps * n, 1), noise((n + units + 2) * 3 * units, 2));
        let expected: Vec<f32> = x.chunks(n_steps * n).flat_map(|x| naive(x, &weights, n, units)).collect();
        let all = run_forward(&LayerSpec::Gru(Gru::new(units, true)), &[n_steps, n], &weights, &x);
        assert_close(&all, &expected, 1e-6);
        let last = run_forward(&LayerSpec::Gru(Gru::new(units, false)), &[n_steps, n], &weights, &x);
        let expected: Vec<f32> =
            expected.chunks(n_steps * units).flat_map(|all| all[8 * units..].to_vec()).collect();
        assert_close(&last, &expected, 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        for return_sequences in [false, true] {
            gradients_match_differences(&LayerSpec::Gru(Gru::new(3, return_sequences)), &[6, 2], 3);
        }
        // One step has no state before it.
        gradients_match_differences(&LayerSpec::Gru(Gru::new(3, true)), &[1, 2], 3);
    }
}
