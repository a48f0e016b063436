//! LSTM: long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
//!
//! Forward, at each step, from the input x and the state (h, c) of the step before (initially 0), with W, R, b split by
//! gate:
//!
//! - input, forget and output gate: i = σ(x Wᵢ + h Rᵢ + bᵢ), f = σ(x W_f + h R_f + b_f), o = σ(x Wₒ + h Rₒ + bₒ)
//! - candidate: g = tanh(x W_g + h R_g + b_g)
//! - cell state: c' = f c + i g; state and output: h' = o tanh(c')
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after) and ∂E/∂c' (of the step
//! after):
//!
//! - ∂E/∂o = ∂E/∂h' tanh(c'), ∂E/∂c' += ∂E/∂h' o (1 - tanh²(c'))
//! - ∂E/∂i = ∂E/∂c' g, ∂E/∂g = ∂E/∂c' i, ∂E/∂f = ∂E/∂c' c; for the step before, ∂E/∂c = ∂E/∂c' f
//! - through σ and tanh to the gates' net inputs a = [i f g o], ∂E/∂a; for the step before, ∂E/∂h = ∂E/∂a Rᵀ
//! - ∂E/∂W = Σ xᵀ ∂E/∂a, ∂E/∂R = Σ hᵀ ∂E/∂a, ∂E/∂b = Σ ∂E/∂a over steps and examples; ∂E/∂x = ∂E/∂a Wᵀ

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::recurrence::Recurrence;
use super::recurrent_layer::{Cell, CellGradient, RecurrentLayer};
use super::single_example::CellStep;
use super::{LayerId, Parameter, quarters, quarters_mut};
use crate::elementwise::{sigmoid, tanh};
use crate::error::Error;
use crate::initializer::Initializer;
use crate::matmul::Accumulate;
use crate::regularizer::Regularizer;

/// Long short-term memory.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all states
/// - weights: `kernel [n, 4 units]`, `recurrent_kernel [units, 4 units]`, `bias [4 units]`; gates in the order i, f, g, o
///
/// # Reference
/// Equals `keras.layers.LSTM` with its default activations; the forget gate's bias is initially 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// The size of h and of c.
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

impl Lstm {
    /// A layer of `units` units, otherwise with Keras's defaults.
    #[must_use]
    pub fn new(units: usize, return_sequences: bool) -> Self {
        Self { units, return_sequences, kernel_regularizer: None, recurrent_regularizer: None }
    }

    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<LstmLayer, Error> {
        let sequence = Recurrence::new(input_shape, self.units, self.return_sequences, id)?;
        // The forget gate's bias is 1, so that the cell state is mostly kept at first (Jozefowicz et al. 2015).
        let values = (0..4 * self.units).map(|j| f32::from(u8::from(j / self.units == 1))).collect();
        let bias = Parameter {
            values: Some(values),
            ..Parameter::new("bias", &[4 * self.units], Initializer::Zeros)
        };
        Ok(RecurrentLayer::new(sequence, [self.kernel_regularizer, self.recurrent_regularizer], bias))
    }
}

/// An [`Lstm`] layer for one input shape.
pub(crate) type LstmLayer = RecurrentLayer<LstmCell>;

/// The time step of an LSTM.
#[derive(Debug)]
pub(crate) struct LstmCell;

impl Cell for LstmCell {
    const N_GATES: usize = 4;
    const N_CACHED: usize = 4;
    const HAS_CELL_STATE: bool = true;
    const SEPARATE_PRODUCT: bool = false;
    const STATE_GRADIENT: Accumulate = Accumulate::Overwrite;

    fn forward(step: CellStep<'_>) {
        let CellStep { gates, bias, cell_before, cell, state, .. } = step;
        let units = bias.len() / 4;
        let rows = gates.chunks_exact_mut(4 * units).zip(cell_before.chunks_exact(units));
        let rows = rows.zip(cell.chunks_exact_mut(units).zip(state.chunks_exact_mut(units)));
        for ((gates, before), (cell, state)) in rows {
            let ([i, f, g, o], [i_bias, f_bias, g_bias, o_bias]) = (quarters_mut(gates), quarters(bias));
            cell_forward(i, f, g, o, i_bias, f_bias, g_bias, o_bias, before, cell, state);
        }
    }

    fn backward(step: CellGradient<'_>) {
        let CellGradient { gates, cell_before, cell, d_state, d_cell, units, .. } = step;
        let rows = gates
            .chunks_exact_mut(4 * units)
            .zip(cell_before.chunks_exact(units).zip(cell.chunks_exact(units)));
        let rows = rows.zip(d_state.chunks_exact(units).zip(d_cell.chunks_exact_mut(units)));
        for ((gates, (before, cell)), (d_state, d_cell)) in rows {
            let [i, f, g, o] = quarters_mut(gates);
            cell_backward(i, f, g, o, before, cell, d_state, d_cell);
        }
    }
}

/// One step forward for one example; separate, so that its arguments are known not to overlap.
#[multiversion]
#[expect(
    clippy::too_many_arguments,
    reason = "only as arguments are slices known not to overlap, and the loop vectorised"
)]
fn cell_forward(
    i: &mut [f32],
    f: &mut [f32],
    g: &mut [f32],
    o: &mut [f32],
    i_bias: &[f32],
    f_bias: &[f32],
    g_bias: &[f32],
    o_bias: &[f32],
    before: &[f32],
    cell: &mut [f32],
    state: &mut [f32],
) {
    let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
    let biases = i_bias.iter().zip(f_bias).zip(g_bias.iter().zip(o_bias));
    let states = before.iter().zip(cell.iter_mut().zip(state));
    for ((((i, f), (g, o)), ((i_bias, f_bias), (g_bias, o_bias))), (before, (cell, state))) in
        gates.zip(biases).zip(states)
    {
        *i = sigmoid(*i + i_bias);
        *f = sigmoid(*f + f_bias);
        *g = tanh(*g + g_bias);
        *o = sigmoid(*o + o_bias);
        *cell = f.mul_add(*before, *i * *g);
        *state = *o * tanh(*cell);
    }
}

/// One step backward for one example; separate, so that its arguments are known not to overlap.
#[multiversion]
#[expect(
    clippy::too_many_arguments,
    reason = "only as arguments are slices known not to overlap, and the loop vectorised"
)]
fn cell_backward(
    i: &mut [f32],
    f: &mut [f32],
    g: &mut [f32],
    o: &mut [f32],
    before: &[f32],
    cell: &[f32],
    d_state: &[f32],
    d_cell: &mut [f32],
) {
    let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
    let states = before.iter().zip(cell).zip(d_state.iter().zip(d_cell));
    for (((i, f), (g, o)), ((before, cell), (d_state, d_cell))) in gates.zip(states) {
        let tanh_c = tanh(*cell);
        let d_c = (d_state * *o).mul_add(1.0 - tanh_c * tanh_c, *d_cell);
        *d_cell = d_c * *f;
        *o = d_state * tanh_c * *o * (1.0 - *o);
        *f = d_c * before * *f * (1.0 - *f);
        (*i, *g) = (d_c * *g * *i * (1.0 - *i), d_c * *i * (1.0 - *g * *g));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{BatchContext, ForwardCache, GradientIo, Layer, LayerSpec, Weights};
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    /// The formulas at the head of this file, for one example and in f64.
    fn naive(x: &[f32], weights: &[f32], n: usize, units: usize) -> Vec<f32> {
        let (kernel, rest) = weights.split_at(n * 4 * units);
        let (recurrent, bias) = rest.split_at(units * 4 * units);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
        let mut all = Vec::new();
        for x in x.chunks(n) {
            let a: Vec<f64> = (0..4 * units)
                .map(|j| {
                    let from_input: f64 = (0..n).map(|i| f64::from(x[i] * kernel[i * 4 * units + j])).sum();
                    let from_state: f64 =
                        (0..units).map(|i| h[i] * f64::from(recurrent[i * 4 * units + j])).sum();
                    from_input + from_state + f64::from(bias[j])
                })
                .collect();
            for u in 0..units {
                let [i, f, o] = [0, 1, 3].map(|gate| sigmoid(a[gate * units + u]));
                c[u] = f * c[u] + i * a[2 * units + u].tanh();
                h[u] = o * c[u].tanh();
            }
            all.extend(h.iter().map(|&h| h as f32));
        }
        all
    }

    #[test]
    fn sequences_equal_the_definition() {
        let (n_steps, n, units, rows) = (9, 3, 5, 4);
        let (x, weights) = (noise(rows * n_steps * n, 1), noise((n + units + 1) * 4 * units, 2));
        let expected: Vec<f32> = x.chunks(n_steps * n).flat_map(|x| naive(x, &weights, n, units)).collect();
        let all = run_forward(&LayerSpec::Lstm(Lstm::new(units, true)), &[n_steps, n], &weights, &x);
        assert_close(&all, &expected, 1e-6);
        let last = run_forward(&LayerSpec::Lstm(Lstm::new(units, false)), &[n_steps, n], &weights, &x);
        let expected: Vec<f32> =
            expected.chunks(n_steps * units).flat_map(|all| all[8 * units..].to_vec()).collect();
        assert_close(&last, &expected, 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        for return_sequences in [false, true] {
            gradients_match_differences(&LayerSpec::Lstm(Lstm::new(3, return_sequences)), &[6, 2], 3);
        }
    }

    #[test]
    fn the_gradient_does_not_depend_on_the_number_of_chunks() {
        // 700 examples of 32 units make chunks of one or two steps.
        let layer = Lstm::new(32, false).build(&[3, 2], LayerId { path: "", kind: "" }).unwrap();
        assert!(layer.sequence.chunks(700, 128).count() > 1);
        let weights: Vec<f32> = noise(35 * 128, 3).iter().map(|w| 0.3 * w).collect();
        let (x, dy) = (noise(700 * 6, 4), noise(700 * 32, 5));
        let gradient = |rows: usize| {
            let memory = layer.buffer_sizes();
            let mut derived = vec![0.0; layer.n_derived()];
            layer.derive(&weights, &mut derived);
            let weights = Weights { values: &weights, derived: &derived };
            let mut gradient = vec![0.0; 35 * 128];
            for (x, dy) in x.chunks(rows * 6).zip(dy.chunks(rows * 32)) {
                let context =
                    BatchContext { rows, first_row: 0, training: true, skips_activation: false, key: 0 };
                let (mut cached, mut scratch) =
                    (vec![0.0; memory.cached * rows], vec![0.0; memory.scratch_per_row * rows]);
                let (mut y, mut dy) = (vec![0.0; rows * 32], dy.to_vec());
                let cache = ForwardCache { cached: &mut cached, scratch: &mut scratch };
                layer.forward(&context, weights, x, &mut y, cache);
                let io = GradientIo { x, y: &y, dy: &mut dy, dx: None };
                let cache = ForwardCache { cached: &mut cached, scratch: &mut scratch };
                layer.backward(&context, weights, io, &mut gradient, cache);
            }
            gradient
        };
        assert_close(&gradient(700), &gradient(7), 1e-3);
    }
}
