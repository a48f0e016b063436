//! SimpleRNN: a dense layer with its last output as a second input (Elman 1990).
//!
//! Forward, at each step, from the input x and the state h of the step before (initially 0): h' = tanh(x W + h R + b).
//!
//! Backward, from the last step to the first, with ∂E/∂h' (of the output and of the step after): ∂E/∂a = ∂E/∂h' (1 - h'²);
//! for the step before, ∂E/∂h = ∂E/∂a Rᵀ; ∂E/∂W = Σ xᵀ ∂E/∂a, ∂E/∂R = Σ hᵀ ∂E/∂a, ∂E/∂b = Σ ∂E/∂a; ∂E/∂x = ∂E/∂a Wᵀ. Over
//! many steps the factors Rᵀ and 1 - h'² make the gradient vanish or explode, which [`Lstm`](super::Lstm) and
//! [`Gru`](super::Gru) avoid.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use super::recurrence::Recurrence;
use super::recurrent_layer::{Cell, CellGradient, RecurrentLayer};
use super::single_example::CellStep;
use super::{LayerId, Parameter};
use crate::elementwise::tanh;
use crate::error::Error;
use crate::initializer::Initializer;
use crate::matmul::Accumulate;

/// A plain recurrent layer.
///
/// # Shapes
/// - input `[time, n]`; output `[units]`, the last state, or with `return_sequences` `[time, units]`, all states
/// - weights: `kernel [n, units]`, `recurrent_kernel [units, units]`, `bias [units]`
///
/// # Reference
/// Equals `keras.layers.SimpleRNN` with its default activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimpleRnn {
    /// The size of h.
    pub units: usize,
    /// Whether to output h of every step, and not only of the last.
    #[serde(default)]
    pub return_sequences: bool,
}

impl SimpleRnn {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<SimpleRnnLayer, Error> {
        let sequence = Recurrence::new(input_shape, self.units, self.return_sequences, id)?;
        let bias = Parameter::new("bias", &[self.units], Initializer::Zeros);
        Ok(RecurrentLayer::new(sequence, [None, None], bias))
    }
}

/// A [`SimpleRnn`] layer for one input shape.
pub(crate) type SimpleRnnLayer = RecurrentLayer<SimpleRnnCell>;

/// The time step of a SimpleRNN.
#[derive(Debug)]
pub(crate) struct SimpleRnnCell;

impl Cell for SimpleRnnCell {
    const N_GATES: usize = 1;
    const N_CACHED: usize = 1;
    const HAS_CELL_STATE: bool = false;
    const SEPARATE_PRODUCT: bool = false;
    const STATE_GRADIENT: Accumulate = Accumulate::Overwrite;

    fn forward(step: CellStep<'_>) {
        step_forward(step.gates, step.bias, step.state);
    }

    fn backward(step: CellGradient<'_>) {
        step_backward(step.gates, step.state, step.d_state);
    }
}

/// h' = tanh(a + b)
#[multiversion]
fn step_forward(net: &[f32], bias: &[f32], state: &mut [f32]) {
    let units = bias.len();
    for (net, state) in net.chunks_exact(units).zip(state.chunks_exact_mut(units)) {
        state.iter_mut().zip(net.iter().zip(bias)).for_each(|(h, (a, b))| *h = tanh(a + b));
    }
}

/// ∂E/∂a = ∂E/∂h' (1 - h'²)
#[multiversion]
fn step_backward(d_net: &mut [f32], state: &[f32], d_state: &[f32]) {
    d_net.iter_mut().zip(state.iter().zip(d_state)).for_each(|(d_a, (h, d_h))| *d_a = d_h * (1.0 - h * h));
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
