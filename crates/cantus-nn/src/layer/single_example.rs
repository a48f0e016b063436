//! Inference of one sequence by a recurrent layer.
//!
//! Of a single example, the product with the recurrent kernel has one row and takes most of the time. The units are divided
//! into blocks whose columns of the kernels are packed: a block's sums fit into registers.

use std::ops::Range;

use super::recurrence::Recurrence;
use crate::matmul::{Accumulate, Matrix, matmul};

/// Units of a block.
const UNITS: usize = 32;

/// One time step of the cell, for the units of a block.
pub(crate) struct CellStep<'a> {
    /// x W in the last `n_gates` of `n_cached` blocks.
    pub(super) gates: &'a mut [f32],
    /// h R
    pub(super) recurrent: &'a [f32],
    pub(super) bias: &'a [f32],
    /// h of these units
    pub(super) before: &'a [f32],
    /// c of these units, for an LSTM
    pub(super) cell_before: &'a [f32],
    /// c'
    pub(super) cell: &'a mut [f32],
    /// h'
    pub(super) state: &'a mut [f32],
}

/// The weights of a recurrent layer with `n_gates` gates, each with a column for each unit.
#[derive(Clone, Copy)]
pub(super) struct GatedWeights<'a> {
    pub(super) n_gates: usize,
    /// Numbers of each unit in a step: the gates, and what is stored beside them.
    pub(super) n_cached: usize,
    pub(super) kernel: &'a [f32],
    pub(super) recurrent: &'a [f32],
    pub(super) bias: &'a [f32],
}

/// Some units with their weights and state.
struct UnitBlock {
    units: Range<usize>,
    /// x W of all steps, `[time, n_cached · units.len()]`
    gates: Vec<f32>,
    n_cached: usize,
    recurrent: Aligned,
    bias: Vec<f32>,
    product: Vec<f32>,
    cell: [Vec<f32>; 2],
}

impl UnitBlock {
    fn new(
        sequence: &Recurrence,
        weights: GatedWeights<'_>,
        units: Range<usize>,
        inputs: Matrix<'_>,
    ) -> Self {
        let GatedWeights { n_gates, n_cached, .. } = weights;
        let (width, n_steps) = (units.len(), sequence.n_steps);
        let [kernel, recurrent, bias] =
            [weights.kernel, weights.recurrent, weights.bias].map(|from| pack(from, sequence.units, &units));
        let recurrent = Aligned::new(&recurrent);
        let mut gates = vec![0.0; n_steps * n_cached * width];
        let of_input = &mut gates[(n_cached - n_gates) * width..];
        let kernel = Matrix::new(&kernel, sequence.n_inputs, n_gates * width);
        matmul(of_input, n_cached * width, inputs, kernel, Accumulate::Overwrite);
        Self {
            gates,
            n_cached,
            recurrent,
            bias,
            product: vec![0.0; n_gates * width],
            cell: [vec![0.0; width], vec![0.0; width]],
            units,
        }
    }

    /// Computes this block's part of `state`, the states of all units after step `t`, from those `before` it.
    fn step(&mut self, t: usize, before: &[f32], state: &mut [f32], compute: &impl Fn(CellStep<'_>)) {
        let (step_len, width) = (self.n_cached * self.units.len(), self.product.len());
        let recurrent = Matrix::new(self.recurrent.values(), before.len(), width);
        matmul(
            &mut self.product,
            width,
            Matrix::new(before, 1, before.len()),
            recurrent,
            Accumulate::Overwrite,
        );
        let [cell_before, cell] = &mut self.cell;
        compute(CellStep {
            gates: &mut self.gates[t * step_len..(t + 1) * step_len],
            recurrent: &self.product,
            bias: &self.bias,
            before: &before[self.units.clone()],
            cell_before,
            cell,
            state: &mut state[self.units.clone()],
        });
        self.cell.swap(0, 1);
    }
}

/// From rows of one number for each unit, the numbers of some units.
fn pack(rows: &[f32], n_units: usize, units: &Range<usize>) -> Vec<f32> {
    let mut packed = Vec::with_capacity(rows.len() / n_units * units.len());
    rows.chunks_exact(n_units).for_each(|row| packed.extend_from_slice(&row[units.clone()]));
    packed
}

/// Numbers aligned to cache lines, so that a vector register is loaded from one line and not from two: a third faster.
struct Aligned {
    buffer: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// Numbers in a cache line.
    const LINE: usize = 16;

    fn new(values: &[f32]) -> Self {
        let mut buffer = vec![0.0; values.len() + Self::LINE];
        let start = buffer.as_ptr().align_offset(size_of::<f32>() * Self::LINE).min(Self::LINE);
        buffer[start..start + values.len()].copy_from_slice(values);
        Self { buffer, start }
    }

    fn values(&self) -> &[f32] {
        &self.buffer[self.start..]
    }
}

/// Runs a recurrent layer, whose time step is `compute`, on one sequence.
pub(super) fn forward(
    sequence: &Recurrence,
    weights: GatedWeights<'_>,
    x: &[f32],
    y: &mut [f32],
    compute: impl Fn(CellStep<'_>),
) {
    let Recurrence { n_steps, n_inputs, units, .. } = *sequence;
    let mut inputs = vec![0.0; n_steps * n_inputs];
    sequence.gather(x, 0..n_steps, &mut inputs);
    let inputs = Matrix::new(&inputs, n_steps, n_inputs);
    let block = |i: usize| UnitBlock::new(sequence, weights, i * UNITS..units.min((i + 1) * UNITS), inputs);
    let mut blocks: Vec<UnitBlock> = (0..units.div_ceil(UNITS)).map(block).collect();
    let (mut before, mut state) = (vec![0.0; units], vec![0.0; units]);
    for t in 0..n_steps {
        blocks.iter_mut().for_each(|block| block.step(t, &before, &mut state, &compute));
        sequence.put_output(t, &state, y);
        std::mem::swap(&mut before, &mut state);
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::{Gru, LayerSpec, Lstm, SimpleRnn};
    use crate::testing::{assert_close, noise, run_forward, run_forward_one};

    /// Every recurrent layer, with one block of units and with three.
    fn layers() -> Vec<(LayerSpec, usize)> {
        let mut all = Vec::new();
        for (units, return_sequences) in [(5, true), (5, false), (70, true), (70, false)] {
            all.push((LayerSpec::Lstm(Lstm::new(units, return_sequences)), 4 * units * (3 + units + 1)));
            all.push((LayerSpec::Gru(Gru::new(units, return_sequences)), 3 * units * (3 + units + 2)));
            let plain = SimpleRnn { units, return_sequences };
            all.push((LayerSpec::SimpleRnn(plain), units * (3 + units + 1)));
        }
        all
    }

    #[test]
    fn one_sequence_has_the_output_that_it_has_in_a_batch() {
        for (layer, n_weights) in layers() {
            let weights: Vec<f32> = noise(n_weights, 2).into_iter().map(|w| 0.3 * w).collect();
            let x = noise(9 * 3, 1);
            let expected = run_forward(&layer, &[9, 3], &weights, &x);
            assert_close(&run_forward_one(&layer, &[9, 3], &weights, &x), &expected, 1e-5);
        }
    }
}
