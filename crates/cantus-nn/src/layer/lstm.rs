//! LSTM: a memory that gates protect (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
//! 2000).
//!
//! Forward, at each step, from the input x and the state (h, c) of the step before (0 at first), with W, R, b
//! split by gate:
//!
//! - i = σ(x Wᵢ + h Rᵢ + bᵢ), f = σ(x W_f + h R_f + b_f), o = σ(x Wₒ + h Rₒ + bₒ): what to let in, to keep,
//!   to let out
//! - g = tanh(x W_g + h R_g + b_g): what might be new
//! - c' = f c + i g: the memory; h' = o tanh(c'): the output
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after) and ∂E/∂c'
//! (of the step after):
//!
//! - ∂E/∂o = ∂E/∂h' tanh(c'), ∂E/∂c' += ∂E/∂h' o (1 - tanh²(c'))
//! - ∂E/∂i = ∂E/∂c' g, ∂E/∂g = ∂E/∂c' i, ∂E/∂f = ∂E/∂c' c; and on to the step before, ∂E/∂c = ∂E/∂c' f
//! - through σ and tanh to the gates' net inputs a = [i f g o], ∂E/∂a; and on to the step before, ∂E/∂h =
//!   ∂E/∂a Rᵀ
//! - ∂E/∂W = Σ xᵀ ∂E/∂a, ∂E/∂R = Σ hᵀ ∂E/∂a, ∂E/∂b = Σ ∂E/∂a over steps and examples; ∂E/∂x = ∂E/∂a Wᵀ

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::one_sequence::{self, Gated};
use super::recurrence::{Recurrence, at, during};
use super::{
    BackwardReads, Flow, Layer, Memory, Parameter, Pass, Site, Tape, Weights, quarters, quarters_mut, split,
    split_mut, transpose,
};
use crate::crew::Crew;
use crate::elementwise::{add, add_rows, sigmoid, tanh};
use crate::error::Error;
use crate::init::Initializer;
use crate::matmul::{Matrix, Onto, matmul};
use crate::regularizer::Regularizer;

/// Long short-term memory.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all of
///   them
/// - weights: `kernel [n, 4 units]`, `recurrent_kernel [units, 4 units]`, `bias [4 units]`; gates in the
///   order i, f, g, o
///
/// # Reference
/// Equals `keras.layers.LSTM` with its default activations; the forget gate's bias begins at 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// The size of h and of c.
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

impl Lstm {
    /// A layer of `units` units, otherwise as Keras has it by default.
    #[must_use]
    pub fn new(units: usize, return_sequences: bool) -> Self {
        Self { units, return_sequences, kernel_regularizer: None, recurrent_regularizer: None }
    }

    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<LstmLayer, Error> {
        let sequence = Recurrence::new(input_shape, self.units, self.return_sequences, site)?;
        // Only the forget gate's bias begins at 1: at first, the memory keeps most of what it has (Jozefowicz
        // et al. 2015).
        let first_bias = (0..4 * self.units).map(|j| f32::from(u8::from(j / self.units == 1))).collect();
        Ok(LstmLayer { description: self, sequence, first_bias })
    }
}

/// An [`Lstm`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct LstmLayer {
    description: Lstm,
    sequence: Recurrence,
    first_bias: Vec<f32>,
}

/// What the forward pass leaves for the backward pass, each `[time, examples, …]`.
struct Kept<'a> {
    /// x
    x: &'a mut [f32],
    /// i, f, g, o; the backward pass puts ∂E/∂a in their place.
    gates: &'a mut [f32],
    /// c'
    memory: &'a mut [f32],
    /// h'
    state: &'a mut [f32],
}

impl LstmLayer {
    /// The same layer, from the last step to the first.
    pub(super) fn backwards(self) -> Self {
        Self { sequence: self.sequence.backwards(), ..self }
    }

    /// The same layer with other biases to begin with.
    pub(super) fn with_first_bias(self, first_bias: Vec<f32>) -> Self {
        Self { first_bias, ..self }
    }

    /// Lengths of kernel, recurrent kernel and bias.
    fn lens(&self) -> [usize; 3] {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        [n_inputs * 4 * units, units * 4 * units, 4 * units]
    }

    fn keep<'a>(&self, rows: usize, floats: &'a mut [f32]) -> Kept<'a> {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        let (x, rest) = floats.split_at_mut(n_steps * rows * n_inputs);
        let (gates, rest) = rest.split_at_mut(n_steps * rows * 4 * units);
        let (memory, state) = rest.split_at_mut(n_steps * rows * units);
        Kept { x, gates, memory, state }
    }
}

/// One step forward for all examples: net inputs become gates, memory and state.
fn step_forward(gates: &mut [f32], bias: &[f32], before: &[f32], memory: &mut [f32], state: &mut [f32]) {
    let units = bias.len() / 4;
    let rows = gates.chunks_exact_mut(4 * units).zip(before.chunks_exact(units));
    let rows = rows.zip(memory.chunks_exact_mut(units).zip(state.chunks_exact_mut(units)));
    for ((gates, before), (memory, state)) in rows {
        let ([i, f, g, o], [i_bias, f_bias, g_bias, o_bias]) = (quarters_mut(gates), quarters(bias));
        cell_forward(i, f, g, o, i_bias, f_bias, g_bias, o_bias, before, memory, state);
    }
}

/// One step forward for one example; a function of its own, so that its arguments are known not to overlap.
#[multiversion(targets = "simd")]
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
    memory: &mut [f32],
    state: &mut [f32],
) {
    let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
    let biases = i_bias.iter().zip(f_bias).zip(g_bias.iter().zip(o_bias));
    let states = before.iter().zip(memory.iter_mut().zip(state));
    for ((((i, f), (g, o)), ((i_bias, f_bias), (g_bias, o_bias))), (before, (memory, state))) in
        gates.zip(biases).zip(states)
    {
        *i = sigmoid(*i + i_bias);
        *f = sigmoid(*f + f_bias);
        *g = tanh(*g + g_bias);
        *o = sigmoid(*o + o_bias);
        *memory = f.mul_add(*before, *i * *g);
        *state = *o * tanh(*memory);
    }
}

/// One step backward for all examples: gates become ∂E/∂a, and ∂E/∂c' becomes ∂E/∂c.
fn step_backward(
    gates: &mut [f32],
    before: &[f32],
    memory: &[f32],
    d_state: &[f32],
    d_memory: &mut [f32],
    units: usize,
) {
    let rows =
        gates.chunks_exact_mut(4 * units).zip(before.chunks_exact(units).zip(memory.chunks_exact(units)));
    let rows = rows.zip(d_state.chunks_exact(units).zip(d_memory.chunks_exact_mut(units)));
    for ((gates, (before, memory)), (d_state, d_memory)) in rows {
        let [i, f, g, o] = quarters_mut(gates);
        cell_backward(i, f, g, o, before, memory, d_state, d_memory);
    }
}

/// One step backward for one example; a function of its own, so that its arguments are known not to overlap.
#[multiversion(targets = "simd")]
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
    memory: &[f32],
    d_state: &[f32],
    d_memory: &mut [f32],
) {
    let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
    let states = before.iter().zip(memory).zip(d_state.iter().zip(d_memory));
    for (((i, f), (g, o)), ((before, memory), (d_state, d_memory))) in gates.zip(states) {
        let seen = tanh(*memory);
        let d_c = (d_state * *o).mul_add(1.0 - seen * seen, *d_memory);
        *d_memory = d_c * *f;
        *o = d_state * seen * *o * (1.0 - *o);
        *f = d_c * before * *f * (1.0 - *f);
        (*i, *g) = (d_c * *g * *i * (1.0 - *i), d_c * *i * (1.0 - *g * *g));
    }
}

impl Layer for LstmLayer {
    fn output_shape(&self) -> &[usize] {
        &self.sequence.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let Lstm { kernel_regularizer, recurrent_regularizer, .. } = self.description;
        let recurrent = Parameter::new("recurrent_kernel", &[units, 4 * units], Initializer::Orthogonal);
        vec![
            Parameter::new("kernel", &[n_inputs, 4 * units], Initializer::GlorotUniform)
                .regularized(kernel_regularizer),
            recurrent.regularized(recurrent_regularizer),
            Parameter {
                values: Some(self.first_bias.clone()),
                ..Parameter::new("bias", &[4 * units], Initializer::Zeros)
            },
        ]
    }

    fn memory(&self) -> Memory {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        // In scratch: ∂E/∂h, ∂E/∂c, and ∂E/∂x of a chunk; zeros for the state before the first step.
        Memory {
            floats: n_steps * (n_inputs + 6 * units),
            scratch_per_row: 3 * units + n_steps * n_inputs,
            ..Memory::default()
        }
    }

    fn n_derived(&self) -> usize {
        let [kernel, recurrent, _] = self.lens();
        kernel + recurrent
    }

    /// Wᵀ and Rᵀ.
    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let [kernel, recurrent, _] = split(weights, self.lens());
        let [kernel_t, recurrent_t] = split_mut(derived, [kernel.len(), recurrent.len()]);
        transpose(kernel, self.sequence.n_inputs, 4 * self.sequence.units, kernel_t);
        transpose(recurrent, self.sequence.units, 4 * self.sequence.units, recurrent_t);
    }

    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let rows = pass.rows;
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let kept = self.keep(rows, tape.floats);
        let zeros = &mut tape.scratch[..rows * units];
        zeros.fill(0.0);
        for steps in self.sequence.chunks(rows, 4 * units) {
            let inputs = &mut kept.x[during(&steps, rows * n_inputs)];
            self.sequence.gather(x, steps.clone(), inputs);
            let inputs = Matrix::new(inputs, steps.len() * rows, n_inputs);
            let gates = &mut kept.gates[during(&steps, rows * 4 * units)];
            matmul(gates, 4 * units, inputs, Matrix::new(kernel, n_inputs, 4 * units), Onto::Fresh);
            for t in steps {
                let gates = &mut kept.gates[at(t, rows * 4 * units)];
                let (memory_before, memory) = kept.memory.split_at_mut(t * rows * units);
                let (state_before, state) = kept.state.split_at_mut(t * rows * units);
                let memory_before = if t == 0 { &*zeros } else { &memory_before[at(t - 1, rows * units)] };
                if t > 0 {
                    let before = Matrix::new(&state_before[at(t - 1, rows * units)], rows, units);
                    matmul(gates, 4 * units, before, Matrix::new(recurrent, units, 4 * units), Onto::Sum);
                }
                let state = &mut state[..rows * units];
                step_forward(gates, bias, memory_before, &mut memory[..rows * units], state);
                self.sequence.put_output(t, state, y);
            }
        }
    }

    fn answer(&self, crew: &Crew, _: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], _: Tape<'_>) {
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let gated = Gated { n_gates: 4, n_kept: 4, kernel, recurrent, bias };
        one_sequence::answer(crew, &self.sequence, gated, x, y, |now| {
            add(now.gates, now.recurrent);
            step_forward(now.gates, now.bias, now.memory_before, now.memory, now.state);
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
        let [d_kernel, d_recurrent, d_bias] = split_mut(gradient, self.lens());
        let [kernel_t, recurrent_t] = split(weights.derived, [n_inputs * 4 * units, units * 4 * units]);
        let kept = self.keep(rows, tape.floats);
        let states = [rows * units; 3];
        let (states, d_inputs) = tape.scratch.split_at_mut(states.iter().sum());
        states.fill(0.0);
        let [zeros, d_state, d_memory] = split_mut(states, [rows * units; 3]);
        let mut dx = flow.dx;
        for steps in self.sequence.chunks(rows, 4 * units).rev() {
            for t in steps.clone().rev() {
                self.sequence.add_output_gradient(t, flow.dy, d_state);
                let gates = &mut kept.gates[at(t, rows * 4 * units)];
                let before = if t == 0 { &*zeros } else { &kept.memory[at(t - 1, rows * units)] };
                step_backward(gates, before, &kept.memory[at(t, rows * units)], d_state, d_memory, units);
                if t > 0 {
                    let recurrent_t = Matrix::new(recurrent_t, 4 * units, units);
                    matmul(d_state, units, Matrix::new(gates, rows, 4 * units), recurrent_t, Onto::Fresh);
                }
            }
            let n = steps.len() * rows;
            let d_gates = &kept.gates[during(&steps, rows * 4 * units)];
            let da = Matrix::new(d_gates, n, 4 * units);
            let inputs = Matrix::new(&kept.x[during(&steps, rows * n_inputs)], n, n_inputs);
            matmul(d_kernel, 4 * units, inputs.transposed(), da, Onto::Sum);
            add_rows(d_bias, d_gates);
            // The first step has no state before it.
            let later = steps.start.max(1)..steps.end;
            let before = &kept.state[during(&(later.start - 1..later.end - 1), rows * units)];
            let before = Matrix::new(before, later.len() * rows, units);
            let later =
                Matrix::new(&kept.gates[during(&later, rows * 4 * units)], later.len() * rows, 4 * units);
            matmul(d_recurrent, 4 * units, before.transposed(), later, Onto::Sum);
            if let Some(dx) = &mut dx {
                let d_inputs = &mut d_inputs[..n * n_inputs];
                matmul(d_inputs, n_inputs, da, Matrix::new(kernel_t, 4 * units, n_inputs), Onto::Fresh);
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
    fn many_chunks_have_the_gradient_of_one() {
        // 700 examples of 32 units make chunks of one or two steps.
        let layer = Lstm::new(32, false).build(&[3, 2], Site { path: "", kind: "" }).unwrap();
        assert!(layer.sequence.chunks(700, 128).count() > 1);
        let weights: Vec<f32> = noise(35 * 128, 3).iter().map(|w| 0.3 * w).collect();
        let (x, dy) = (noise(700 * 6, 4), noise(700 * 32, 5));
        let gradient = |rows: usize| {
            let memory = layer.memory();
            let mut derived = vec![0.0; layer.n_derived()];
            layer.derive(&weights, &mut derived);
            let weights = Weights { values: &weights, derived: &derived };
            let mut gradient = vec![0.0; 35 * 128];
            for (x, dy) in x.chunks(rows * 6).zip(dy.chunks(rows * 32)) {
                let pass = Pass { rows, first_row: 0, training: true, skips_activation: false, key: 0 };
                let (mut floats, mut scratch) =
                    (vec![0.0; memory.floats * rows], vec![0.0; memory.scratch_per_row * rows]);
                let (mut y, mut dy) = (vec![0.0; rows * 32], dy.to_vec());
                let tape = Tape { floats: &mut floats, scratch: &mut scratch };
                layer.forward(&pass, weights, x, &mut y, tape);
                let flow = Flow { x, y: &y, dy: &mut dy, dx: None };
                let tape = Tape { floats: &mut floats, scratch: &mut scratch };
                layer.backward(&pass, weights, flow, &mut gradient, tape);
            }
            gradient
        };
        assert_close(&gradient(700), &gradient(7), 1e-3);
    }
}
