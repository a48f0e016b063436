//! SimpleRNN: a dense layer that also sees its own last output (Elman 1990).
//!
//! Forward, at each step, from the input x and the state h of the step before (0 at first): h' = tanh(x W + h
//! R + b).
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after): ∂E/∂a =
//! ∂E/∂h' (1 - h'²); on to the step before, ∂E/∂h = ∂E/∂a Rᵀ; ∂E/∂W = Σ xᵀ ∂E/∂a, ∂E/∂R = Σ hᵀ ∂E/∂a, ∂E/∂b =
//! Σ ∂E/∂a; ∂E/∂x = ∂E/∂a Wᵀ. Over many steps the factors Rᵀ and 1 - h'² make the gradient vanish or explode:
//! why there are [`Lstm`](super::Lstm) and [`Gru`](super::Gru).

use serde::{Deserialize, Serialize};

use super::one_sequence::{self, Gated};
use super::recurrence::{Recurrence, at, during};
use super::{
    BackwardReads, Flow, Layer, Memory, Parameter, Pass, Site, Tape, Weights, split, split_mut, transpose,
};
use crate::activation::{Activation, add_bias_and_activate};
use crate::crew::Crew;
use crate::elementwise::{add, add_rows};
use crate::error::Error;
use crate::init::Initializer;
use crate::matmul::{Matrix, Onto, matmul};

/// A plain recurrent layer.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all of
///   them
/// - weights: `kernel [n, units]`, `recurrent_kernel [units, units]`, `bias [units]`
///
/// # Reference
/// Equals `keras.layers.SimpleRNN` with its default activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimpleRnn {
    /// The size of h.
    pub units: usize,
    /// Whether to put out h of every step, and not of the last alone.
    #[serde(default)]
    pub return_sequences: bool,
}

impl SimpleRnn {
    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<SimpleRnnLayer, Error> {
        Ok(SimpleRnnLayer {
            sequence: Recurrence::new(input_shape, self.units, self.return_sequences, site)?,
        })
    }
}

/// A [`SimpleRnn`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct SimpleRnnLayer {
    sequence: Recurrence,
}

/// What the forward pass leaves for the backward pass, each `[time, examples, …]`.
struct Kept<'a> {
    x: &'a mut [f32],
    /// h'
    state: &'a mut [f32],
    /// ∂E/∂a
    d_net: &'a mut [f32],
}

impl SimpleRnnLayer {
    /// The same layer, from the last step to the first.
    pub(super) fn backwards(self) -> Self {
        Self { sequence: self.sequence.backwards() }
    }

    /// Lengths of kernel, recurrent kernel and bias.
    fn lens(&self) -> [usize; 3] {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        [n_inputs * units, units * units, units]
    }

    fn keep<'a>(&self, rows: usize, floats: &'a mut [f32]) -> Kept<'a> {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        let (x, rest) = floats.split_at_mut(n_steps * rows * n_inputs);
        let (state, d_net) = rest.split_at_mut(n_steps * rows * units);
        Kept { x, state, d_net }
    }
}

impl Layer for SimpleRnnLayer {
    fn output_shape(&self) -> &[usize] {
        &self.sequence.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        vec![
            Parameter::new("kernel", &[n_inputs, units], Initializer::GlorotUniform),
            Parameter::new("recurrent_kernel", &[units, units], Initializer::Orthogonal),
            Parameter::new("bias", &[units], Initializer::Zeros),
        ]
    }

    fn memory(&self) -> Memory {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        // In scratch: ∂E/∂h, and ∂E/∂x of a chunk.
        Memory {
            floats: n_steps * (n_inputs + 2 * units),
            scratch_per_row: units + n_steps * n_inputs,
            ..Memory::default()
        }
    }

    fn n_derived(&self) -> usize {
        let [kernel, recurrent, _] = self.lens();
        kernel + recurrent
    }

    /// Wᵀ and Rᵀ.
    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [kernel, recurrent, _] = split(weights, self.lens());
        let [kernel_t, recurrent_t] = split_mut(derived, [kernel.len(), recurrent.len()]);
        transpose(kernel, n_inputs, units, kernel_t);
        transpose(recurrent, units, units, recurrent_t);
    }

    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let rows = pass.rows;
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let kept = self.keep(rows, tape.floats);
        for steps in self.sequence.chunks(rows, units) {
            let inputs = &mut kept.x[during(&steps, rows * n_inputs)];
            self.sequence.gather(x, steps.clone(), inputs);
            let inputs = Matrix::new(inputs, steps.len() * rows, n_inputs);
            let states = &mut kept.state[during(&steps, rows * units)];
            matmul(states, units, inputs, Matrix::new(kernel, n_inputs, units), Onto::Fresh);
            for t in steps {
                let (before, state) = kept.state.split_at_mut(t * rows * units);
                let state = &mut state[..rows * units];
                if t > 0 {
                    let before = Matrix::new(&before[at(t - 1, rows * units)], rows, units);
                    matmul(state, units, before, Matrix::new(recurrent, units, units), Onto::Sum);
                }
                add_bias_and_activate(state, bias, Activation::Tanh, None);
                self.sequence.put_output(t, state, y);
            }
        }
    }

    fn answer(&self, crew: &Crew, _: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], _: Tape<'_>) {
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let gated = Gated { n_gates: 1, n_kept: 1, kernel, recurrent, bias };
        one_sequence::answer(crew, &self.sequence, gated, x, y, |now| {
            now.state.copy_from_slice(now.gates);
            add(now.state, now.recurrent);
            add_bias_and_activate(now.state, now.bias, Activation::Tanh, None);
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
        let [kernel_t, recurrent_t] = split(weights.derived, [n_inputs * units, units * units]);
        let kept = self.keep(rows, tape.floats);
        let (d_state, d_inputs) = tape.scratch.split_at_mut(rows * units);
        d_state.fill(0.0);
        let mut dx = flow.dx;
        for steps in self.sequence.chunks(rows, units).rev() {
            for t in steps.clone().rev() {
                self.sequence.add_output_gradient(t, flow.dy, d_state);
                let d_net = &mut kept.d_net[at(t, rows * units)];
                d_net.copy_from_slice(d_state);
                Activation::Tanh.backward(&kept.state[at(t, rows * units)], &[], d_net, units);
                let recurrent_t = Matrix::new(recurrent_t, units, units);
                matmul(d_state, units, Matrix::new(d_net, rows, units), recurrent_t, Onto::Fresh);
            }
            let n = steps.len() * rows;
            let d_nets = &kept.d_net[during(&steps, rows * units)];
            let da = Matrix::new(d_nets, n, units);
            let inputs = Matrix::new(&kept.x[during(&steps, rows * n_inputs)], n, n_inputs);
            matmul(d_kernel, units, inputs.transposed(), da, Onto::Sum);
            add_rows(d_bias, d_nets);
            // The first step has no state before it.
            let later = steps.start.max(1)..steps.end;
            let before = &kept.state[during(&(later.start - 1..later.end - 1), rows * units)];
            let before = Matrix::new(before, later.len() * rows, units);
            let d_later = Matrix::new(&kept.d_net[during(&later, rows * units)], later.len() * rows, units);
            matmul(d_recurrent, units, before.transposed(), d_later, Onto::Sum);
            if let Some(dx) = &mut dx {
                let d_inputs = &mut d_inputs[..n * n_inputs];
                matmul(d_inputs, n_inputs, da, Matrix::new(kernel_t, units, n_inputs), Onto::Fresh);
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
    use crate::testing::{assert_close, gradients_match_differences, run_forward};

    #[test]
    fn two_steps_equal_a_calculation_by_hand() {
        // W = 0.5, R = 2, b = 0.1: tanh(0.5 · 1 + 0.1), then tanh(0.5 · (-1) + 2 h + 0.1).
        let spec = |return_sequences| LayerSpec::SimpleRnn(SimpleRnn { units: 1, return_sequences });
        let first = 0.6_f32.tanh();
        let second = (-0.4 + 2.0 * first).tanh();
        assert_close(
            &run_forward(&spec(true), &[2, 1], &[0.5, 2.0, 0.1], &[1.0, -1.0]),
            &[first, second],
            1e-6,
        );
        assert_close(&run_forward(&spec(false), &[2, 1], &[0.5, 2.0, 0.1], &[1.0, -1.0]), &[second], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        for return_sequences in [false, true] {
            gradients_match_differences(
                &LayerSpec::SimpleRnn(SimpleRnn { units: 4, return_sequences }),
                &[5, 3],
                3,
            );
        }
        gradients_match_differences(
            &LayerSpec::SimpleRnn(SimpleRnn { units: 4, return_sequences: true }),
            &[1, 3],
            2,
        );
    }
}
