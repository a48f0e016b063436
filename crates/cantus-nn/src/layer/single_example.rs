//! Inference of one sequence by a recurrent layer.
//!
//! With a single example, only the units can be divided among threads. They are divided into blocks of constant width, so
//! that the bits do not depend on the number of threads; a block's weights are packed, and small enough to stay in the
//! first-level cache for the whole sequence. After every step the threads exchange the states of their units; each step
//! has its own storage for them, so that no thread waits for another one to finish reading.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::recurrence::Recurrence;
use crate::latency_pool::LatencyPool;
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
    state: Vec<f32>,
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
            state: vec![0.0; width],
            units,
        }
    }

    /// Computes step `t` from the states of all units after the step before.
    fn step(&mut self, t: usize, before: &[f32], compute: &impl Fn(CellStep<'_>)) {
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
            state: &mut self.state,
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

/// The states of all units after each step, and the number of steps that each thread has completed.
struct StateExchange {
    units: usize,
    /// `[time, units]`
    values: Vec<AtomicU32>,
    progress: Vec<AtomicUsize>,
}

impl StateExchange {
    fn publish(&self, t: usize, units: &Range<usize>, state: &[f32]) {
        let values = &self.values[t * self.units..][units.clone()];
        values.iter().zip(state).for_each(|(value, h)| value.store(h.to_bits(), Ordering::Relaxed));
    }

    /// Waits until all threads have published step `t`, and copies its states.
    fn wait_for(&self, t: usize, states: &mut [f32]) {
        for progress in &self.progress {
            while progress.load(Ordering::Acquire) <= t {
                std::hint::spin_loop();
            }
        }
        let values = &self.values[t * self.units..];
        let pairs = states.iter_mut().zip(values);
        pairs.for_each(|(h, value)| *h = f32::from_bits(value.load(Ordering::Relaxed)));
    }
}

/// Marks a thread as complete when it ends, also by a panic, so that no other thread waits for it.
struct CompletionGuard<'a>(&'a AtomicUsize);

impl Drop for CompletionGuard<'_> {
    fn drop(&mut self) {
        self.0.store(usize::MAX, Ordering::Release);
    }
}

/// Runs a recurrent layer, whose time step is `compute`, on one sequence.
pub(super) fn forward(
    pool: &LatencyPool,
    sequence: &Recurrence,
    weights: GatedWeights<'_>,
    x: &[f32],
    y: &mut [f32],
    compute: impl Fn(CellStep<'_>) + Sync,
) {
    let Recurrence { n_steps, n_inputs, units, .. } = *sequence;
    let n_blocks = units.div_ceil(UNITS);
    let n_threads = pool.n_threads().min(n_blocks);
    let mut inputs = vec![0.0; n_steps * n_inputs];
    sequence.gather(x, 0..n_steps, &mut inputs);
    let inputs = Matrix::new(&inputs, n_steps, n_inputs);
    let states = StateExchange {
        units,
        values: (0..n_steps * units).map(|_| AtomicU32::new(0)).collect(),
        progress: (0..n_threads).map(|_| AtomicUsize::new(0)).collect(),
    };
    pool.run(&|rank| {
        let Some(progress) = states.progress.get(rank) else { return };
        let _completion = CompletionGuard(progress);
        let block =
            |i: usize| UnitBlock::new(sequence, weights, i * UNITS..units.min((i + 1) * UNITS), inputs);
        let mut blocks: Vec<UnitBlock> = (rank..n_blocks).step_by(n_threads).map(block).collect();
        let mut before = vec![0.0; units];
        for t in 0..n_steps {
            for block in &mut blocks {
                block.step(t, &before, &compute);
                states.publish(t, &block.units, &block.state);
            }
            progress.store(t + 1, Ordering::Release);
            states.wait_for(t, &mut before);
        }
    });
    let mut state = vec![0.0; units];
    for t in if sequence.return_sequences { 0..n_steps } else { n_steps - 1..n_steps } {
        states.wait_for(t, &mut state);
        sequence.put_output(t, &state, y);
    }
}

#[cfg(test)]
mod tests {
    use crate::latency_pool::LatencyPool;
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
            assert_close(
                &run_forward_one(&LatencyPool::acquire(), &layer, &[9, 3], &weights, &x),
                &expected,
                1e-5,
            );
        }
    }

    #[test]
    fn the_output_has_the_same_bits_on_any_number_of_threads() {
        for (layer, n_weights) in layers() {
            let (weights, x) = (noise(n_weights, 2), noise(9 * 3, 1));
            // Workers that sleep at first are awake later.
            let first = run_forward_one(&LatencyPool::acquire(), &layer, &[9, 3], &weights, &x);
            for _ in 0..200 {
                let again = run_forward_one(&LatencyPool::acquire(), &layer, &[9, 3], &weights, &x);
                assert!(first.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()), "{layer:?}");
            }
        }
    }
}
