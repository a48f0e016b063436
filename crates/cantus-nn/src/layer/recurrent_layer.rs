//! The loop over time that LSTM, GRU and SimpleRNN share: chunks of steps forward, and back through time.
//!
//! A recurrent layer differs from another one in its [`Cell`]: what a step computes from its net inputs, and its gradient.
//! Products with the input are taken for a chunk of steps at once, products with the state step by step; the weights'
//! gradients are products over a chunk again.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Range;

use super::recurrence::{Recurrence, at, during};
use super::single_example::{self, CellStep, GatedWeights};
use super::{
    BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, Parameter, Weights, split,
    split_mut, transpose,
};
use crate::elementwise::{add, add_rows};
use crate::initializer::Initializer;
use crate::matmul::{Accumulate, Matrix, matmul};
use crate::regularizer::Regularizer;

/// The time step of a recurrent layer.
pub(crate) trait Cell: Debug + Send + Sync {
    /// Gates: blocks of columns of kernel and recurrent kernel, each with a column for each unit.
    const N_GATES: usize;
    /// Numbers stored of each unit and step: the gates are the last of them.
    const N_CACHED: usize;
    /// Whether there is a cell state c beside the state h.
    const HAS_CELL_STATE: bool;
    /// Whether the step needs h R apart from x W, and not their sum.
    const SEPARATE_PRODUCT: bool;
    /// Whether ∂E/∂h is added to what [`Self::backward`] leaves in `d_state`, or replaces it.
    const STATE_GRADIENT: Accumulate;

    /// One step for some examples: net inputs become gates and state. `step.recurrent` is empty unless
    /// [`Self::SEPARATE_PRODUCT`].
    fn forward(step: CellStep<'_>);

    /// One step back for some examples: gates become the gradients of their net inputs, and ∂E/∂c' becomes ∂E/∂c.
    fn backward(step: CellGradient<'_>);

    /// Reorders the transposed recurrent kernel to the order of the gradients in the gates.
    fn arrange_recurrent(_recurrent_t: &mut [f32], _units: usize) {}

    /// Adds ∂E/∂R of some steps, from the states before them and the gradients of their net inputs.
    fn add_recurrent_gradient(d_recurrent: &mut [f32], before: Matrix<'_>, d_gates: &[f32], units: usize) {
        let width = Self::N_GATES * units;
        let d_gates = Matrix::new(d_gates, d_gates.len() / width, width);
        matmul(d_recurrent, width, before.transposed(), d_gates, Accumulate::Add);
    }

    /// Adds ∂E/∂b of some steps; `sums` is scratch space for `N_CACHED · units` numbers if [`Self::SEPARATE_PRODUCT`].
    fn add_bias_gradient(d_bias: &mut [f32], d_gates: &[f32], _sums: &mut [f32]) {
        add_rows(d_bias, d_gates);
    }
}

/// One step back, each array `[examples, …]`.
pub(crate) struct CellGradient<'a> {
    /// The gates; replaced by the gradients of their net inputs.
    pub(super) gates: &'a mut [f32],
    /// h
    pub(super) before: &'a [f32],
    /// h'
    pub(super) state: &'a [f32],
    /// c and c'; empty without cell state
    pub(super) cell_before: &'a [f32],
    pub(super) cell: &'a [f32],
    /// ∂E/∂h'
    pub(super) d_state: &'a mut [f32],
    /// ∂E/∂c'; empty without cell state
    pub(super) d_cell: &'a mut [f32],
    pub(super) units: usize,
}

/// A recurrent layer for one input shape.
#[derive(Debug)]
pub(crate) struct RecurrentLayer<C> {
    pub(super) sequence: Recurrence,
    kernel_regularizer: Option<Regularizer>,
    recurrent_regularizer: Option<Regularizer>,
    bias: Parameter,
    cell: PhantomData<C>,
}

/// What the forward pass stores for the backward pass, each `[time, examples, …]`.
struct Cached<'a> {
    /// x
    x: &'a mut [f32],
    /// Gates, `N_CACHED · units`; the backward pass replaces them by the gradients of their net inputs.
    gates: &'a mut [f32],
    /// c'; empty without cell state
    cell: &'a mut [f32],
    /// h'
    state: &'a mut [f32],
}

impl<C: Cell> RecurrentLayer<C> {
    pub(super) fn new(
        sequence: Recurrence,
        [kernel_regularizer, recurrent_regularizer]: [Option<Regularizer>; 2],
        bias: Parameter,
    ) -> Self {
        Self { sequence, kernel_regularizer, recurrent_regularizer, bias, cell: PhantomData }
    }

    /// The same layer from the last step to the first.
    pub(super) fn backwards(self) -> Self {
        Self { sequence: self.sequence.backwards(), ..self }
    }

    /// The same layer with other initial biases.
    pub(super) fn with_initial_bias(self, values: Vec<f32>) -> Self {
        Self { bias: Parameter { values: Some(values), ..self.bias }, ..self }
    }

    /// Numbers of one example and step in the gates of the weights, and as they are stored.
    fn widths(&self) -> [usize; 2] {
        [C::N_GATES, C::N_CACHED].map(|n| n * self.sequence.units)
    }

    /// Lengths of kernel, recurrent kernel and bias.
    fn lens(&self) -> [usize; 3] {
        let [width, _] = self.widths();
        [self.sequence.n_inputs * width, self.sequence.units * width, self.bias.len()]
    }

    fn cell_len(&self) -> usize {
        if C::HAS_CELL_STATE { self.sequence.units } else { 0 }
    }

    fn split_cache<'a>(&self, rows: usize, cached: &'a mut [f32]) -> Cached<'a> {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        let lens = [n_inputs, C::N_CACHED * units, self.cell_len(), units].map(|len| n_steps * rows * len);
        let [x, gates, cell, state] = split_mut(cached, lens);
        Cached { x, gates, cell, state }
    }

    /// Adds the gradients of the weights over some steps.
    fn add_gradient(
        &self,
        cached: &Cached<'_>,
        steps: &Range<usize>,
        rows: usize,
        gradient: &mut [f32],
        sums: &mut [f32],
    ) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [width, cached_width] = self.widths();
        let [d_kernel, d_recurrent, d_bias] = split_mut(gradient, self.lens());
        let d_gates = &cached.gates[during(steps, rows * cached_width)];
        let n = steps.len() * rows;
        let inputs = Matrix::new(&cached.x[during(steps, rows * n_inputs)], n, n_inputs);
        let of_input = Matrix::strided(&d_gates[cached_width - width..], n, width, cached_width);
        matmul(d_kernel, width, inputs.transposed(), of_input, Accumulate::Add);
        C::add_bias_gradient(d_bias, d_gates, sums);
        // The first step has no state before it.
        let later = steps.start.max(1)..steps.end;
        let before = &cached.state[during(&(later.start - 1..later.end - 1), rows * units)];
        let before = Matrix::new(before, later.len() * rows, units);
        let d_later = &cached.gates[during(&later, rows * cached_width)];
        C::add_recurrent_gradient(d_recurrent, before, d_later, units);
    }
}

impl<C: Cell> Layer for RecurrentLayer<C> {
    fn output_shape(&self) -> &[usize] {
        &self.sequence.output_shape
    }

    /// Input and state are cached in the order of time.
    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [width, _] = self.widths();
        vec![
            Parameter::new("kernel", &[n_inputs, width], Initializer::GlorotUniform)
                .regularized(self.kernel_regularizer),
            Parameter::new("recurrent_kernel", &[units, width], Initializer::Orthogonal)
                .regularized(self.recurrent_regularizer),
            self.bias.clone(),
        ]
    }

    fn buffer_sizes(&self) -> BufferSizes {
        let Recurrence { n_steps, n_inputs, units, .. } = self.sequence;
        let [width, cached_width] = self.widths();
        // In scratch, forward: zeros for the state before the first step, h R. Backward: zeros, ∂E/∂h, ∂E/∂c, ∂E/∂x of a
        // chunk; sums for the biases.
        let product = if C::SEPARATE_PRODUCT { width } else { 0 };
        BufferSizes {
            cached: n_steps * (n_inputs + cached_width + self.cell_len() + units),
            scratch_per_row: units + product.max(units + self.cell_len()) + n_steps * n_inputs,
            scratch: if C::SEPARATE_PRODUCT { cached_width } else { 0 },
        }
    }

    fn n_derived(&self) -> usize {
        let [kernel, recurrent, _] = self.lens();
        kernel + recurrent
    }

    /// Wᵀ and Rᵀ.
    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let [width, _] = self.widths();
        let [kernel, recurrent, _] = split(weights, self.lens());
        let [kernel_t, recurrent_t] = split_mut(derived, [kernel.len(), recurrent.len()]);
        transpose(kernel, n_inputs, width, kernel_t);
        transpose(recurrent, units, width, recurrent_t);
        C::arrange_recurrent(recurrent_t, units);
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let (rows, [width, cached_width]) = (context.rows, self.widths());
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let cached = self.split_cache(rows, cache.cached);
        let product_len = if C::SEPARATE_PRODUCT { rows * width } else { 0 };
        let [zeros, product] = split_mut(cache.scratch, [rows * units, product_len]);
        zeros.fill(0.0);
        product.fill(0.0);
        let (kernel, recurrent) =
            (Matrix::new(kernel, n_inputs, width), Matrix::new(recurrent, units, width));
        for steps in self.sequence.chunks(rows, cached_width) {
            let inputs = &mut cached.x[during(&steps, rows * n_inputs)];
            self.sequence.gather(x, steps.clone(), inputs);
            let inputs = Matrix::new(inputs, steps.len() * rows, n_inputs);
            let of_input = &mut cached.gates[during(&steps, rows * cached_width)][cached_width - width..];
            matmul(of_input, cached_width, inputs, kernel, Accumulate::Overwrite);
            for t in steps {
                let gates = &mut cached.gates[at(t, rows * cached_width)];
                let (states, state) = cached.state.split_at_mut(t * rows * units);
                let before = if t == 0 { &*zeros } else { &states[at(t - 1, rows * units)] };
                if t > 0 {
                    let state = Matrix::new(before, rows, units);
                    if C::SEPARATE_PRODUCT {
                        matmul(product, width, state, recurrent, Accumulate::Overwrite);
                    } else {
                        matmul(gates, width, state, recurrent, Accumulate::Add);
                    }
                }
                let cell_len = rows * self.cell_len();
                let (cells, cell) = cached.cell.split_at_mut(t * cell_len);
                let cell_before = if t == 0 { &zeros[..cell_len] } else { &cells[at(t - 1, cell_len)] };
                let (cell, state) = (&mut cell[..cell_len], &mut state[..rows * units]);
                let recurrent = &*product;
                C::forward(CellStep {
                    gates,
                    recurrent,
                    bias,
                    before,
                    cell_before,
                    cell,
                    state: &mut *state,
                });
                self.sequence.put_output(t, state, y);
            }
        }
    }

    fn forward_one(
        &self,
        _: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let [kernel, recurrent, bias] = split(weights.values, self.lens());
        let weights = GatedWeights { n_gates: C::N_GATES, n_cached: C::N_CACHED, kernel, recurrent, bias };
        single_example::forward(&self.sequence, weights, x, y, |step| {
            if !C::SEPARATE_PRODUCT {
                add(step.gates, step.recurrent);
            }
            C::forward(step);
        });
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let Recurrence { n_inputs, units, .. } = self.sequence;
        let (rows, [width, cached_width]) = (context.rows, self.widths());
        let [kernel_t, recurrent_t] = split(weights.derived, [n_inputs * width, units * width]);
        let (kernel_t, recurrent_t) =
            (Matrix::new(kernel_t, width, n_inputs), Matrix::new(recurrent_t, width, units));
        let cached = self.split_cache(rows, cache.cached);
        let (state_len, cell_len) = (rows * units, rows * self.cell_len());
        let (states, rest) = cache.scratch.split_at_mut(2 * state_len + cell_len);
        let (sums, d_inputs) = rest.split_at_mut(if C::SEPARATE_PRODUCT { cached_width } else { 0 });
        states.fill(0.0);
        let [zeros, d_state, d_cell] = split_mut(states, [state_len, state_len, cell_len]);
        let mut dx = io.dx;
        for steps in self.sequence.chunks(rows, cached_width).rev() {
            for t in steps.clone().rev() {
                self.sequence.add_output_gradient(t, io.dy, d_state);
                let gates = &mut cached.gates[at(t, rows * cached_width)];
                C::backward(CellGradient {
                    gates: &mut *gates,
                    before: if t == 0 { &*zeros } else { &cached.state[at(t - 1, state_len)] },
                    state: &cached.state[at(t, state_len)],
                    cell_before: if t == 0 { &zeros[..cell_len] } else { &cached.cell[at(t - 1, cell_len)] },
                    cell: &cached.cell[at(t, cell_len)],
                    d_state: &mut *d_state,
                    d_cell: &mut *d_cell,
                    units,
                });
                if t > 0 {
                    let d_gates = Matrix::strided(gates, rows, width, cached_width);
                    matmul(d_state, units, d_gates, recurrent_t, C::STATE_GRADIENT);
                }
            }
            self.add_gradient(&cached, &steps, rows, gradient, sums);
            if let Some(dx) = &mut dx {
                let n = steps.len() * rows;
                let of_input = &cached.gates[during(&steps, rows * cached_width)][cached_width - width..];
                let of_input = Matrix::strided(of_input, n, width, cached_width);
                let d_inputs = &mut d_inputs[..n * n_inputs];
                matmul(d_inputs, n_inputs, of_input, kernel_t, Accumulate::Overwrite);
                self.sequence.scatter(d_inputs, steps, dx);
            }
        }
    }

    fn prefers_many_rows(&self) -> bool {
        true
    }
}
