//! Answering: examples go through the layers, and nothing is kept for a backward pass.

use std::ops::Range;
use std::sync::Mutex;

use crate::chain::Chain;
use crate::crew::Crew;
use crate::layer::{Pass, Tape, Weights};
use crate::team::{all_threads, lock};

/// How many examples a thread takes at a time. Fixed, so that results do not depend on the number of threads.
pub(crate) const BLOCK: usize = 32;
/// Outputs of a layer that should fit into the second-level cache together with its inputs.
const CACHED: usize = 65_536;

/// What an inference puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// The network's outputs.
    Activated,
    /// The net inputs of the last activation, for a loss that computes that itself.
    Logits,
}

/// Buffers to take up to `capacity` examples through a network; made once, used often.
#[derive(Debug)]
pub(crate) struct Inference {
    /// How many examples there is room for.
    capacity: usize,
    /// How many of them go through the layers together.
    group: usize,
    inputs: Vec<f32>,
    /// The network's.
    answers: Vec<f32>,
    /// Outputs of layers, in turn.
    outputs: [Vec<f32>; 2],
    floats: Vec<f32>,
    scratch: Vec<f32>,
}

impl Inference {
    pub(crate) fn new(chain: &Chain, capacity: usize) -> Self {
        let largest = |of: &dyn Fn(usize) -> usize| (0..chain.links.len()).map(of).max().unwrap_or(0);
        let memory = |i: usize| chain.links[i].layer.memory();
        let output = largest(&|i| chain.links[i].output_len());
        let many_rows = chain.links.iter().any(|link| link.layer.wants_many_rows());
        let group = if many_rows { BLOCK } else { (CACHED / output.max(1)).clamp(1, BLOCK) }.min(capacity);
        Self {
            capacity,
            group,
            inputs: vec![0.0; capacity * chain.input_len()],
            answers: vec![0.0; capacity * chain.output_len()],
            outputs: [vec![0.0; output * group], vec![0.0; output * group]],
            floats: vec![0.0; largest(&|i| memory(i).floats * group)],
            scratch: vec![0.0; largest(&|i| memory(i).scratch_len(group))],
        }
    }

    /// How many examples there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where inputs of the next [`Self::run`] are written.
    pub(crate) fn input(&mut self) -> &mut [f32] {
        &mut self.inputs
    }

    /// The outputs for the first `rows` inputs.
    pub(crate) fn run(
        &mut self,
        chain: &Chain,
        parameters: &[Vec<f32>],
        rows: usize,
        outputs: Outputs,
        crew: &Crew,
    ) -> &[f32] {
        for start in (0..rows).step_by(self.group.max(1)) {
            self.run_group(chain, parameters, start..rows.min(start + self.group), outputs, crew);
        }
        &self.answers[..rows * chain.output_len()]
    }

    /// Takes some examples through all layers.
    fn run_group(
        &mut self,
        chain: &Chain,
        parameters: &[Vec<f32>],
        group: Range<usize>,
        outputs: Outputs,
        crew: &Crew,
    ) {
        let rows = group.len();
        let [first, second] = &mut self.outputs;
        let (mut before, mut after) = (first, second);
        let mut x = &self.inputs[group.start * chain.input_len()..group.end * chain.input_len()];
        for (i, link) in chain.links.iter().enumerate().filter(|(_, link)| !link.layer.is_view()) {
            let memory = link.layer.memory();
            let weights = Weights { values: &parameters[i], derived: &[] };
            let tape = Tape {
                floats: &mut self.floats[..rows * memory.floats],
                scratch: &mut self.scratch[..memory.scratch_len(rows)],
            };
            let y = &mut after[..rows * link.output_len()];
            let skips_activation = outputs == Outputs::Logits && i + 1 == chain.output_place();
            let pass = Pass { rows, first_row: 0, training: false, skips_activation, key: 0 };
            if rows == 1 {
                link.layer.answer(crew, &pass, weights, x, y, tape);
            } else {
                link.layer.forward(&pass, weights, x, y, tape);
            }
            std::mem::swap(&mut before, &mut after);
            x = &before[..rows * link.output_len()];
        }
        let len = chain.output_len();
        self.answers[group.start * len..group.end * len].copy_from_slice(x);
    }
}

/// Many examples, taken through the network in blocks by several workers, each with buffers of its own.
#[derive(Debug)]
pub(crate) struct BlockInference<'a> {
    chain: &'a Chain,
    /// How many examples.
    n: usize,
    outputs: Outputs,
    workers: Vec<Mutex<Inference>>,
}

impl<'a> BlockInference<'a> {
    /// Buffers for `n` examples on up to `n_threads` threads (0 for all).
    pub(crate) fn new(chain: &'a Chain, n: usize, outputs: Outputs, n_threads: usize) -> Self {
        let n_blocks = n.div_ceil(BLOCK);
        // To ask how many processors there are takes longer than to answer one example.
        let n_workers = if n_blocks > 1 { all_threads(n_threads).min(n_blocks) } else { 1 };
        let worker = |_| Mutex::new(Inference::new(chain, BLOCK.min(n)));
        Self { chain, n, outputs, workers: (0..n_workers).map(worker).collect() }
    }

    pub(crate) fn n_workers(&self) -> usize {
        self.workers.len()
    }

    /// Does one worker's share of the blocks.
    ///
    /// `write(i, input)` writes the input of example i; `read(block, outputs)` gets the outputs of a block.
    pub(crate) fn work(
        &self,
        parameters: &[Vec<f32>],
        worker: usize,
        write: impl Fn(usize, &mut [f32]),
        read: impl Fn(usize, &[f32]),
    ) {
        let mut inference = lock(&self.workers[worker]);
        for block in (worker..self.n.div_ceil(BLOCK)).step_by(self.n_workers()) {
            let first = block * BLOCK;
            let rows = BLOCK.min(self.n - first);
            let inputs = inference.input().chunks_exact_mut(self.chain.input_len());
            inputs.take(rows).enumerate().for_each(|(i, input)| write(first + i, input));
            read(block, inference.run(self.chain, parameters, rows, self.outputs, &Crew::alone()));
        }
    }
}
