//! A single sequence through a recurrent layer, in inference.
//!
//! With one example there is nothing to share among threads but the units. They are cut into parts of fixed
//! width, so that the bits do not depend on how many members the crew has; a part's weights are packed, and
//! small enough to stay in the first-level cache for the whole sequence. After every step the members exchange
//! their units' states; each state has a place of its own, so that nobody ever waits for a reader.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::recurrence::Recurrence;
use crate::crew::Crew;
use crate::matmul::{Matrix, Onto, matmul};

/// How many units a part has.
const PART: usize = 32;

/// One step of some units.
pub(super) struct Moment<'a> {
    /// x W in the last `n_gates` of `n_kept` pieces.
    pub(super) gates: &'a mut [f32],
    /// h R
    pub(super) recurrent: &'a [f32],
    pub(super) bias: &'a [f32],
    /// h of these units
    pub(super) before: &'a [f32],
    pub(super) memory_before: &'a [f32],
    pub(super) memory: &'a mut [f32],
    /// h'
    pub(super) state: &'a mut [f32],
}

/// The weights of a recurrent layer, which has `n_gates` gates with a column for each unit.
#[derive(Clone, Copy)]
pub(super) struct Gated<'a> {
    pub(super) n_gates: usize,
    /// How many numbers of each unit a step works with, for the gates and beside them.
    pub(super) n_kept: usize,
    pub(super) kernel: &'a [f32],
    pub(super) recurrent: &'a [f32],
    pub(super) bias: &'a [f32],
}

/// Some units with all that belongs to them.
struct Part {
    units: Range<usize>,
    /// x W of all steps, `[time, n_kept · units.len()]`
    gates: Vec<f32>,
    n_kept: usize,
    recurrent: Aligned,
    bias: Vec<f32>,
    product: Vec<f32>,
    memory: [Vec<f32>; 2],
    state: Vec<f32>,
}

impl Part {
    fn new(sequence: &Recurrence, gated: Gated<'_>, units: Range<usize>, inputs: Matrix<'_>) -> Self {
        let Gated { n_gates, n_kept, .. } = gated;
        let (width, n_steps) = (units.len(), sequence.n_steps);
        let [kernel, recurrent, bias] =
            [gated.kernel, gated.recurrent, gated.bias].map(|from| pack(from, sequence.units, &units));
        let recurrent = Aligned::new(&recurrent);
        let mut gates = vec![0.0; n_steps * n_kept * width];
        let of_input = &mut gates[(n_kept - n_gates) * width..];
        let kernel = Matrix::new(&kernel, sequence.n_inputs, n_gates * width);
        matmul(of_input, n_kept * width, inputs, kernel, Onto::Fresh);
        Self {
            gates,
            n_kept,
            recurrent,
            bias,
            product: vec![0.0; n_gates * width],
            memory: [vec![0.0; width], vec![0.0; width]],
            state: vec![0.0; width],
            units,
        }
    }

    /// Step `t`, from the states of all units after the step before.
    fn step(&mut self, t: usize, before: &[f32], cell: &impl Fn(Moment<'_>)) {
        let (kept, width) = (self.n_kept * self.units.len(), self.product.len());
        let recurrent = Matrix::new(self.recurrent.values(), before.len(), width);
        matmul(&mut self.product, width, Matrix::new(before, 1, before.len()), recurrent, Onto::Fresh);
        let [memory_before, memory] = &mut self.memory;
        cell(Moment {
            gates: &mut self.gates[t * kept..(t + 1) * kept],
            recurrent: &self.product,
            bias: &self.bias,
            before: &before[self.units.clone()],
            memory_before,
            memory,
            state: &mut self.state,
        });
        self.memory.swap(0, 1);
    }
}

/// Of rows of one number for each unit, the numbers of some units.
fn pack(rows: &[f32], n_units: usize, units: &Range<usize>) -> Vec<f32> {
    let mut packed = Vec::with_capacity(rows.len() / n_units * units.len());
    rows.chunks_exact(n_units).for_each(|row| packed.extend_from_slice(&row[units.clone()]));
    packed
}

/// Numbers that begin where a line of the cache does: a wide register is filled from one line, and not from two,
/// which makes a difference of a third.
struct Aligned {
    buffer: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// Numbers in a line.
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

/// The states of all units after each step, and how far each member has come.
struct States {
    units: usize,
    /// `[time, units]`
    values: Vec<AtomicU32>,
    progress: Vec<AtomicUsize>,
}

impl States {
    fn put(&self, t: usize, units: &Range<usize>, state: &[f32]) {
        let places = &self.values[t * self.units..][units.clone()];
        places.iter().zip(state).for_each(|(place, h)| place.store(h.to_bits(), Ordering::Relaxed));
    }

    /// The states after step `t`, when all members have put theirs.
    fn take(&self, t: usize, states: &mut [f32]) {
        for progress in &self.progress {
            while progress.load(Ordering::Acquire) <= t {
                std::hint::spin_loop();
            }
        }
        let places = &self.values[t * self.units..];
        states
            .iter_mut()
            .zip(places)
            .for_each(|(h, place)| *h = f32::from_bits(place.load(Ordering::Relaxed)));
    }
}

/// A member that leaves, in whichever way, makes nobody wait.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.store(usize::MAX, Ordering::Release);
    }
}

/// Takes one sequence through a recurrent layer whose step is `cell`.
pub(super) fn answer(
    crew: &Crew,
    sequence: &Recurrence,
    gated: Gated<'_>,
    x: &[f32],
    y: &mut [f32],
    cell: impl Fn(Moment<'_>) + Sync,
) {
    let Recurrence { n_steps, n_inputs, units, .. } = *sequence;
    let n_parts = units.div_ceil(PART);
    let n_members = crew.n_members().min(n_parts);
    let mut inputs = vec![0.0; n_steps * n_inputs];
    sequence.gather(x, 0..n_steps, &mut inputs);
    let inputs = Matrix::new(&inputs, n_steps, n_inputs);
    let states = States {
        units,
        values: (0..n_steps * units).map(|_| AtomicU32::new(0)).collect(),
        progress: (0..n_members).map(|_| AtomicUsize::new(0)).collect(),
    };
    crew.together(&|rank| {
        let Some(progress) = states.progress.get(rank) else { return };
        let _leaving = Leaving(progress);
        let part = |i: usize| Part::new(sequence, gated, i * PART..units.min((i + 1) * PART), inputs);
        let mut parts: Vec<Part> = (rank..n_parts).step_by(n_members).map(part).collect();
        let mut before = vec![0.0; units];
        for t in 0..n_steps {
            for part in &mut parts {
                part.step(t, &before, &cell);
                states.put(t, &part.units, &part.state);
            }
            progress.store(t + 1, Ordering::Release);
            states.take(t, &mut before);
        }
    });
    let mut state = vec![0.0; units];
    for t in if sequence.return_sequences { 0..n_steps } else { n_steps - 1..n_steps } {
        states.take(t, &mut state);
        sequence.put_output(t, &state, y);
    }
}

#[cfg(test)]
mod tests {
    use crate::crew::Crew;
    use crate::layer::{Gru, LayerSpec, Lstm, SimpleRnn};
    use crate::testing::{assert_close, noise, run_answer, run_forward};

    /// Every recurrent layer, of one part and of three.
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
    fn a_single_sequence_gets_the_answer_that_many_get() {
        for (layer, n_weights) in layers() {
            let weights: Vec<f32> = noise(n_weights, 2).into_iter().map(|w| 0.3 * w).collect();
            let x = noise(9 * 3, 1);
            let expected = run_forward(&layer, &[9, 3], &weights, &x);
            assert_close(&run_answer(&Crew::muster(), &layer, &[9, 3], &weights, &x), &expected, 1e-5);
        }
    }

    #[test]
    fn the_answer_has_the_same_bits_with_and_without_help() {
        for (layer, n_weights) in layers() {
            let (weights, x) = (noise(n_weights, 2), noise(9 * 3, 1));
            // Helpers that slept at first are awake later.
            let first = run_answer(&Crew::muster(), &layer, &[9, 3], &weights, &x);
            for _ in 0..200 {
                let again = run_answer(&Crew::muster(), &layer, &[9, 3], &weights, &x);
                assert!(first.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()), "{layer:?}");
            }
        }
    }
}
