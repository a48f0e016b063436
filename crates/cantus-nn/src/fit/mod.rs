//! Training: epochs of batches, until enough is learnt.
//!
//! [`fit`] is the loop that one sees in a lecture: shuffle, take a batch, step, and at the end of an epoch
//! look at the validation examples. What makes a step fast lies below it:
//!
//! - `plan`: where examples can go through several layers on their own, and where they must meet;
//! - `lane`: a share of the batch on its way through the network and back;
//! - `block`, `columns`: weights and how they are moved;
//! - `engine`: the order of all that in one step, shared among a team of threads.

mod block;
mod checkpoint;
mod columns;
mod engine;
#[cfg(test)]
mod false_declarations;
mod lane;
mod plan;
mod state;
mod step;
mod training;

use std::ops::ControlFlow;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use cantus_random::key;
pub use training::{Batching, Clipping, EarlyStopping, Training};

use crate::chain::Chain;
use crate::epoch_order::epoch_order;
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::examples::Examples;
use crate::history::{EpochLog, History, Scores};
use crate::loss::Loss;
use crate::network::Network;
use crate::optimizer::Step;
use crate::purpose;
use crate::team::{Team, all_threads, read, with_team, write};
use crate::weights::Tensor;
use engine::{Engine, Order};
use state::State;
use step::{Rule, Task};

/// What a training tells while it runs.
#[non_exhaustive]
pub enum Progress<'a> {
    /// Some batches of an epoch are done. Told a few times a second, not after every batch.
    Batch {
        /// Counted from 0.
        epoch: usize,
        /// How many batches of this epoch are done.
        batch: usize,
        /// How many batches an epoch has.
        n_batches: usize,
        /// Of the epoch up to here.
        scores: Scores,
    },
    /// An epoch is over, and its validation too.
    Epoch(EpochEnd<'a>),
}

/// The state of a training after an epoch.
pub struct EpochEnd<'a> {
    /// Counted from 0.
    pub epoch: usize,
    /// How the epoch went.
    pub log: EpochLog,
    /// All epochs up to here, those before an interruption included.
    pub history: &'a History,
    /// Whether no epoch before had a lower validation loss (training loss, if there is no validation).
    pub is_best: bool,
    network: (&'a crate::Architecture, &'a Chain, &'a [Vec<f32>]),
    training: &'a Training,
    state: &'a State,
    slots: &'a dyn Fn() -> Vec<[Vec<f32>; 2]>,
    n_examples: usize,
}

impl EpochEnd<'_> {
    /// The weights after this epoch, by name; as from [`Network::weights`]. Where weights are averaged, their average.
    #[must_use]
    pub fn weights(&self) -> Vec<Tensor> {
        let (_, chain, parameters) = self.network;
        chain.tensors(self.state.judged(parameters))
    }

    /// Everything that [`Network::resume`] needs, as the bytes of a safetensors file.
    ///
    /// # Errors
    /// If it cannot be serialised, for which there is no known cause.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        let (architecture, chain, parameters) = self.network;
        let origin = checkpoint::Origin::new(architecture, self.training, self.n_examples);
        checkpoint::write(&origin, chain, parameters, &(self.slots)(), self.state)
    }
}

/// The least time between two [`Progress::Batch`].
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Refuses examples that do not fit the network or the loss.
pub(crate) fn check_examples(
    chain: &Chain,
    examples: &dyn Examples,
    loss: Loss,
    which: &'static str,
) -> Result<(), Error> {
    let refuse = |problem| Err(Error::Examples { which, problem });
    if examples.is_empty() {
        return refuse("there are none".into());
    }
    if examples.input_len() != chain.input_len() {
        let (got, shape) = (examples.input_len(), &chain.input_shape);
        return refuse(format!("their inputs have {got} numbers, but the network wants shape {shape:?}"));
    }
    let misfit =
        |i: usize| Some((i, loss.misfit(examples.target(i), chain.output_len(), chain.n_classes())?));
    match (0..examples.len()).find_map(misfit) {
        Some((i, problem)) => refuse(format!("example {i}: {problem}")),
        None => Ok(()),
    }
}

/// Trains a network; see [`Network::fit`] and [`Network::resume`].
pub(crate) fn fit(
    network: &mut Network,
    train: &dyn Examples,
    validation: Option<&dyn Examples>,
    training: &Training,
    checkpoint: Option<&[u8]>,
    mut observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<History, Error> {
    training.check()?;
    check_examples(&network.chain, train, training.loss, "training")?;
    if let Some(validation) = validation {
        check_examples(&network.chain, validation, training.loss, "validation")?;
    }
    let Network { architecture, chain, parameters, .. } = network;
    let (mut state, slots) = match checkpoint {
        None => {
            let state = State { best_parameters: parameters.clone(), ..State::default() };
            (state, fresh_slots(chain, training))
        }
        Some(bytes) => {
            let origin = checkpoint::Origin::new(architecture, training, train.len());
            let (state, restored, slots) =
                checkpoint::read(bytes, &origin, chain, training.optimizer.n_slots())?;
            *parameters = restored;
            (state, slots)
        }
    };
    let task = Task {
        examples: train,
        loss: training.loss,
        from_logits: chain.fuses_with(training.loss),
        class_weights: &training.class_weights,
    };
    let clip_value = if let Some(Clipping::Value(limit)) = training.clipping { Some(limit) } else { None };
    let rule = Rule { optimizer: training.optimizer, clip_value };
    let batch = training.batching.size(train.len());
    let engine = Engine::new(chain, batch, task, rule, training.clipping, parameters, slots);
    let n_threads = all_threads(training.n_threads);
    let validation = validation.map(|examples| Evaluation::new(chain, examples, training.loss, n_threads));
    let validated = RwLock::new(if validation.is_some() { parameters.clone() } else { Vec::new() });
    let fit = Fit { architecture, chain, engine: &engine, train, validation, validated, training };
    let outcome = with_team(
        n_threads,
        |job, task| fit.work(job, task),
        |team| fit.run(team, parameters, &mut state, &mut observe),
    );
    if let Err(Diverged(what)) = outcome {
        let best_epoch = state.history.best_epoch();
        let learning_rate = state.learning_rate(training, 0.0);
        *parameters = state.best_parameters;
        return Err(Error::Diverged { epoch: state.n_epochs, what, learning_rate, best_epoch });
    }
    let restores_best = training.early_stopping.is_some_and(|stopping| stopping.restore_best_weights);
    let best = (restores_best && state.n_epochs > 0).then_some(state.best_parameters);
    if let Some(judged) = best.or(state.average.weights) {
        *parameters = judged;
    }
    Ok(state.history)
}

/// What is not finite.
struct Diverged(&'static str);

/// What the threads of a fit do together.
#[derive(Debug, Clone, Copy)]
enum Job {
    /// A part of a training step.
    Step(Order),
    /// A share of the validation examples.
    Validate,
}

/// A training that is prepared.
struct Fit<'a> {
    architecture: &'a crate::Architecture,
    chain: &'a Chain,
    engine: &'a Engine<'a>,
    train: &'a dyn Examples,
    validation: Option<Evaluation<'a>>,
    /// The weights that [`Job::Validate`] works with; none without validation.
    validated: RwLock<Vec<Vec<f32>>>,
    training: &'a Training,
}

impl Fit<'_> {
    /// Does one task of a job.
    fn work(&self, job: Job, task: usize) {
        match (job, &self.validation) {
            (Job::Step(order), _) => self.engine.work(order, task),
            (Job::Validate, Some(validation)) => validation.work(&read(&self.validated), task),
            (Job::Validate, None) => {}
        }
    }

    /// Epoch after epoch; `parameters` has the weights of the last one that ended.
    fn run(
        &self,
        team: &Team<'_, Job>,
        parameters: &mut [Vec<f32>],
        state: &mut State,
        observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<(), Diverged> {
        while state.goes_on(self.training) {
            let epoch = state.n_epochs;
            let train_scores = self.run_epoch(team, state, observe)?;
            self.engine.copy_parameters(parameters);
            if !is_finite(parameters) {
                return Err(Diverged("a weight"));
            }
            let Some(train_scores) = train_scores else { break };
            if let Some(averaging) = self.training.averaging {
                state.average.take_in(averaging, epoch + 1, parameters);
            }
            let log = EpochLog {
                train: train_scores,
                validation: self.validate(team, state.judged(parameters))?,
                learning_rate: f64::from(state.learning_rate(self.training, 0.0)),
            };
            let is_best = state.end_epoch(log, self.training, parameters);
            let end = EpochEnd {
                epoch,
                log,
                history: &state.history,
                is_best,
                network: (self.architecture, self.chain, parameters),
                training: self.training,
                state,
                slots: &|| self.engine.slots(),
                n_examples: self.train.len(),
            };
            if observe(Progress::Epoch(end)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn validate(&self, team: &Team<'_, Job>, judged: &[Vec<f32>]) -> Result<Option<Scores>, Diverged> {
        let Some(validation) = &self.validation else { return Ok(None) };
        write(&self.validated).iter_mut().zip(judged).for_each(|(to, from)| to.copy_from_slice(from));
        team.run(Job::Validate, validation.n_workers());
        let scores = validation.scores(judged);
        if scores.loss.is_finite() { Ok(Some(scores)) } else { Err(Diverged("the validation loss")) }
    }

    /// Trains on every example once; `None` if the observer wants no more.
    fn run_epoch(
        &self,
        team: &Team<'_, Job>,
        state: &mut State,
        observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Scores>, Diverged> {
        let (training, n, epoch) = (self.training, self.train.len(), state.n_epochs);
        let order = if training.shuffle { epoch_order(n, training.seed, epoch) } else { (0..n).collect() };
        let batch_size = training.batching.size(n);
        let n_batches = n.div_ceil(batch_size);
        let (mut loss, mut accuracy, mut n_seen) = (0.0, 0.0, 0);
        let mut told = Instant::now();
        for (batch, indices) in order.chunks(batch_size).enumerate() {
            state.n_steps += 1;
            let learning_rate = state.learning_rate(training, batch as f64 / n_batches as f64);
            let step = Step { learning_rate, number: state.n_steps };
            let step_key = key(key(training.seed, purpose::LAYERS), state.n_steps);
            let run = |order, n_tasks| team.run(Job::Step(order), n_tasks);
            let (score, penalty) = self.engine.step(&run, indices, epoch, step_key, step);
            loss += score.loss + penalty * indices.len() as f64;
            if !loss.is_finite() {
                let is_first = state.n_steps == 1;
                return Err(Diverged(if is_first {
                    "the loss of the first batch"
                } else {
                    "the training loss"
                }));
            }
            accuracy += score.accuracy;
            n_seen += indices.len();
            let seen = n_seen as f64;
            let accuracy = training.loss.has_accuracy().then_some(accuracy / seen);
            let scores = Scores { loss: loss / seen, accuracy };
            if batch + 1 == n_batches {
                return Ok(Some(scores));
            }
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                if observe(Progress::Batch { epoch, batch: batch + 1, n_batches, scores }).is_break() {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }
}

fn is_finite(parameters: &[Vec<f32>]) -> bool {
    parameters.iter().flatten().all(|weight| weight.is_finite())
}

fn fresh_slots(chain: &Chain, training: &Training) -> Vec<[Vec<f32>; 2]> {
    let n_slots = training.optimizer.n_slots();
    let of_link = |link: &crate::chain::Link| {
        [0, 1].map(|slot| vec![0.0; if slot < n_slots { link.n_weights() } else { 0 }])
    };
    chain.links.iter().map(of_link).collect()
}
