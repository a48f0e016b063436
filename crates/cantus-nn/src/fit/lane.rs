//! A lane: a share of the batch, and all that its examples leave behind on their way through the network and
//! back.
//!
//! A lane belongs to one thread at a time and has its own outputs, gradients and scratch space, so that lanes
//! never wait for each other within a stage.

use std::ops::Range;

use cantus_random::key;

use super::columns::Columns;
use super::plan::{LinkPlan, Plan, Stage};
use super::step::{Now, Task};
use crate::chain::Chain;
use crate::layer::{
    Agreed, BatchNormalizationLayer, DenseLayer, Flow, Meeting, Memory, Moments, Pass, Tape, Weights,
};
use crate::loss::Score;

/// A share of the batch.
#[derive(Debug)]
pub(super) struct Lane {
    /// The place of its first example in the batch.
    first: usize,
    /// How many examples of the present batch it holds.
    rows: usize,
    /// How many numbers lie at each place, for one example.
    lens: Vec<usize>,
    /// For each place, whether it has room for one group only, which the next one overwrites.
    reusable: Vec<bool>,
    /// The input, and the output of each link.
    outputs: Vec<Vec<f32>>,
    /// For each link, ∂E/∂(its output) of all examples; only where a meeting needs it, else empty.
    borders: Vec<Vec<f32>>,
    /// Each link's memory from forward to backward.
    tapes: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    /// What a backward pass is handed in place of a buffer that it has not declared: NaN in tests and debug builds, else
    /// nothing.
    undeclared: Vec<f32>,
    /// For each link, what it wants to know of the whole batch.
    pub(super) moments: Vec<Moments>,
    moments_scratch: Vec<f32>,
    /// Gradients of a group of examples on their way down.
    flow: [Vec<f32>; 2],
    /// For each link, ∂E/∂(its weights), summed over the lane's examples.
    pub(super) gradients: Vec<Vec<f32>>,
    /// Summed over the lane's examples.
    pub(super) score: Score,
}

impl Lane {
    pub(super) fn new(chain: &Chain, plan: &Plan, first: usize) -> Self {
        let rows = plan.lane_rows;
        let memories: Vec<_> = chain.links.iter().map(|link| link.layer.memory()).collect();
        let scratch = memories.iter().map(|memory| memory.scratch_len(rows)).max().unwrap_or(0);
        let lens = chain.place_lens();
        let flow =
            plan.stages.iter().map(|stage| stage.group * longest(chain, stage, &lens)).max().unwrap_or(0);
        let place = |(i, len): (usize, &usize)| {
            let computes = |stage: &&Stage| i.checked_sub(1).is_some_and(|link| stage.computes(link));
            let group = plan.stages.iter().find(computes).map_or(rows, |stage| stage.group);
            vec![0.0; len * if plan.reusable[i] { group } else { rows }]
        };
        let meets = |i: usize| plan.stages.iter().any(|stage| stage.head == Some(i));
        let border = |i: usize| vec![0.0; if meets(i) { lens[i + 1] * rows } else { 0 }];
        let channels = |i: usize| match chain.links[i].layer.meeting() {
            Some(Meeting::Statistics(layer)) => layer.channels(),
            _ => 0,
        };
        // A layer whose columns are shared keeps its gradient there, and not in a lane.
        let gradient = |i: usize| match chain.links[i].layer.meeting() {
            Some(Meeting::Columns(_)) => Vec::new(),
            _ => vec![0.0; chain.links[i].n_weights()],
        };
        Self {
            first,
            rows: 0,
            outputs: lens.iter().enumerate().map(place).collect(),
            reusable: plan.reusable.clone(),
            borders: (0..chain.links.len()).map(border).collect(),
            tapes: memories.iter().map(|memory| vec![0.0; memory.floats * rows]).collect(),
            scratch: vec![0.0; scratch],
            undeclared: vec![f32::NAN; if POISONS { rows * lens.iter().max().unwrap_or(&0) } else { 0 }],
            moments: (0..chain.links.len()).map(|i| Moments::new(channels(i))).collect(),
            moments_scratch: vec![0.0; 2 * (0..chain.links.len()).map(channels).max().unwrap_or(0)],
            flow: [vec![0.0; flow], vec![0.0; flow]],
            gradients: (0..chain.links.len()).map(gradient).collect(),
            score: Score { loss: 0.0, accuracy: 0.0 },
            lens,
        }
    }

    /// Takes its share of the batch, and forgets the last one.
    pub(super) fn load(&mut self, chain: &Chain, task: Task<'_>, now: &Now, lane_rows: usize) {
        self.rows = now.indices.len().saturating_sub(self.first).min(lane_rows);
        self.score = Score { loss: 0.0, accuracy: 0.0 };
        self.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.moments.iter_mut().for_each(Moments::clear);
        self.outputs.iter_mut().chain(&mut self.tapes).for_each(|buffer| poison(buffer));
        let inputs = self.outputs[0].chunks_exact_mut(chain.input_len());
        let share = now.indices.iter().skip(self.first).take(self.rows);
        share.zip(inputs).for_each(|(&index, input)| task.examples.write_input(index, now.epoch, input));
    }

    /// The groups of examples that go through a stage together.
    pub(super) fn groups(&self, stage: &Stage) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, group) = (self.rows, stage.group);
        (0..rows).step_by(group).map(move |start| start..rows.min(start + group))
    }

    /// Where a group's numbers lie at a place.
    fn at(&self, place: usize, group: &Range<usize>) -> Range<usize> {
        let group = if self.reusable[place] { 0..group.len() } else { group.clone() };
        span(&group, self.lens[place])
    }

    fn pass(&self, link: usize, group: &Range<usize>, now: &Now, skips_activation: bool) -> Pass {
        let key = key(now.key, link as u64);
        let first_row = self.first + group.start;
        Pass { rows: group.len(), first_row, training: true, skips_activation, key }
    }

    /// A group has left a stage for good: what may be reused is free.
    pub(super) fn free(&mut self, stage: &Stage) {
        for link in stage.head.into_iter().chain(stage.links.clone()).filter(|link| self.reusable[link + 1]) {
            poison(&mut self.outputs[link + 1]);
        }
    }

    /// Takes a group through one link.
    pub(super) fn forward(
        &mut self,
        chain: &Chain,
        (link, plan): (usize, LinkPlan),
        weights: Weights<'_>,
        group: &Range<usize>,
        now: &Now,
    ) {
        let pass = self.pass(link, group, now, plan.leaves_activation_to_loss);
        let at = &chain.links[link];
        let (x, y) = (self.at(at.reads, group), self.at(link + 1, group));
        let (before, after) = self.outputs.split_at_mut(link + 1);
        let (x, y) = (&before[at.reads][x], &mut after[0][y]);
        let tape = tape(&mut self.tapes[link], &mut self.scratch, at.layer.memory(), group);
        at.layer.forward(&pass, weights, x, y, tape);
    }

    /// Scores a group's answers, and begins the gradient's way down.
    pub(super) fn judge(&mut self, chain: &Chain, task: Task<'_>, group: &Range<usize>, now: &Now) {
        let (place, len) = (chain.output_place(), chain.output_len());
        let (n_classes, n) = (chain.n_classes(), now.indices.len() as f32);
        let outputs = self.outputs[place][self.at(place, group)].chunks_exact(len);
        let examples = &now.indices[self.first + group.start..self.first + group.end];
        for ((outputs, gradient), &index) in outputs.zip(self.flow[0].chunks_exact_mut(len)).zip(examples) {
            let target = task.examples.training_target(index, now.epoch);
            let weight = task.examples.weight(index) * task.class_weight(target);
            let score = task.loss.score(outputs, target, n_classes, task.from_logits);
            self.score.loss += score.loss * f64::from(weight);
            self.score.accuracy += score.accuracy;
            task.loss.gradient(outputs, target, n_classes, weight / n, task.from_logits, gradient);
        }
    }

    /// Takes the gradient of a group, which lies in `flow[0]`, back through one link, after the derivative of an
    /// activation before it that it takes; whether it goes on from there.
    pub(super) fn backward(
        &mut self,
        chain: &Chain,
        (link, plan): (usize, LinkPlan),
        weights: Weights<'_>,
        group: &Range<usize>,
        now: &Now,
    ) -> bool {
        let pass = self.pass(link, group, now, plan.skips_derivative);
        let at = &chain.links[link];
        let x = &self.outputs[at.reads][self.at(at.reads, group)];
        let y = &self.outputs[link + 1][self.at(link + 1, group)];
        let [dy, dx] = &mut self.flow;
        poison(dx);
        let (dy, dx) = (&mut dy[..y.len()], plan.hands_on.then_some(&mut dx[..x.len()]));
        if let Some(activation) = plan.takes {
            activation.backward(y, &[], dy, self.lens[link + 1]);
        }
        let x = declared(plan.reads.input, x, &self.undeclared);
        let y = declared(plan.reads.output, y, &self.undeclared);
        let flow = Flow { x, y, dy, dx };
        let tape = tape(&mut self.tapes[link], &mut self.scratch, at.layer.memory(), group);
        at.layer.backward(&pass, weights, flow, &mut self.gradients[link], tape);
        self.flow.swap(0, 1);
        plan.hands_on
    }

    /// Puts the outputs of a layer whose columns are shared where the next layer reads them, through its
    /// activation.
    pub(super) fn receive(
        &mut self,
        chain: &Chain,
        (link, plan): (usize, LinkPlan),
        dense: &DenseLayer,
        columns: &Columns,
        group: &Range<usize>,
    ) {
        let range = self.at(link + 1, group);
        let output = &mut self.outputs[link + 1][range];
        columns.copy_output(self.first + group.start, output);
        if plan.leaves_activation_to_loss {
            return;
        }
        let activation = dense.description.activation;
        if activation.needs_net_input() {
            let kept = span(group, chain.links[link].layer.memory().floats);
            self.tapes[link][kept].copy_from_slice(output);
        }
        activation.forward(output, dense.description.units);
    }

    /// Keeps the gradient in `flow[0]` for a layer whose columns are shared, taken back through its
    /// activation.
    pub(super) fn hand_over(
        &mut self,
        chain: &Chain,
        (link, plan): (usize, LinkPlan),
        dense: &DenseLayer,
        group: &Range<usize>,
    ) {
        let (range, y) = (span(group, self.lens[link + 1]), self.at(link + 1, group));
        let border = &mut self.borders[link][range.clone()];
        border.copy_from_slice(&self.flow[0][..range.len()]);
        if !plan.skips_derivative {
            let kept = &self.tapes[link][span(group, chain.links[link].layer.memory().floats)];
            let y = declared(plan.reads.output, &self.outputs[link + 1][y], &self.undeclared);
            dense.description.activation.backward(y, kept, border, dense.description.units);
        }
    }

    /// Takes a group's share of ∂E/∂x of a layer whose columns are shared into `flow[0]`.
    pub(super) fn take_back(&mut self, columns: &Columns, len: usize, group: &Range<usize>) {
        columns.copy_d_input(self.first + group.start, &mut self.flow[0][..group.len() * len]);
    }

    /// Brings a group's share of the statistics that `link` wants.
    pub(super) fn gather(
        &mut self,
        chain: &Chain,
        link: usize,
        layer: &BatchNormalizationLayer,
        group: &Range<usize>,
    ) {
        let place = chain.links[link].reads;
        let x = &self.outputs[place][span(group, self.lens[place])];
        layer.gather(x, &mut self.moments[link], &mut self.moments_scratch);
    }

    /// Takes a group forward through a layer that knows the statistics of the batch.
    pub(super) fn forward_agreed(
        &mut self,
        chain: &Chain,
        (link, layer): (usize, &BatchNormalizationLayer),
        weights: Weights<'_>,
        agreed: &Agreed,
        group: &Range<usize>,
    ) {
        let reads = chain.links[link].reads;
        let (x, y) = (self.at(reads, group), self.at(link + 1, group));
        let (before, after) = self.outputs.split_at_mut(link + 1);
        layer.forward_agreed(weights, agreed, &before[reads][x], &mut after[0][y]);
    }

    /// Keeps the gradient in `flow[0]` for a layer that needs the whole batch's, and brings the group's share
    /// of that.
    pub(super) fn gather_gradient(
        &mut self,
        chain: &Chain,
        (link, layer): (usize, &BatchNormalizationLayer),
        agreed: &Agreed,
        group: &Range<usize>,
    ) {
        let reads = chain.links[link].reads;
        let range = span(group, self.lens[link + 1]);
        let dy = &self.flow[0][..range.len()];
        self.borders[link][range].copy_from_slice(dy);
        let x = &self.outputs[reads][span(group, self.lens[reads])];
        layer.gather_gradient(agreed, x, dy, &mut self.gradients[link]);
    }

    /// Takes a group's gradient back through a layer that knows the whole batch's, into `flow[0]`.
    pub(super) fn backward_agreed(
        &mut self,
        chain: &Chain,
        (link, layer): (usize, &BatchNormalizationLayer),
        agreed: &Agreed,
        group: &Range<usize>,
    ) {
        let reads = chain.links[link].reads;
        let x = &self.outputs[reads][span(group, self.lens[reads])];
        let dy = &self.borders[link][span(group, self.lens[link + 1])];
        layer.backward_agreed(agreed, x, dy, &mut self.flow[0][..x.len()]);
    }

    /// What the lane's examples bring to the link that lies after place `place`.
    pub(super) fn output(&self, place: usize) -> &[f32] {
        &self.outputs[place][..self.rows * self.lens[place]]
    }

    /// ∂E/∂(net input of `link`) of the lane's examples.
    pub(super) fn border(&self, link: usize) -> &[f32] {
        &self.borders[link][..self.rows * self.lens[link + 1]]
    }
}

/// The most numbers of one example that a gradient in this stage has.
fn longest(chain: &Chain, stage: &Stage, lens: &[usize]) -> usize {
    let touched = stage.head.into_iter().chain(stage.links.clone());
    // What comes after the stage hands a gradient of this length to it.
    let after = chain.links.get(stage.links.end).map_or_else(|| chain.output_len(), |next| lens[next.reads]);
    touched.map(|link| lens[link + 1].max(lens[chain.links[link].reads])).max().unwrap_or(0).max(after)
}

/// Where a group's numbers lie, `len` for each example.
fn span(group: &Range<usize>, len: usize) -> Range<usize> {
    group.start * len..group.end * len
}

/// Whether buffers that are free are filled with NaN.
const POISONS: bool = cfg!(any(test, debug_assertions));

/// A buffer where it is declared that it is read.
fn declared<'a>(is_declared: bool, buffer: &'a [f32], undeclared: &'a [f32]) -> &'a [f32] {
    if is_declared { buffer } else { &undeclared[..buffer.len().min(undeclared.len())] }
}

/// In tests and debug builds, fills a buffer that is free with NaN, so that whoever reads it before it is written again
/// fails every test that trains.
fn poison(buffer: &mut [f32]) {
    if POISONS {
        buffer.fill(f32::NAN);
    }
}

fn tape<'a>(floats: &'a mut [f32], scratch: &'a mut [f32], memory: Memory, group: &Range<usize>) -> Tape<'a> {
    poison(scratch);
    Tape {
        floats: &mut floats[span(group, memory.floats)],
        scratch: &mut scratch[..memory.scratch_len(group.len())],
    }
}
