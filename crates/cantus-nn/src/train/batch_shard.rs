//! A shard of the batch: the activations, caches and gradients of its examples.
//!
//! A shard is processed by one thread at a time and has its own buffers, so that shards never wait for each other within
//! a stage.

use std::ops::Range;

use cantus_random::key;

use super::column_parallel::ColumnParallel;
use super::plan::{LayerPlan, Plan, Stage};
use super::step::{Objective, StepContext};
use crate::layer::{
    BatchContext, BatchNormalizationLayer, BatchReduction, BatchStatistics, BufferSizes, DenseLayer,
    ForwardCache, GradientIo, Moments, Weights,
};
use crate::loss::Score;
use crate::sequential::Sequential;

/// A shard of the batch.
#[derive(Debug)]
pub(super) struct BatchShard {
    /// Index of its first example within the batch.
    first: usize,
    /// Number of its examples in the current batch.
    rows: usize,
    /// Length of each buffer for one example.
    lens: Vec<usize>,
    /// Whether a buffer holds one micro-batch only, which the next one overwrites.
    reusable_outputs: Vec<bool>,
    /// The input, and the output of each layer.
    outputs: Vec<Vec<f32>>,
    /// ∂E/∂(output) of all examples, for each layer with a batch reduction; otherwise empty.
    output_gradients: Vec<Vec<f32>>,
    /// What each layer's forward pass stores for its backward pass.
    caches: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    /// Replaces a buffer that a backward pass has not declared: NaN in tests and debug builds, otherwise empty.
    undeclared: Vec<f32>,
    /// Moments of each layer's input, for layers that need batch statistics.
    pub(super) moments: Vec<Moments>,
    moments_scratch: Vec<f32>,
    /// Gradient of the current micro-batch: ∂E/∂y in the first buffer, ∂E/∂x in the second.
    micro_gradients: [Vec<f32>; 2],
    /// ∂E/∂(weights) of each layer, summed over the shard.
    pub(super) gradients: Vec<Vec<f32>>,
    /// Summed over the shard.
    pub(super) score: Score,
}

impl BatchShard {
    pub(super) fn new(model: &Sequential, plan: &Plan, first: usize) -> Self {
        let rows = plan.shard_rows;
        let n_layers = model.layers.len();
        let sizes: Vec<_> = model.layers.iter().map(|built| built.layer.buffer_sizes()).collect();
        let scratch = sizes.iter().map(|sizes| sizes.scratch_len(rows)).max().unwrap_or(0);
        let lens = model.buffer_lens();
        let micro_len = plan
            .stages
            .iter()
            .map(|stage| stage.micro_batch * longest_gradient(model, stage, &lens))
            .max()
            .unwrap_or(0);
        let output = |(i, len): (usize, &usize)| {
            let computes = |stage: &&Stage| i.checked_sub(1).is_some_and(|index| stage.computes(index));
            let micro_batch = plan.stages.iter().find(computes).map_or(rows, |stage| stage.micro_batch);
            vec![0.0; len * if plan.reusable_outputs[i] { micro_batch } else { rows }]
        };
        let reduces = |i: usize| plan.stages.iter().any(|stage| stage.reduction == Some(i));
        let output_gradient = |i: usize| vec![0.0; if reduces(i) { lens[i + 1] * rows } else { 0 }];
        let channels = |i: usize| match model.layers[i].batch_reduction() {
            Some(BatchReduction::Statistics(layer)) => layer.channels(),
            _ => 0,
        };
        // A column-parallel layer keeps its gradient itself.
        let gradient = |i: usize| match model.layers[i].batch_reduction() {
            Some(BatchReduction::ColumnParallel(_)) => Vec::new(),
            _ => vec![0.0; model.layers[i].n_weights()],
        };
        Self {
            first,
            rows: 0,
            outputs: lens.iter().enumerate().map(output).collect(),
            reusable_outputs: plan.reusable_outputs.clone(),
            output_gradients: (0..n_layers).map(output_gradient).collect(),
            caches: sizes.iter().map(|sizes| vec![0.0; sizes.cached * rows]).collect(),
            scratch: vec![0.0; scratch],
            undeclared: vec![f32::NAN; if POISONS { rows * lens.iter().max().unwrap_or(&0) } else { 0 }],
            moments: (0..n_layers).map(|i| Moments::new(channels(i))).collect(),
            moments_scratch: vec![0.0; 2 * (0..n_layers).map(channels).max().unwrap_or(0)],
            micro_gradients: [vec![0.0; micro_len], vec![0.0; micro_len]],
            gradients: (0..n_layers).map(gradient).collect(),
            score: Score { loss: 0.0, accuracy: 0.0 },
            lens,
        }
    }

    /// Loads the shard's examples of the batch and clears all sums.
    pub(super) fn load(
        &mut self,
        model: &Sequential,
        objective: Objective<'_>,
        step: &StepContext,
        shard_rows: usize,
    ) {
        self.rows = step.indices.len().saturating_sub(self.first).min(shard_rows);
        self.score = Score { loss: 0.0, accuracy: 0.0 };
        self.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.moments.iter_mut().for_each(Moments::clear);
        self.outputs.iter_mut().chain(&mut self.caches).for_each(|buffer| poison(buffer));
        let inputs = self.outputs[0].chunks_exact_mut(model.input_len());
        let indices = step.indices.iter().skip(self.first).take(self.rows);
        indices
            .zip(inputs)
            .for_each(|(&index, input)| objective.examples.write_input(index, step.epoch, input));
    }

    /// The shard's micro-batches in a stage, as ranges of its rows.
    pub(super) fn micro_batches(&self, stage: &Stage) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, len) = (self.rows, stage.micro_batch);
        (0..rows).step_by(len).map(move |start| start..rows.min(start + len))
    }

    /// The range of a micro-batch within a buffer.
    fn range(&self, buffer: usize, rows: &Range<usize>) -> Range<usize> {
        let rows = if self.reusable_outputs[buffer] { 0..rows.len() } else { rows.clone() };
        span(&rows, self.lens[buffer])
    }

    fn context(
        &self,
        index: usize,
        rows: &Range<usize>,
        step: &StepContext,
        skips_activation: bool,
    ) -> BatchContext {
        let key = key(step.key, index as u64);
        let first_row = self.first + rows.start;
        BatchContext { rows: rows.len(), first_row, training: true, skips_activation, key }
    }

    /// Marks the reusable outputs of a stage as free after a micro-batch.
    pub(super) fn release(&mut self, stage: &Stage) {
        let layers = stage.reduction.into_iter().chain(stage.layers.clone());
        for index in layers.filter(|index| self.reusable_outputs[index + 1]) {
            poison(&mut self.outputs[index + 1]);
        }
    }

    /// Runs a micro-batch forward through one layer.
    pub(super) fn forward(
        &mut self,
        model: &Sequential,
        (index, plan): (usize, LayerPlan),
        weights: Weights<'_>,
        rows: &Range<usize>,
        step: &StepContext,
    ) {
        let context = self.context(index, rows, step, plan.activation_in_loss);
        let built = &model.layers[index];
        let (x, y) = (self.range(built.input_index, rows), self.range(index + 1, rows));
        let (before, after) = self.outputs.split_at_mut(index + 1);
        let (x, y) = (&before[built.input_index][x], &mut after[0][y]);
        let cache = cache(&mut self.caches[index], &mut self.scratch, built.layer.buffer_sizes(), rows);
        built.layer.forward(&context, weights, x, y, cache);
    }

    /// Adds the scores of a micro-batch and writes the gradient of the loss.
    pub(super) fn compute_loss(
        &mut self,
        model: &Sequential,
        objective: Objective<'_>,
        rows: &Range<usize>,
        step: &StepContext,
    ) {
        let (buffer, len) = (model.output_index(), model.output_len());
        let (n_classes, n) = (model.n_classes(), step.indices.len() as f32);
        let outputs = self.outputs[buffer][self.range(buffer, rows)].chunks_exact(len);
        let gradients = self.micro_gradients[0].chunks_exact_mut(len);
        let examples = &step.indices[self.first + rows.start..self.first + rows.end];
        for ((outputs, gradient), &index) in outputs.zip(gradients).zip(examples) {
            let target = objective.examples.training_target(index, step.epoch);
            let weight = objective.examples.weight(index) * objective.class_weight(target);
            let score = objective.loss.score(outputs, target, n_classes, objective.from_logits);
            self.score.loss += score.loss * f64::from(weight);
            self.score.accuracy += score.accuracy;
            let scale = weight / n;
            objective.loss.gradient(outputs, target, n_classes, scale, objective.from_logits, gradient);
        }
    }

    /// Backpropagates the micro-batch's gradient through one layer, after the derivative of an activation fused with it;
    /// returns whether an earlier layer is trainable.
    pub(super) fn backward(
        &mut self,
        model: &Sequential,
        (index, plan): (usize, LayerPlan),
        weights: Weights<'_>,
        rows: &Range<usize>,
        step: &StepContext,
    ) -> bool {
        let context = self.context(index, rows, step, plan.skips_derivative);
        let built = &model.layers[index];
        let x = &self.outputs[built.input_index][self.range(built.input_index, rows)];
        let y = &self.outputs[index + 1][self.range(index + 1, rows)];
        let [dy, dx] = &mut self.micro_gradients;
        poison(dx);
        let (dy, dx) = (&mut dy[..y.len()], plan.propagates.then_some(&mut dx[..x.len()]));
        if let Some(activation) = plan.fused_activation {
            activation.backward(y, &[], dy, self.lens[index + 1]);
        }
        let x = declared(plan.reads.input, x, &self.undeclared);
        let y = declared(plan.reads.output, y, &self.undeclared);
        let io = GradientIo { x, y, dy, dx };
        let cache = cache(&mut self.caches[index], &mut self.scratch, built.layer.buffer_sizes(), rows);
        built.layer.backward(&context, weights, io, &mut self.gradients[index], cache);
        self.micro_gradients.swap(0, 1);
        plan.propagates
    }

    /// Copies the micro-batch's outputs of a column-parallel layer and applies its activation.
    pub(super) fn read_column_output(
        &mut self,
        model: &Sequential,
        (index, plan): (usize, LayerPlan),
        dense: &DenseLayer,
        columns: &ColumnParallel,
        rows: &Range<usize>,
    ) {
        let range = self.range(index + 1, rows);
        let output = &mut self.outputs[index + 1][range];
        columns.copy_output(self.first + rows.start, output);
        if plan.activation_in_loss {
            return;
        }
        let activation = dense.description.activation;
        if activation.needs_net_input() {
            let cached = span(rows, model.layers[index].layer.buffer_sizes().cached);
            self.caches[index][cached].copy_from_slice(output);
        }
        activation.forward(output, dense.description.units);
    }

    /// Stores ∂E/∂h of the micro-batch for a column-parallel layer.
    pub(super) fn store_column_gradient(
        &mut self,
        model: &Sequential,
        (index, plan): (usize, LayerPlan),
        dense: &DenseLayer,
        rows: &Range<usize>,
    ) {
        let (range, y) = (span(rows, self.lens[index + 1]), self.range(index + 1, rows));
        let gradient = &mut self.output_gradients[index][range.clone()];
        gradient.copy_from_slice(&self.micro_gradients[0][..range.len()]);
        if !plan.skips_derivative {
            let cached = &self.caches[index][span(rows, model.layers[index].layer.buffer_sizes().cached)];
            let y = declared(plan.reads.output, &self.outputs[index + 1][y], &self.undeclared);
            dense.description.activation.backward(y, cached, gradient, dense.description.units);
        }
    }

    /// Copies the micro-batch's ∂E/∂x of a column-parallel layer, whose input has `len` numbers.
    pub(super) fn read_column_gradient(&mut self, columns: &ColumnParallel, len: usize, rows: &Range<usize>) {
        columns.copy_d_input(self.first + rows.start, &mut self.micro_gradients[0][..rows.len() * len]);
    }

    /// Adds the moments of the micro-batch's input of a batch normalisation.
    pub(super) fn add_moments(
        &mut self,
        model: &Sequential,
        index: usize,
        layer: &BatchNormalizationLayer,
        rows: &Range<usize>,
    ) {
        let input = model.layers[index].input_index;
        let x = &self.outputs[input][span(rows, self.lens[input])];
        layer.add_moments(x, &mut self.moments[index], &mut self.moments_scratch);
    }

    /// Normalises a micro-batch with the statistics of the whole batch.
    pub(super) fn forward_with_statistics(
        &mut self,
        model: &Sequential,
        (index, layer): (usize, &BatchNormalizationLayer),
        weights: Weights<'_>,
        statistics: &BatchStatistics,
        rows: &Range<usize>,
    ) {
        let input = model.layers[index].input_index;
        let (x, y) = (self.range(input, rows), self.range(index + 1, rows));
        let (before, after) = self.outputs.split_at_mut(index + 1);
        layer.forward_with_statistics(weights, statistics, &before[input][x], &mut after[0][y]);
    }

    /// Stores the micro-batch's ∂E/∂y of a batch normalisation, and adds its part of ∂E/∂γ and ∂E/∂β.
    pub(super) fn add_parameter_gradient(
        &mut self,
        model: &Sequential,
        (index, layer): (usize, &BatchNormalizationLayer),
        statistics: &BatchStatistics,
        rows: &Range<usize>,
    ) {
        let input = model.layers[index].input_index;
        let range = span(rows, self.lens[index + 1]);
        let dy = &self.micro_gradients[0][..range.len()];
        self.output_gradients[index][range].copy_from_slice(dy);
        let x = &self.outputs[input][span(rows, self.lens[input])];
        layer.add_parameter_gradient(statistics, x, dy, &mut self.gradients[index]);
    }

    /// Backpropagates a micro-batch through a batch normalisation, given the gradient sums of the whole batch.
    pub(super) fn backward_with_statistics(
        &mut self,
        model: &Sequential,
        (index, layer): (usize, &BatchNormalizationLayer),
        statistics: &BatchStatistics,
        rows: &Range<usize>,
    ) {
        let input = model.layers[index].input_index;
        let x = &self.outputs[input][span(rows, self.lens[input])];
        let dy = &self.output_gradients[index][span(rows, self.lens[index + 1])];
        layer.backward_with_statistics(statistics, x, dy, &mut self.micro_gradients[0][..x.len()]);
    }

    /// A buffer's contents for all examples of the shard.
    pub(super) fn output(&self, buffer: usize) -> &[f32] {
        &self.outputs[buffer][..self.rows * self.lens[buffer]]
    }

    /// ∂E/∂h of a layer with a batch reduction, for all examples of the shard.
    pub(super) fn output_gradient(&self, index: usize) -> &[f32] {
        &self.output_gradients[index][..self.rows * self.lens[index + 1]]
    }
}

/// The largest gradient of one example in a stage.
fn longest_gradient(model: &Sequential, stage: &Stage, lens: &[usize]) -> usize {
    let layers = stage.reduction.into_iter().chain(stage.layers.clone());
    // The layer after the stage returns a gradient of this length.
    let after =
        model.layers.get(stage.layers.end).map_or_else(|| model.output_len(), |next| lens[next.input_index]);
    let longest = layers.map(|index| lens[index + 1].max(lens[model.layers[index].input_index]));
    longest.max().unwrap_or(0).max(after)
}

/// The range of some rows of `len` numbers.
fn span(rows: &Range<usize>, len: usize) -> Range<usize> {
    rows.start * len..rows.end * len
}

/// Whether free buffers are filled with NaN.
const POISONS: bool = cfg!(any(test, debug_assertions));

/// The buffer if it is declared to be read, otherwise its replacement.
fn declared<'a>(is_declared: bool, buffer: &'a [f32], undeclared: &'a [f32]) -> &'a [f32] {
    if is_declared { buffer } else { &undeclared[..buffer.len().min(undeclared.len())] }
}

/// In tests and debug builds, fills a free buffer with NaN, so that a read before the next write fails every test that
/// trains.
fn poison(buffer: &mut [f32]) {
    if POISONS {
        buffer.fill(f32::NAN);
    }
}

fn cache<'a>(
    cached: &'a mut [f32],
    scratch: &'a mut [f32],
    sizes: BufferSizes,
    rows: &Range<usize>,
) -> ForwardCache<'a> {
    poison(scratch);
    ForwardCache {
        cached: &mut cached[span(rows, sizes.cached)],
        scratch: &mut scratch[..sizes.scratch_len(rows.len())],
    }
}
