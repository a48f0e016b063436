//! GRU: one state and two gates (Cho et al. 2014), in the variant whose reset gate comes after the recurrent
//! product.
//!
//! Forward, at each step, from the input x and the state h of the step before (0 at first), with W, R and the
//! two biases b (of the input) and d (of the state) split by gate:
//!
//! - z = σ(x W_z + b_z + h R_z + d_z): how much to keep; r = σ(x W_r + b_r + h R_r + d_r): how much of the
//!   past to look at
//! - s = h R_g + d_g, g = tanh(x W_g + b_g + r s): what might be new
//! - h' = z h + (1 - z) g
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after), the net
//! inputs' gradients are
//!
//! - ∂E/∂a_z = ∂E/∂h' (h - g) z (1 - z), ∂E/∂a_g = ∂E/∂h' (1 - z)(1 - g²), ∂E/∂a_r = ∂E/∂a_g s r (1 - r),
//!   ∂E/∂s = ∂E/∂a_g r
//! - on to the step before: ∂E/∂h = ∂E/∂h' z + [∂E/∂s ∂E/∂a_z ∂E/∂a_r] [R_g R_z R_r]ᵀ
//! - ∂E/∂W = Σ xᵀ [∂E/∂a_z ∂E/∂a_r ∂E/∂a_g], ∂E/∂R = Σ hᵀ [∂E/∂a_z ∂E/∂a_r ∂E/∂s]; biases the same with 1 for
//!   x and h

use std::ops::Range;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::one_sequence::{self, Gated};
use super::recurrence::{Recurrence, at, during};
use super::{
    BackwardReads, Flow, Layer, Memory, Parameter, Pass, Site, Tape, Weights, quarters_mut, split, split_mut,
    transpose,
};
use crate::crew::Crew;
use crate::elementwise::{add, add_rows, sigmoid, tanh};
use crate::error::Error;
use crate::init::Initializer;
use crate::matmul::{Matrix, Onto, matmul};
use crate::regularizer::Regularizer;

/// Gated recurrent unit.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all of
///   them
/// - weights: `kernel [n, 3 units]`, `recurrent_kernel [units, 3 units]`, `bias [2, 3 units]` (of the input,
///   of the state); gates in the order z, r, g
///
/// # Reference
/// Equals `keras.layers.GRU` with its default activations and `reset_after=True`, its default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gru {
    /// The size of h.
    pub units: usize,
    /// Whether to put out h of every step, for another recurrent layer (sequence to sequence), and not of the
    /// last alone.
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
    /// A layer of `units` units, otherwise as Keras has it by default.
    #[must_use]
    pub fn new(units: usize, return_sequences: bool) -> Self {
        Self { units, return_sequences, kernel_regularizer: None, recurrent_regularizer: None }
    }

    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<GruLayer, Error> {
        let sequence = Recurrence::new(input_shape, self.units, self.return_sequences, site)?;
        Ok(GruLayer { description: self, sequence })
    }
}

/// A [`Gru`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct GruLayer {
    description: Gru,
    sequence: Recurrence,
}

/// What the forward pass leaves for the backward pass, each `[time, examples, …]`.
struct Kept<'a> {
    /// x
    x: &'a mut [f32],
    /// s, z, r, g; the backward pass puts ∂E/∂s, ∂E/∂a_z, ∂E/∂a_r, ∂E/∂a_g in their place. In this order, the
    /// state's three lie side by side, and so do the input's.
    gates: &'a mut [f32],
    /// h'
    state: &'a mut [f32],
}

impl GruLayer {
    /// The same layer, from the last step to the first.
    pub(super) fn backwards(self) -> Self {
        Self { sequence: self.sequence.backwards(), ..self }
    }

    /// Lengths of kernel, recurrent kernel and bias.
    fn lens(&self) -> [usize; 3] {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        [n_inputs * 3 * units, units * 3 * units, 2 * 3 * units]
    }

    fn keep<'a>(&self, rows: usize, floats: &'a mut [f32]) -> Kept<'a> {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        let (x, rest) = floats.split_at_mut(n_steps * rows * n_inputs);
        let (gates, state) = rest.split_at_mut(n_steps * rows * 4 * units);
        Kept { x, gates, state }
    }

    /// Adds the gradients of a chunk of steps to those of the weights.
    fn add_gradient(
        &self,
        kept: &Kept<'_>,
        steps: &Range<usize>,
        rows: usize,
        gradient: &mut [f32],
        sums: &mut [f32],
    ) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [d_kernel, d_recurrent, d_bias] = split_mut(gradient, self.lens());
        let d_gates = &kept.gates[during(steps, rows * 4 * units)];
        let n = steps.len() * rows;
        let inputs = Matrix::new(&kept.x[during(steps, rows * n_inputs)], n, n_inputs);
        let of_input = Matrix::strided(&d_gates[units..], n, 3 * units, 4 * units);
        matmul(d_kernel, 3 * units, inputs.transposed(), of_input, Onto::Sum);
        // The first step has no state before it.
        let later = steps.start.max(1)..steps.end;
        let before = Matrix::new(
            &kept.state[during(&(later.start - 1..later.end - 1), rows * units)],
            later.len() * rows,
            units,
        );
        let d_later = &kept.gates[during(&later, rows * 4 * units)];
        if !d_later.is_empty() {
            let [of_z_and_r, of_s] = [&d_later[units..], d_later];
            let of_z_and_r = Matrix::strided(of_z_and_r, later.len() * rows, 2 * units, 4 * units);
            let of_s = Matrix::strided(of_s, later.len() * rows, units, 4 * units);
            matmul(d_recurrent, 3 * units, before.transposed(), of_z_and_r, Onto::Sum);
            matmul(&mut d_recurrent[2 * units..], 3 * units, before.transposed(), of_s, Onto::Sum);
        }
        sums.fill(0.0);
        add_rows(sums, d_gates);
        let (of_input, of_state) = d_bias.split_at_mut(3 * units);
        add(of_input, &sums[units..]);
        add(&mut of_state[..2 * units], &sums[units..3 * units]);
        add(&mut of_state[2 * units..], &sums[..units]);
    }
}

/// One step forward for all examples: net inputs, `gates` from the input and `recurrent` from the state,
/// become gates and state.
fn step_forward(gates: &mut [f32], recurrent: &[f32], bias: &[f32], before: &[f32], state: &mut [f32]) {
    let units = bias.len() / 6;
    let (b, d) = bias.split_at(3 * units);
    let rows = gates.chunks_exact_mut(4 * units).zip(recurrent.chunks_exact(3 * units));
    let rows = rows.zip(before.chunks_exact(units).zip(state.chunks_exact_mut(units)));
    for ((gates, recurrent), (before, state)) in rows {
        let [b, d, recurrent] = [b, d, recurrent].map(|three| split(three, [units; 3]));
        cell_forward(quarters_mut(gates), b, d, recurrent, before, state);
    }
}

/// One step forward for one example; a function of its own, so that its arguments are known not to overlap.
#[multiversion(targets = "simd")]
fn cell_forward(
    [s, z, r, g]: [&mut [f32]; 4],
    [b_z, b_r, b_g]: [&[f32]; 3],
    [d_z, d_r, d_g]: [&[f32]; 3],
    [h_z, h_r, h_g]: [&[f32]; 3],
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

/// One step backward for all examples: gates become their net inputs' gradients, and ∂E/∂h' becomes ∂E/∂h' z.
fn step_backward(gates: &mut [f32], before: &[f32], d_state: &mut [f32], units: usize) {
    let rows = gates.chunks_exact_mut(4 * units).zip(before.chunks_exact(units));
    for ((gates, before), d_state) in rows.zip(d_state.chunks_exact_mut(units)) {
        let [s, z, r, g] = quarters_mut(gates);
        cell_backward(s, z, r, g, before, d_state);
    }
}

/// One step backward for one example; a function of its own, so that its arguments are known not to overlap.
#[multiversion(targets = "simd")]
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

impl Layer for GruLayer {
    fn output_shape(&self) -> &[usize] {
        &self.sequence.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let Gru { kernel_regularizer, recurrent_regularizer, .. } = self.description;
        let recurrent = Parameter::new("recurrent_kernel", &[units, 3 * units], Initializer::Orthogonal);
        vec![
            Parameter::new("kernel", &[n_inputs, 3 * units], Initializer::GlorotUniform)
                .regularized(kernel_regularizer),
            recurrent.regularized(recurrent_regularizer),
            Parameter::new("bias", &[2, 3 * units], Initializer::Zeros),
        ]
    }

    fn memory(&self) -> Memory {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        // In scratch: the recurrent product or ∂E/∂h, zeros for the state before the first step, ∂E/∂x of a
        // chunk; sums for the biases.
        Memory {
            floats: n_steps * (n_inputs + 5 * units),
            scratch_per_row: 4 * units + n_steps * n_inputs,
            scratch: 4 * units,
        }
    }

    fn n_derived(&self) -> usize {
        let [kernel, recurrent, _] = self.lens();
        kernel + recurrent
    }

    /// Wᵀ, and [R_g R_z R_r]ᵀ.
    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [kernel, recurrent, _] = split(weights, self.lens());
        let [kernel_t, recurrent_t] = split_mut(derived, [kernel.len(), recurrent.len()]);
        transpose(kernel, n_inputs, 3 * units, kernel_t);
        transpose(recurrent, units, 3 * units, recurrent_t);
        recurrent_t.rotate_right(units * units);
    }

    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let rows = pass.rows;
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let kept = self.keep(rows, tape.floats);
        let [zeros, product] = split_mut(tape.scratch, [rows * units, rows * 3 * units]);
        zeros.fill(0.0);
        product.fill(0.0);
        for steps in self.sequence.chunks(rows, 4 * units) {
            let inputs = &mut kept.x[during(&steps, rows * n_inputs)];
            self.sequence.gather(x, steps.clone(), inputs);
            let inputs = Matrix::new(inputs, steps.len() * rows, n_inputs);
            let of_input = &mut kept.gates[during(&steps, rows * 4 * units)][units..];
            matmul(of_input, 4 * units, inputs, Matrix::new(kernel, n_inputs, 3 * units), Onto::Fresh);
            for t in steps {
                let gates = &mut kept.gates[at(t, rows * 4 * units)];
                let (before, state) = kept.state.split_at_mut(t * rows * units);
                let before = if t == 0 { &*zeros } else { &before[at(t - 1, rows * units)] };
                if t > 0 {
                    let recurrent = Matrix::new(recurrent, units, 3 * units);
                    matmul(product, 3 * units, Matrix::new(before, rows, units), recurrent, Onto::Fresh);
                }
                let state = &mut state[..rows * units];
                step_forward(gates, product, bias, before, state);
                self.sequence.put_output(t, state, y);
            }
        }
    }

    fn answer(&self, crew: &Crew, _: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], _: Tape<'_>) {
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let gated = Gated { n_gates: 3, n_kept: 4, kernel, recurrent, bias };
        one_sequence::answer(crew, &self.sequence, gated, x, y, |now| {
            step_forward(now.gates, now.recurrent, now.bias, now.before, now.state);
        });
    }

    fn backward(
        &self,
        pass: &Pass,
        weights: Weights<'_>,
        flow: Flow<'_>,
        gradient: &mut [f32],
        tape: Tape<'_>,
    ) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let rows = pass.rows;
        let [kernel_t, recurrent_t] = split(weights.derived, [n_inputs * 3 * units, units * 3 * units]);
        let kept = self.keep(rows, tape.floats);
        let (states, rest) = tape.scratch.split_at_mut(2 * rows * units);
        let (sums, d_inputs) = rest.split_at_mut(4 * units);
        states.fill(0.0);
        let (zeros, d_state) = states.split_at_mut(rows * units);
        let mut dx = flow.dx;
        for steps in self.sequence.chunks(rows, 4 * units).rev() {
            for t in steps.clone().rev() {
                self.sequence.add_output_gradient(t, flow.dy, d_state);
                let gates = &mut kept.gates[at(t, rows * 4 * units)];
                let before = if t == 0 { &*zeros } else { &kept.state[at(t - 1, rows * units)] };
                step_backward(gates, before, d_state, units);
                if t > 0 {
                    let of_state = Matrix::strided(gates, rows, 3 * units, 4 * units);
                    matmul(d_state, units, of_state, Matrix::new(recurrent_t, 3 * units, units), Onto::Sum);
                }
            }
            self.add_gradient(&kept, &steps, rows, gradient, sums);
            if let Some(dx) = &mut dx {
                let n = steps.len() * rows;
                let of_input = &kept.gates[during(&steps, rows * 4 * units)][units..];
                let of_input = Matrix::strided(of_input, n, 3 * units, 4 * units);
                let d_inputs = &mut d_inputs[..n * n_inputs];
                matmul(d_inputs, n_inputs, of_input, Matrix::new(kernel_t, 3 * units, n_inputs), Onto::Fresh);
                self.sequence.scatter(d_inputs, steps, dx);
            }
        }
    }

    fn wants_many_rows(&self) -> bool {
        true
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
