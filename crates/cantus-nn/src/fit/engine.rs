//! One training step: who computes what, and in which order.

use std::ops::Range;
use std::sync::{Mutex, RwLock};

use super::block::Block;
use super::columns::Columns;
use super::lane::Lane;
use super::plan::Plan;
use super::step::{Now, Rule, Task};
use super::training::Clipping;
use crate::chain::Chain;
use crate::layer::{Agreed, BatchNormalizationLayer, DenseLayer, Meeting};
use crate::loss::Score;
use crate::optimizer::Step;
use crate::team::{lock, read, write};

/// What the leader calls out; each order consists of tasks, which members take in turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// One lane forward through a stage.
    Forward(usize),
    /// One lane forward through the last stage, and back.
    Turn,
    /// One lane back through a stage.
    Backward(usize),
    /// One panel of a layer whose columns are shared.
    ColumnsForward(usize),
    /// One block of inputs of such a layer.
    ColumnsBackward(usize),
    /// Lengths of gradients, so that they can be clipped.
    Norms,
    /// Some weights.
    Update,
}

/// Has all tasks of an order done, and waits for them.
pub(super) type Run<'r> = &'r dyn Fn(Order, usize);

/// All that is needed for training steps, allocated once.
pub(super) struct Engine<'a> {
    chain: &'a Chain,
    plan: Plan,
    task: Task<'a>,
    rule: Rule,
    clipping: Option<Clipping>,
    lanes: Vec<RwLock<Lane>>,
    weights: Vec<Trained>,
    /// For each link, what the batch agreed on there.
    agreed: Vec<RwLock<Agreed>>,
    /// A layer, and one of its panels if its columns are shared.
    updates: Vec<(usize, usize)>,
    /// For each update, the squared lengths of its tensors' gradients.
    norms: Vec<Mutex<Vec<f64>>>,
    now: RwLock<Now>,
}

/// The weights of a layer in training.
enum Trained {
    Block(Box<RwLock<Block>>),
    /// Of a layer whose columns are shared.
    Columns(Columns),
}

/// A layer at which lanes meet, with what it takes.
enum Hub<'e> {
    Columns(&'e DenseLayer, &'e Columns),
    Statistics(&'e BatchNormalizationLayer, &'e RwLock<Block>, &'e RwLock<Agreed>),
}

impl<'a> Engine<'a> {
    /// Buffers for batches of up to `batch` examples.
    pub(super) fn new(
        chain: &'a Chain,
        batch: usize,
        task: Task<'a>,
        rule: Rule,
        clipping: Option<Clipping>,
        parameters: &[Vec<f32>],
        slots: Vec<[Vec<f32>; 2]>,
    ) -> Self {
        let plan = Plan::new(chain, batch, task.from_logits);
        let lanes =
            (0..plan.n_lanes).map(|i| RwLock::new(Lane::new(chain, &plan, i * plan.lane_rows))).collect();
        let trained = chain.links.iter().zip(parameters).zip(slots).map(|((link, values), slots)| match link
            .layer
            .meeting()
        {
            Some(Meeting::Columns(dense)) => {
                Trained::Columns(Columns::new(dense, link, batch, values, &slots))
            }
            Some(Meeting::Statistics(_)) | None => {
                Trained::Block(Box::new(RwLock::new(Block::new(link, values.clone(), slots))))
            }
        });
        let weights: Vec<Trained> = trained.collect();
        let updates: Vec<(usize, usize)> = (weights.iter().enumerate())
            .filter(|(link, _)| chain.links[*link].n_trainable() > 0)
            .flat_map(|(link, weights)| {
                let n_pieces = if let Trained::Columns(columns) = weights { columns.n_panels() } else { 1 };
                (0..n_pieces).map(move |piece| (link, piece))
            })
            .collect();
        let agreed = chain.links.iter().map(|link| match link.layer.meeting() {
            Some(Meeting::Statistics(layer)) => RwLock::new(Agreed::new(layer.channels())),
            _ => RwLock::new(Agreed::new(0)),
        });
        let agreed = agreed.collect();
        let norms = updates.iter().map(|_| Mutex::new(Vec::new())).collect();
        let step = Step { learning_rate: 0.0, number: 0 };
        let now = Now {
            indices: Vec::with_capacity(batch),
            epoch: 0,
            key: 0,
            step,
            scales: vec![Vec::new(); weights.len()],
        };
        Self {
            chain,
            plan,
            task,
            rule,
            clipping,
            lanes,
            weights,
            agreed,
            updates,
            norms,
            now: RwLock::new(now),
        }
    }

    /// Learns from the examples `indices`. Returns the sums of their scores (before the update) and the
    /// penalty.
    pub(super) fn step(
        &self,
        run: Run<'_>,
        indices: &[usize],
        epoch: usize,
        key: u64,
        step: Step,
    ) -> (Score, f64) {
        {
            let now = &mut *write(&self.now);
            now.indices.clear();
            now.indices.extend_from_slice(indices);
            (now.epoch, now.key, now.step) = (epoch, key, step);
        }
        let n_lanes = self.lanes.len();
        let (_, before_last) = self.plan.stages.split_last().unwrap_or((&self.plan.stages[0], &[]));
        for (i, _) in before_last.iter().enumerate() {
            run(Order::Forward(i), n_lanes);
            self.meet_forward(run, self.plan.stages[i + 1].head);
        }
        run(Order::Turn, n_lanes);
        for (i, _) in before_last.iter().enumerate().rev() {
            let head = self.plan.stages[i + 1].head;
            self.meet_backward(run, head);
            if head.is_some_and(|head| self.plan.links[head].hands_on) {
                run(Order::Backward(i), n_lanes);
            }
        }
        if let Some(Clipping::Norm(_) | Clipping::GlobalNorm(_)) = self.clipping {
            run(Order::Norms, self.updates.len());
            self.clip();
        }
        run(Order::Update, self.updates.len());
        self.score()
    }

    /// The layer at which lanes meet, if they do at this link.
    fn hub(&self, link: Option<usize>) -> Option<(usize, Hub<'_>)> {
        let link = link?;
        let hub = match (self.chain.links[link].layer.meeting()?, &self.weights[link]) {
            (Meeting::Columns(dense), Trained::Columns(columns)) => Hub::Columns(dense, columns),
            (Meeting::Statistics(layer), Trained::Block(block)) => {
                Hub::Statistics(layer, block, &self.agreed[link])
            }
            _ => return None,
        };
        Some((link, hub))
    }

    /// All lanes have arrived at link `head`.
    fn meet_forward(&self, run: Run<'_>, head: Option<usize>) {
        match self.hub(head) {
            Some((link, Hub::Columns(_, columns))) => {
                columns.gather_input(&self.lanes, self.chain.links[link].reads);
                run(Order::ColumnsForward(link), columns.n_panels());
            }
            Some((link, Hub::Statistics(layer, block, agreed))) => {
                let lanes: Vec<_> = self.lanes.iter().map(read).collect();
                let moments = lanes.iter().map(|lane| &lane.moments[link]);
                layer.agree(moments, &mut write(agreed), &mut write(block).values);
            }
            None => {}
        }
    }

    /// All lanes have come back to link `head`.
    fn meet_backward(&self, run: Run<'_>, head: Option<usize>) {
        match self.hub(head) {
            Some((link, Hub::Columns(_, columns))) => {
                columns.gather_d_output(&self.lanes, link);
                if self.plan.links[link].hands_on {
                    run(Order::ColumnsBackward(link), columns.n_input_blocks());
                }
            }
            Some((link, Hub::Statistics(layer, _, agreed))) => {
                let lanes: Vec<_> = self.lanes.iter().map(read).collect();
                layer.agree_gradient(lanes.iter().map(|lane| &*lane.gradients[link]), &mut write(agreed));
            }
            None => {}
        }
    }

    /// From squared lengths to what each tensor's gradient is multiplied by.
    fn clip(&self) {
        let now = &mut *write(&self.now);
        let mut sums: Vec<Vec<f64>> =
            self.chain.links.iter().map(|link| vec![0.0; link.tensors.len()]).collect();
        for (&(link, _), norms) in self.updates.iter().zip(&self.norms) {
            sums[link].iter_mut().zip(&*lock(norms)).for_each(|(sum, norm)| *sum += norm);
        }
        let global: f64 = sums.iter().flatten().sum();
        for (scales, sums) in now.scales.iter_mut().zip(sums) {
            let scale = |squared: f64| match self.clipping {
                Some(Clipping::Norm(limit)) => (f64::from(limit) / squared.sqrt()).min(1.0) as f32,
                Some(Clipping::GlobalNorm(limit)) => (f64::from(limit) / global.sqrt()).min(1.0) as f32,
                Some(Clipping::Value(_)) | None => 1.0,
            };
            *scales = sums.into_iter().map(scale).collect();
        }
    }

    /// The lanes' scores and the layers' penalties, added in their order.
    fn score(&self) -> (Score, f64) {
        let mut sum = Score { loss: 0.0, accuracy: 0.0 };
        for lane in &self.lanes {
            let score = read(lane).score;
            sum.loss += score.loss;
            sum.accuracy += score.accuracy;
        }
        let penalty = |weights: &Trained| match weights {
            Trained::Block(block) => read(block).penalty,
            Trained::Columns(columns) => columns.penalty(),
        };
        (sum, self.weights.iter().map(penalty).sum())
    }

    /// Does one task of an order.
    pub(super) fn work(&self, order: Order, task: usize) {
        let now = &*read(&self.now);
        match order {
            Order::Forward(stage) => self.lane_through(task, stage, true, false, now),
            Order::Turn => self.lane_through(task, self.plan.stages.len() - 1, true, true, now),
            Order::Backward(stage) => self.lane_through(task, stage, false, true, now),
            Order::ColumnsForward(link) => {
                if let Trained::Columns(columns) = &self.weights[link] {
                    columns.forward(task, now.indices.len());
                }
            }
            Order::ColumnsBackward(link) => {
                if let Trained::Columns(columns) = &self.weights[link] {
                    columns.backward(task, now.indices.len());
                }
            }
            Order::Norms => *lock(&self.norms[task]) = self.squared_norms(self.updates[task], now),
            Order::Update => self.update(self.updates[task], now),
        }
    }

    /// Takes a lane through a stage: forward, backward, or both.
    fn lane_through(&self, lane: usize, stage: usize, forward: bool, backward: bool, now: &Now) {
        let lane = &mut *write(&self.lanes[lane]);
        if stage == 0 && forward {
            lane.load(self.chain, self.task, now, self.plan.lane_rows);
        }
        for group in lane.groups(&self.plan.stages[stage]) {
            if forward {
                self.group_forward(lane, stage, &group, now);
            }
            if forward && backward {
                lane.judge(self.chain, self.task, &group, now);
            }
            if backward {
                self.group_backward(lane, stage, &group, now);
            }
            if forward {
                lane.free(&self.plan.stages[stage]);
            }
        }
    }

    fn group_forward(&self, lane: &mut Lane, stage: usize, group: &Range<usize>, now: &Now) {
        let next = self.plan.stages.get(stage + 1).and_then(|next| next.head);
        let stage = &self.plan.stages[stage];
        match self.hub(stage.head) {
            Some((head, Hub::Columns(dense, columns))) => {
                lane.receive(self.chain, (head, self.plan.links[head]), dense, columns, group)
            }
            Some((head, Hub::Statistics(layer, block, agreed))) => {
                lane.forward_agreed(self.chain, (head, layer), read(block).weights(), &read(agreed), group);
            }
            None => {}
        }
        for link in stage.links.clone().filter(|&link| !self.chain.links[link].layer.is_view()) {
            if let Trained::Block(block) = &self.weights[link] {
                let plan = self.plan.links[link];
                lane.forward(self.chain, (link, plan), read(block).weights(), group, now);
            }
        }
        if let Some((next, Hub::Statistics(layer, ..))) = self.hub(next) {
            lane.gather(self.chain, next, layer, group);
        }
    }

    fn group_backward(&self, lane: &mut Lane, stage: usize, group: &Range<usize>, now: &Now) {
        let next = self.plan.stages.get(stage + 1).and_then(|next| next.head);
        match self.hub(next) {
            Some((_, Hub::Columns(dense, columns))) => lane.take_back(columns, dense.n_inputs, group),
            Some((next, Hub::Statistics(layer, _, agreed))) => {
                lane.backward_agreed(self.chain, (next, layer), &read(agreed), group);
            }
            None => {}
        }
        let stage = &self.plan.stages[stage];
        for link in stage.links.clone().rev().filter(|&link| !self.chain.links[link].layer.is_view()) {
            let plan = self.plan.links[link];
            if !plan.hands_on && self.chain.links[link].n_trainable() == 0 {
                return;
            }
            if let Trained::Block(block) = &self.weights[link]
                && !lane.backward(self.chain, (link, plan), read(block).weights(), group, now)
            {
                return;
            }
        }
        match self.hub(stage.head) {
            Some((head, Hub::Columns(dense, _))) => {
                lane.hand_over(self.chain, (head, self.plan.links[head]), dense, group);
            }
            Some((head, Hub::Statistics(layer, _, agreed))) => {
                lane.gather_gradient(self.chain, (head, layer), &read(agreed), group);
            }
            None => {}
        }
    }

    fn squared_norms(&self, (link, piece): (usize, usize), now: &Now) -> Vec<f64> {
        match &self.weights[link] {
            Trained::Block(block) => {
                write(block).squared_norms((link, &self.chain.links[link]), &self.lanes, self.rule)
            }
            Trained::Columns(columns) => columns.squared_norms(piece, now.indices.len(), self.rule),
        }
    }

    fn update(&self, (link, piece): (usize, usize), now: &Now) {
        let scales = &now.scales[link];
        match &self.weights[link] {
            Trained::Block(block) => {
                write(block).update((link, &self.chain.links[link]), &self.lanes, self.rule, now, scales);
            }
            Trained::Columns(columns) => columns.update(piece, self.rule, now, scales),
        }
    }

    /// Copies all weights out.
    pub(super) fn copy_parameters(&self, parameters: &mut [Vec<f32>]) {
        for (weights, values) in self.weights.iter().zip(parameters) {
            match weights {
                Trained::Block(block) => values.copy_from_slice(&read(block).values),
                Trained::Columns(columns) => columns.assemble(0, values),
            }
        }
    }

    /// What the optimizer remembers, laid out as the weights are; empty slots are empty.
    pub(super) fn slots(&self) -> Vec<[Vec<f32>; 2]> {
        let n_slots = self.rule.optimizer.n_slots();
        let of_link = |(weights, link): (&Trained, &crate::chain::Link)| match weights {
            Trained::Block(block) => read(block).slots.clone(),
            Trained::Columns(columns) => [0, 1].map(|slot| {
                let mut values = vec![0.0; if slot < n_slots { link.n_weights() } else { 0 }];
                if slot < n_slots {
                    columns.assemble(slot + 1, &mut values);
                }
                values
            }),
        };
        self.weights.iter().zip(&self.chain.links).map(of_link).collect()
    }
}
