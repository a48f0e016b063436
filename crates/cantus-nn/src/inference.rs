//! Inference: the forward pass without what a backward pass would need.

use std::ops::Range;
use std::sync::Mutex;

use crate::layer::{BatchContext, ForwardCache, Weights};
use crate::micro_batch::{self, BLOCK};
use crate::sequential::Sequential;
use crate::sync::{lock, resolve_threads};

/// Values that a layer computes for the examples of a micro-batch, at most, unless one example has more: 512 MiB of f32.
const MAX_MICRO_BATCH: usize = 1 << 27;

/// What inference returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// The network's outputs.
    Activated,
    /// The net inputs of the last activation, for a loss that computes it.
    Logits,
}

/// Reusable buffers for the inference of up to `capacity` examples.
#[derive(Debug)]
pub(crate) struct Inference {
    capacity: usize,
    /// Number of examples that go through the layers at once.
    micro_batch: usize,
    inputs: Vec<f32>,
    /// The network's.
    outputs: Vec<f32>,
    /// Input and output of the current layer, alternately.
    activations: [Vec<f32>; 2],
    cached: Vec<f32>,
    scratch: Vec<f32>,
}

impl Inference {
    pub(crate) fn new(model: &Sequential, capacity: usize) -> Self {
        let largest = |of: &dyn Fn(usize) -> usize| (0..model.layers.len()).map(of).max().unwrap_or(0);
        let sizes = |i: usize| model.layers[i].layer.buffer_sizes();
        let output = largest(&|i| model.layers[i].output_len());
        let many_rows = model.layers.iter().any(|built| built.layer.prefers_many_rows());
        let in_memory = MAX_MICRO_BATCH / largest(&|i| model.layers[i].n_values()).max(1);
        let rows = micro_batch::rows(output, many_rows).min(in_memory.max(1)).min(capacity);
        Self {
            capacity,
            micro_batch: rows,
            inputs: vec![0.0; capacity * model.input_len()],
            outputs: vec![0.0; capacity * model.output_len()],
            activations: [vec![0.0; output * rows], vec![0.0; output * rows]],
            cached: vec![0.0; largest(&|i| sizes(i).cached * rows)],
            scratch: vec![0.0; largest(&|i| sizes(i).scratch_len(rows))],
        }
    }

    /// The largest number of examples.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The buffer for the inputs of the next [`Self::run`].
    pub(crate) fn input(&mut self) -> &mut [f32] {
        &mut self.inputs
    }

    /// The outputs for the first `rows` inputs.
    pub(crate) fn run(
        &mut self,
        model: &Sequential,
        parameters: &[Vec<f32>],
        rows: usize,
        outputs: Outputs,
    ) -> &[f32] {
        for start in (0..rows).step_by(self.micro_batch.max(1)) {
            let end = rows.min(start + self.micro_batch);
            self.run_micro_batch(model, parameters, start..end, outputs);
        }
        &self.outputs[..rows * model.output_len()]
    }

    /// Runs some examples through all layers.
    fn run_micro_batch(
        &mut self,
        model: &Sequential,
        parameters: &[Vec<f32>],
        range: Range<usize>,
        outputs: Outputs,
    ) {
        let rows = range.len();
        let [first, second] = &mut self.activations;
        let (mut before, mut after) = (first, second);
        let mut x = &self.inputs[range.start * model.input_len()..range.end * model.input_len()];
        for (i, built) in model.layers.iter().enumerate().filter(|(_, built)| !built.layer.is_view()) {
            let sizes = built.layer.buffer_sizes();
            let weights = Weights { values: &parameters[i], derived: &[] };
            let cache = ForwardCache {
                cached: &mut self.cached[..rows * sizes.cached],
                scratch: &mut self.scratch[..sizes.scratch_len(rows)],
            };
            let y = &mut after[..rows * built.output_len()];
            let skips_activation = outputs == Outputs::Logits && i + 1 == model.output_index();
            let context = BatchContext { rows, first_row: 0, training: false, skips_activation, key: 0 };
            if rows == 1 {
                built.layer.forward_one(&context, weights, x, y, cache);
            } else {
                built.layer.forward(&context, weights, x, y, cache);
            }
            std::mem::swap(&mut before, &mut after);
            x = &before[..rows * built.output_len()];
        }
        let len = model.output_len();
        self.outputs[range.start * len..range.end * len].copy_from_slice(x);
    }
}

/// Inference of many examples in blocks, on several threads with separate buffers.
#[derive(Debug)]
pub(crate) struct BlockInference<'a> {
    model: &'a Sequential,
    /// Number of examples.
    n: usize,
    outputs: Outputs,
    workers: Vec<Mutex<Inference>>,
}

impl<'a> BlockInference<'a> {
    /// Buffers for `n` examples on up to `n_threads` threads (0 for the number of processors).
    pub(crate) fn new(model: &'a Sequential, n: usize, outputs: Outputs, n_threads: usize) -> Self {
        let n_blocks = n.div_ceil(BLOCK);
        // To query the number of processors takes longer than to infer one example.
        let n_workers = if n_blocks > 1 { resolve_threads(n_threads).min(n_blocks) } else { 1 };
        let worker = |_| Mutex::new(Inference::new(model, BLOCK.min(n)));
        Self { model, n, outputs, workers: (0..n_workers).map(worker).collect() }
    }

    pub(crate) fn n_workers(&self) -> usize {
        self.workers.len()
    }

    /// Computes one worker's part of the blocks.
    ///
    /// `write(i, input)` writes the input of example i; `read(block, outputs)` receives the outputs of a block.
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
            let inputs = inference.input().chunks_exact_mut(self.model.input_len());
            inputs.take(rows).enumerate().for_each(|(i, input)| write(first + i, input));
            read(block, inference.run(self.model, parameters, rows, self.outputs));
        }
    }
}
