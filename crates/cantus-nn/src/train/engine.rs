//! One training step: its phases, in order, and the tasks of each phase.

use std::ops::Range;
use std::sync::{Mutex, RwLock};

use super::batch_shard::BatchShard;
use super::column_parallel::ColumnParallel;
use super::parameter_block::ParameterBlock;
use super::plan::Plan;
use super::step::{Objective, StepContext, UpdateRule};
use super::trained_weights::TrainedWeights;
use super::training::Clipping;
use crate::layer::{BatchNormalizationLayer, BatchReduction, BatchStatistics, DenseLayer};
use crate::loss::Score;
use crate::optimizer::UpdateStep;
use crate::sequential::{BuiltLayer, Sequential};
use crate::sync::{lock, read, write};

/// A phase of a step; each consists of tasks that run in parallel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// A shard forward through a stage.
    Forward(usize),
    /// A shard forward through the last stage, and back.
    ForwardBackward,
    /// A shard back through a stage.
    Backward(usize),
    /// A panel of a column-parallel layer.
    ColumnsForward(usize),
    /// A block of inputs of a column-parallel layer.
    ColumnsBackward(usize),
    /// Gradient norms, for clipping.
    Norms,
    /// Some weights.
    Update,
}

/// Runs all tasks of a phase and waits for them.
pub(super) type RunPhase<'r> = &'r dyn Fn(Phase, usize);

/// The state of a training's steps; allocated once.
pub(super) struct Engine<'a> {
    model: &'a Sequential,
    plan: Plan,
    objective: Objective<'a>,
    rule: UpdateRule,
    clipping: Option<Clipping>,
    shards: Vec<RwLock<BatchShard>>,
    weights: Vec<TrainedWeights>,
    /// Of each layer; empty for those that need none.
    statistics: Vec<RwLock<BatchStatistics>>,
    /// The tasks of an update: a layer, and one of its panels if it is column-parallel.
    updates: Vec<(usize, usize)>,
    /// For each update, the squared norms of its tensors' gradients.
    norms: Vec<Mutex<Vec<f64>>>,
    step: RwLock<StepContext>,
}

/// A layer with a batch reduction, and its state.
enum Synchronized<'e> {
    ColumnParallel(&'e DenseLayer, &'e ColumnParallel),
    Statistics(&'e BatchNormalizationLayer, &'e RwLock<ParameterBlock>, &'e RwLock<BatchStatistics>),
}

impl<'a> Engine<'a> {
    /// Buffers for batches of up to `batch` examples.
    pub(super) fn new(
        model: &'a Sequential,
        batch: usize,
        objective: Objective<'a>,
        rule: UpdateRule,
        clipping: Option<Clipping>,
        parameters: &[Vec<f32>],
        slots: Vec<[Vec<f32>; 2]>,
    ) -> Self {
        let plan = Plan::new(model, batch, objective.from_logits);
        let shard = |i: usize| RwLock::new(BatchShard::new(model, &plan, i * plan.shard_rows));
        let shards = (0..plan.n_shards).map(shard).collect();
        let of_layer = |((built, values), slots): ((&BuiltLayer, &Vec<f32>), [Vec<f32>; 2])| {
            TrainedWeights::new(built, batch, values, slots)
        };
        let weights: Vec<TrainedWeights> =
            model.layers.iter().zip(parameters).zip(slots).map(of_layer).collect();
        let updates = updates(model, &weights);
        let statistics = model.layers.iter().map(|built| match built.batch_reduction() {
            Some(BatchReduction::Statistics(layer)) => RwLock::new(BatchStatistics::new(layer.channels())),
            _ => RwLock::new(BatchStatistics::new(0)),
        });
        let statistics = statistics.collect();
        let norms = updates.iter().map(|_| Mutex::new(Vec::new())).collect();
        let step = RwLock::new(StepContext {
            indices: Vec::with_capacity(batch),
            epoch: 0,
            key: 0,
            update: UpdateStep { learning_rate: 0.0, number: 0 },
            scales: vec![Vec::new(); weights.len()],
            n_before: None,
        });
        Self { model, plan, objective, rule, clipping, shards, weights, statistics, updates, norms, step }
    }

    /// Trains on the examples `indices`. Returns the sums of their scores, before the update, and the penalty.
    pub(super) fn step(
        &self,
        run: RunPhase<'_>,
        indices: &[usize],
        epoch: usize,
        key: u64,
        update: UpdateStep,
    ) -> (Score, f64) {
        self.begin(indices, epoch, key, None);
        write(&self.step).update = update;
        self.run_forward(run);
        let n_shards = self.shards.len();
        run(Phase::ForwardBackward, n_shards);
        for i in (0..self.plan.stages.len() - 1).rev() {
            let reduction = self.plan.stages[i + 1].reduction;
            self.reduce_backward(run, reduction);
            if reduction.is_some_and(|index| self.plan.layers[index].propagates) {
                run(Phase::Backward(i), n_shards);
            }
        }
        if let Some(Clipping::Norm(_) | Clipping::GlobalNorm(_)) = self.clipping {
            run(Phase::Norms, self.updates.len());
            self.scale_by_norms();
        }
        run(Phase::Update, self.updates.len());
        self.score()
    }

    /// Whether a layer has moving averages that training updates.
    pub(super) fn has_statistics(&self) -> bool {
        let is_statistics =
            |built: &BuiltLayer| matches!(built.batch_reduction(), Some(BatchReduction::Statistics(_)));
        self.model.layers.iter().any(is_statistics)
    }

    /// Runs the examples `indices` forward, without an update, and makes the moving averages the means over these examples and the
    /// `n_before` examples of the batches before.
    pub(super) fn renew_statistics(
        &self,
        run: RunPhase<'_>,
        indices: &[usize],
        epoch: usize,
        key: u64,
        n_before: usize,
    ) {
        self.begin(indices, epoch, key, Some(n_before));
        self.run_forward(run);
    }

    /// The examples of the next pass, the key of its random numbers, and, if it computes statistics only, `n_before`.
    fn begin(&self, indices: &[usize], epoch: usize, key: u64, n_before: Option<usize>) {
        let step = &mut *write(&self.step);
        step.indices.clear();
        step.indices.extend_from_slice(indices);
        (step.epoch, step.key, step.n_before) = (epoch, key, n_before);
    }

    /// The forward pass of all stages before the last, with the reductions behind them.
    fn run_forward(&self, run: RunPhase<'_>) {
        for (i, stage) in self.plan.stages.iter().enumerate().skip(1) {
            run(Phase::Forward(i - 1), self.shards.len());
            self.reduce_forward(run, stage.reduction);
        }
    }

    /// The layer with a batch reduction, if there is one at this index.
    fn synchronized(&self, index: Option<usize>) -> Option<(usize, Synchronized<'_>)> {
        let index = index?;
        let synchronized = match (self.model.layers[index].batch_reduction()?, &self.weights[index]) {
            (BatchReduction::ColumnParallel(dense), TrainedWeights::ColumnParallel(columns)) => {
                Synchronized::ColumnParallel(dense, columns)
            }
            (BatchReduction::Statistics(layer), TrainedWeights::ParameterBlock(block)) => {
                Synchronized::Statistics(layer, block, &self.statistics[index])
            }
            _ => return None,
        };
        Some((index, synchronized))
    }

    /// The reduction of the forward pass, after all shards have reached the layer.
    fn reduce_forward(&self, run: RunPhase<'_>, reduction: Option<usize>) {
        match self.synchronized(reduction) {
            Some((index, Synchronized::ColumnParallel(_, columns))) => {
                let input = self.model.layers[index].input_index;
                let shards: Vec<_> = self.shards.iter().map(read).collect();
                columns.set_input(shards.iter().map(|shard| shard.output(input)));
                drop(shards);
                run(Phase::ColumnsForward(index), columns.n_panels());
            }
            Some((index, Synchronized::Statistics(layer, block, statistics))) => {
                let shards: Vec<_> = self.shards.iter().map(read).collect();
                let moments = shards.iter().map(|shard| &shard.moments[index]);
                let step = read(&self.step);
                let share = |n: usize| n as f64 / (n + step.indices.len()) as f64;
                let momentum = step.n_before.map_or(layer.momentum(), share);
                layer.reduce_moments(moments, &mut write(statistics), &mut write(block).values, momentum);
            }
            None => {}
        }
    }

    /// The reduction of the backward pass, after all shards have come back to the layer.
    fn reduce_backward(&self, run: RunPhase<'_>, reduction: Option<usize>) {
        match self.synchronized(reduction) {
            Some((index, Synchronized::ColumnParallel(_, columns))) => {
                let shards: Vec<_> = self.shards.iter().map(read).collect();
                columns.set_output_gradient(shards.iter().map(|shard| shard.output_gradient(index)));
                drop(shards);
                if self.plan.layers[index].propagates {
                    run(Phase::ColumnsBackward(index), columns.n_input_blocks());
                }
            }
            Some((index, Synchronized::Statistics(layer, _, statistics))) => {
                let shards: Vec<_> = self.shards.iter().map(read).collect();
                let gradients = shards.iter().map(|shard| &*shard.gradients[index]);
                layer.reduce_gradient(gradients, &mut write(statistics));
            }
            None => {}
        }
    }

    /// Computes the factor of each tensor's gradient from the squared norms.
    fn scale_by_norms(&self) {
        let step = &mut *write(&self.step);
        let mut sums: Vec<Vec<f64>> =
            self.model.layers.iter().map(|built| vec![0.0; built.tensors.len()]).collect();
        for (&(index, _), norms) in self.updates.iter().zip(&self.norms) {
            sums[index].iter_mut().zip(&*lock(norms)).for_each(|(sum, norm)| *sum += norm);
        }
        let global: f64 = sums.iter().flatten().sum();
        for (scales, sums) in step.scales.iter_mut().zip(sums) {
            let scale = |squared: f64| match self.clipping {
                Some(Clipping::Norm(limit)) => (f64::from(limit) / squared.sqrt()).min(1.0) as f32,
                Some(Clipping::GlobalNorm(limit)) => (f64::from(limit) / global.sqrt()).min(1.0) as f32,
                Some(Clipping::Value(_)) | None => 1.0,
            };
            *scales = sums.into_iter().map(scale).collect();
        }
    }

    /// The sums of the shards' scores and of the layers' penalties, in a fixed order.
    fn score(&self) -> (Score, f64) {
        let mut sum = Score { loss: 0.0, accuracy: 0.0 };
        for shard in &self.shards {
            let score = read(shard).score;
            sum.loss += score.loss;
            sum.accuracy += score.accuracy;
        }
        (sum, self.weights.iter().map(TrainedWeights::penalty).sum())
    }

    /// Runs one task of a phase.
    pub(super) fn work(&self, phase: Phase, task: usize) {
        let step = &*read(&self.step);
        match phase {
            Phase::Forward(stage) => self.run_stage(task, stage, true, false, step),
            Phase::ForwardBackward => self.run_stage(task, self.plan.stages.len() - 1, true, true, step),
            Phase::Backward(stage) => self.run_stage(task, stage, false, true, step),
            Phase::ColumnsForward(index) => {
                if let TrainedWeights::ColumnParallel(columns) = &self.weights[index] {
                    columns.forward(task, step.indices.len());
                }
            }
            Phase::ColumnsBackward(index) => {
                if let TrainedWeights::ColumnParallel(columns) = &self.weights[index] {
                    columns.backward(task, step.indices.len());
                }
            }
            Phase::Norms => *lock(&self.norms[task]) = self.squared_norms(self.updates[task], step),
            Phase::Update => self.update(self.updates[task], step),
        }
    }

    /// Runs a shard through a stage: forward, backward, or both.
    fn run_stage(&self, shard: usize, stage: usize, forward: bool, backward: bool, step: &StepContext) {
        let shard = &mut *write(&self.shards[shard]);
        if stage == 0 && forward {
            shard.load(self.model, self.objective, step, self.plan.shard_rows);
        }
        for rows in shard.micro_batches(&self.plan.stages[stage]) {
            if forward {
                self.stage_forward(shard, stage, &rows, step);
            }
            if forward && backward {
                shard.compute_loss(self.model, self.objective, &rows, step);
            }
            if backward {
                self.stage_backward(shard, stage, &rows, step);
            }
            if forward {
                shard.release(&self.plan.stages[stage]);
            }
        }
    }

    /// Runs a micro-batch forward through a stage.
    fn stage_forward(&self, shard: &mut BatchShard, stage: usize, rows: &Range<usize>, step: &StepContext) {
        let next = self.plan.stages.get(stage + 1).and_then(|next| next.reduction);
        let stage = &self.plan.stages[stage];
        match self.synchronized(stage.reduction) {
            Some((index, Synchronized::ColumnParallel(dense, columns))) => {
                shard.read_column_output(self.model, (index, self.plan.layers[index]), dense, columns, rows);
            }
            Some((index, Synchronized::Statistics(layer, block, statistics))) => {
                let (block, statistics) = (read(block), read(statistics));
                shard.forward_with_statistics(self.model, (index, layer), block.weights(), &statistics, rows);
            }
            None => {}
        }
        for index in stage.layers.clone().filter(|&index| !self.model.layers[index].layer.is_view()) {
            if let TrainedWeights::ParameterBlock(block) = &self.weights[index] {
                let plan = self.plan.layers[index];
                shard.forward(self.model, (index, plan), read(block).weights(), rows, step);
            }
        }
        if let Some((next, Synchronized::Statistics(layer, ..))) = self.synchronized(next) {
            shard.add_moments(self.model, next, layer, rows);
        }
    }

    /// Runs a micro-batch back through a stage.
    fn stage_backward(&self, shard: &mut BatchShard, stage: usize, rows: &Range<usize>, step: &StepContext) {
        let next = self.plan.stages.get(stage + 1).and_then(|next| next.reduction);
        match self.synchronized(next) {
            Some((_, Synchronized::ColumnParallel(dense, columns))) => {
                shard.read_column_gradient(columns, dense.n_inputs, rows);
            }
            Some((next, Synchronized::Statistics(layer, _, statistics))) => {
                shard.backward_with_statistics(self.model, (next, layer), &read(statistics), rows);
            }
            None => {}
        }
        let stage = &self.plan.stages[stage];
        for index in stage.layers.clone().rev().filter(|&index| !self.model.layers[index].layer.is_view()) {
            let plan = self.plan.layers[index];
            if !plan.propagates && self.model.layers[index].n_trainable() == 0 {
                return;
            }
            if let TrainedWeights::ParameterBlock(block) = &self.weights[index]
                && !shard.backward(self.model, (index, plan), read(block).weights(), rows, step)
            {
                return;
            }
        }
        match self.synchronized(stage.reduction) {
            Some((index, Synchronized::ColumnParallel(dense, _))) => {
                shard.store_column_gradient(self.model, (index, self.plan.layers[index]), dense, rows);
            }
            Some((index, Synchronized::Statistics(layer, _, statistics))) => {
                shard.add_parameter_gradient(self.model, (index, layer), &read(statistics), rows);
            }
            None => {}
        }
    }

    fn squared_norms(&self, (index, panel): (usize, usize), step: &StepContext) -> Vec<f64> {
        let layer = (index, &self.model.layers[index]);
        self.weights[index].squared_norms(layer, panel, &self.shards, step.indices.len(), self.rule)
    }

    fn update(&self, (index, panel): (usize, usize), step: &StepContext) {
        let layer = (index, &self.model.layers[index]);
        self.weights[index].update(layer, panel, &self.shards, step, self.rule);
    }

    /// Copies all weights to `parameters`.
    pub(super) fn copy_parameters(&self, parameters: &mut [Vec<f32>]) {
        self.weights.iter().zip(parameters).for_each(|(weights, values)| weights.copy_to(values));
    }

    /// Replaces all weights, but not the optimizer's slots.
    pub(super) fn set_parameters(&self, parameters: &[Vec<f32>]) {
        let layers = self.weights.iter().zip(&self.model.layers).zip(parameters);
        layers.for_each(|((weights, built), values)| weights.set(built, values));
    }

    /// The optimizer's slots, laid out as the weights are; a slot that is not used is empty.
    pub(super) fn slots(&self) -> Vec<[Vec<f32>; 2]> {
        let n_slots = self.rule.optimizer.n_slots();
        self.weights
            .iter()
            .zip(&self.model.layers)
            .map(|(weights, built)| weights.slots(built, n_slots))
            .collect()
    }
}

/// The tasks of an update.
fn updates(model: &Sequential, weights: &[TrainedWeights]) -> Vec<(usize, usize)> {
    let trained = weights.iter().enumerate().filter(|(index, _)| model.layers[*index].n_trainable() > 0);
    let tasks =
        |(index, weights): (usize, &TrainedWeights)| (0..weights.n_panels()).map(move |panel| (index, panel));
    trained.flat_map(tasks).collect()
}
