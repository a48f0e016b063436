//! The training loop: epochs of batches, each followed by validation.

use std::ops::ControlFlow;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use cantus_random::key;

use super::checkpoint;
use super::engine::{Engine, Phase};
use super::leading_layers::{LeadingLayers, LeadingOutputs};
use super::progress::{EpochEnd, Progress};
use super::state::TrainingState;
use super::step::{Objective, UpdateRule};
use super::training::{Clipping, Training};
use crate::architecture::Architecture;
use crate::epoch_order::epoch_order;
use crate::error::Error;
use crate::evaluation::{Evaluation, check_examples};
use crate::examples::Examples;
use crate::history::{EpochLog, History, Scores};
use crate::optimizer::UpdateStep;
use crate::rng_streams;
use crate::sequential::{BuiltLayer, Sequential};
use crate::sync::{read, resolve_threads, write};
use crate::thread_pool::{ThreadPool, with_thread_pool};

/// The least time between two [`Progress::Batch`].
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Batches between the one that is trained on and the last that is announced to the examples.
const BATCHES_AHEAD: usize = 8;

/// The network to be trained.
pub(crate) struct NetworkParts<'a> {
    pub(crate) architecture: &'a Architecture,
    pub(crate) model: &'a mut Sequential,
    pub(crate) parameters: &'a mut Vec<Vec<f32>>,
}

/// Trains a network; see [`Network::fit`](crate::Network::fit) and [`Network::resume`](crate::Network::resume).
pub(crate) fn fit(
    network: NetworkParts<'_>,
    train: &dyn Examples,
    validation: Option<&dyn Examples>,
    training: &Training,
    checkpoint: Option<&[u8]>,
    mut observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<History, Error> {
    let NetworkParts { architecture, model, parameters } = network;
    training.check()?;
    model.check_trainable()?;
    model.set_learning_rate_factors(&training.layer_rates)?;
    let model = &*model;
    check_examples(model, train, training.loss, "training")?;
    if let Some(validation) = validation {
        check_examples(model, validation, training.loss, "validation")?;
    }
    let batch = training.batching.size(train.len());
    check_memory(model, batch)?;
    let (mut state, slots) = match checkpoint {
        None => {
            let state = TrainingState { best_parameters: parameters.clone(), ..TrainingState::default() };
            (state, zero_slots(model, training))
        }
        Some(bytes) => {
            let origin = checkpoint::Origin::new(architecture, training, train.len());
            let (state, restored, slots) =
                checkpoint::read(bytes, &origin, model, training.optimizer.n_slots())?;
            *parameters = restored;
            (state, slots)
        }
    };
    let leading = LeadingLayers::of(architecture, &training.layer_rates)?;
    let train_outputs = leading.as_ref().and_then(|leading| leading.training(train));
    let validation_outputs =
        leading.as_ref().zip(validation).and_then(|(leading, examples)| leading.validation(examples));
    // The network to run, and its examples: the whole network, or what follows its leading layers.
    let (run, examples) = behind(leading.as_ref(), train_outputs.as_ref()).unwrap_or((model, train));
    let validation = behind(leading.as_ref(), validation_outputs.as_ref())
        .or(validation.map(|examples| (model, examples)));
    let objective = Objective {
        examples,
        loss: training.loss,
        from_logits: model.fuses_with(training.loss),
        class_weights: &training.class_weights,
    };
    let clip_value = if let Some(Clipping::Value(limit)) = training.clipping { Some(limit) } else { None };
    let rule = UpdateRule { optimizer: training.optimizer, clip_value };
    let engine = Engine::new(run, batch, objective, rule, training.clipping, parameters, slots);
    let n_threads = resolve_threads(training.n_threads);
    let validation =
        validation.map(|(run, examples)| Evaluation::new(run, examples, training.loss, n_threads));
    let validated = RwLock::new(if validation.is_some() { parameters.clone() } else { Vec::new() });
    let fit = Fit { architecture, model, engine: &engine, train: examples, validation, validated, training };
    let outcome = with_thread_pool(
        n_threads,
        |job, task| fit.work(job, task),
        |pool| fit.run(pool, parameters, &mut state, &mut observe),
    );
    if let Err(Diverged(what)) = outcome {
        let best_epoch = state.history.best_epoch();
        let learning_rate = state.learning_rate(training, 0.0);
        *parameters = state.best_parameters;
        return Err(Error::Diverged { epoch: state.n_epochs, what, learning_rate, best_epoch });
    }
    let restores_best = training.early_stopping.is_some_and(|stopping| stopping.restore_best_weights);
    let best = (restores_best && state.n_epochs > 0).then_some(state.best_parameters);
    if let Some(last) = best.or(state.average.weights) {
        *parameters = last;
    }
    Ok(state.history)
}

/// The network behind the leading layers, and their outputs as its examples.
fn behind<'a>(
    leading: Option<&'a LeadingLayers>,
    outputs: Option<&'a LeadingOutputs<'a>>,
) -> Option<(&'a Sequential, &'a dyn Examples)> {
    let (leading, outputs) = leading.zip(outputs)?;
    Some((leading.rest(), outputs as &dyn Examples))
}

/// Most values of a step, weights and gradients not counted: 32 GiB of f32.
const MAX_STEP: usize = 1 << 33;

/// Checks the memory of a step before it is allocated.
fn check_memory(model: &Sequential, batch: usize) -> Result<(), Error> {
    if model.n_values().saturating_mul(batch) <= MAX_STEP {
        return Ok(());
    }
    let (layer, setting) = ("training".to_owned(), "batching");
    Err(Error::Setting { layer, setting, got: batch.to_string(), wanted: "smaller for so large a network" })
}

/// What is not finite.
struct Diverged(&'static str);

/// What the threads of a training run in parallel.
#[derive(Debug, Clone, Copy)]
enum Job {
    /// A phase of a training step.
    Step(Phase),
    /// A part of the validation examples.
    Validate,
}

/// A training that is ready to run.
struct Fit<'a> {
    architecture: &'a Architecture,
    model: &'a Sequential,
    engine: &'a Engine<'a>,
    /// The training examples, or the outputs of the leading layers for them.
    train: &'a dyn Examples,
    validation: Option<Evaluation<'a>>,
    /// The weights that [`Job::Validate`] uses; empty without validation.
    validated: RwLock<Vec<Vec<f32>>>,
    training: &'a Training,
}

impl Fit<'_> {
    /// Runs one task of a job.
    fn work(&self, job: Job, task: usize) {
        match (job, &self.validation) {
            (Job::Step(phase), _) => self.engine.work(phase, task),
            (Job::Validate, Some(validation)) => validation.work(&read(&self.validated), task),
            (Job::Validate, None) => {}
        }
    }

    /// Runs all epochs; `parameters` holds the weights after the last completed one, and the state's best parameters what is kept
    /// if the training diverges.
    fn run(
        &self,
        pool: &ThreadPool<'_, Job>,
        parameters: &mut [Vec<f32>],
        state: &mut TrainingState,
        observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<(), Diverged> {
        let outcome = self.run_epochs(pool, parameters, state, observe);
        let best_epoch = state.history.best_epoch().filter(|&epoch| outcome.is_err() && !self.renews(epoch));
        if let (Some(epoch), Some(_)) = (best_epoch, self.training.averaging) {
            self.renew_statistics(pool, epoch, &mut state.best_parameters);
        }
        outcome
    }

    fn run_epochs(
        &self,
        pool: &ThreadPool<'_, Job>,
        parameters: &mut [Vec<f32>],
        state: &mut TrainingState,
        observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<(), Diverged> {
        while state.should_continue(self.training) {
            let epoch = state.n_epochs;
            let train_scores = self.run_epoch(pool, state, observe)?;
            self.engine.copy_parameters(parameters);
            if !is_finite(parameters) {
                return Err(Diverged("a weight"));
            }
            let Some(train_scores) = train_scores else { break };
            if let Some(averaging) = self.training.averaging {
                state.average.update(averaging, epoch + 1, parameters);
                if let Some(average) = state.average.weights.as_mut().filter(|_| self.renews(epoch)) {
                    self.renew_statistics(pool, epoch, average);
                    self.engine.set_parameters(parameters);
                }
            }
            let log = EpochLog {
                train: train_scores,
                validation: self.validate(pool, state.evaluated(parameters))?,
                learning_rate: f64::from(state.learning_rate(self.training, 0.0)),
            };
            let is_best = state.end_epoch(log, self.training, parameters);
            let end = EpochEnd {
                epoch,
                log,
                history: &state.history,
                is_best,
                network: (self.architecture, self.model, parameters),
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

    /// Whether the average after this epoch gets statistics of its own: if there are any, and it is evaluated or may be what the
    /// training returns.
    fn renews(&self, epoch: usize) -> bool {
        let is_last = epoch + 1 == self.training.epochs;
        let is_used = is_last || self.validation.is_some() || self.training.early_stopping.is_some();
        is_used && self.engine.has_statistics()
    }

    /// Computes the moving statistics of averaged weights anew, in one pass over the training examples: the average of statistics is
    /// not that of the network with averaged weights. Leaves the engine with these weights.
    fn renew_statistics(&self, pool: &ThreadPool<'_, Job>, epoch: usize, average: &mut [Vec<f32>]) {
        self.engine.set_parameters(average);
        let run = |phase, n_tasks| pool.run(Job::Step(phase), n_tasks);
        let pass_key = key(key(self.training.seed, rng_streams::STATISTICS), epoch as u64);
        let order = self.order(epoch);
        let mut n_before = 0;
        for (batch, indices) in self.announced(&order, epoch).enumerate() {
            self.engine.renew_statistics(&run, indices, epoch, key(pass_key, batch as u64), n_before);
            n_before += indices.len();
        }
        self.engine.copy_parameters(average);
    }

    /// The order of the examples in an epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let n = self.train.len();
        if self.training.shuffle { epoch_order(n, self.training.seed, epoch) } else { (0..n).collect() }
    }

    /// The batches of an epoch, each announced to the examples some batches ahead.
    fn announced<'o>(&'o self, order: &'o [usize], epoch: usize) -> impl Iterator<Item = &'o [usize]> {
        let batch_size = self.training.batching.size(self.train.len());
        let mut later = order.chunks(batch_size);
        later.by_ref().take(BATCHES_AHEAD).for_each(|indices| self.train.announce(indices, epoch));
        order.chunks(batch_size).inspect(move |_| {
            if let Some(indices) = later.next() {
                self.train.announce(indices, epoch);
            }
        })
    }

    fn validate(
        &self,
        pool: &ThreadPool<'_, Job>,
        parameters: &[Vec<f32>],
    ) -> Result<Option<Scores>, Diverged> {
        let Some(validation) = &self.validation else { return Ok(None) };
        write(&self.validated).iter_mut().zip(parameters).for_each(|(to, from)| to.copy_from_slice(from));
        pool.run(Job::Validate, validation.n_workers());
        let scores = validation.scores(parameters);
        if scores.loss.is_finite() { Ok(Some(scores)) } else { Err(Diverged("the validation loss")) }
    }

    /// Trains on every example once; `None` if `observe` ended the training.
    fn run_epoch(
        &self,
        pool: &ThreadPool<'_, Job>,
        state: &mut TrainingState,
        observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Scores>, Diverged> {
        let (training, n, epoch) = (self.training, self.train.len(), state.n_epochs);
        let order = self.order(epoch);
        let n_batches = n.div_ceil(training.batching.size(n));
        let (mut loss, mut accuracy, mut n_seen) = (0.0, 0.0, 0);
        let mut last_report = Instant::now();
        for (batch, indices) in self.announced(&order, epoch).enumerate() {
            state.n_steps += 1;
            let learning_rate = state.learning_rate(training, batch as f64 / n_batches as f64);
            let update = UpdateStep { learning_rate, number: state.n_steps };
            let step_key = key(key(training.seed, rng_streams::LAYERS), state.n_steps);
            let run = |phase, n_tasks| pool.run(Job::Step(phase), n_tasks);
            let (score, penalty) = self.engine.step(&run, indices, epoch, step_key, update);
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
            if last_report.elapsed() >= PROGRESS_INTERVAL {
                last_report = Instant::now();
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

fn zero_slots(model: &Sequential, training: &Training) -> Vec<[Vec<f32>; 2]> {
    let n_slots = training.optimizer.n_slots();
    let of_layer =
        |built: &BuiltLayer| [0, 1].map(|slot| vec![0.0; if slot < n_slots { built.n_weights() } else { 0 }]);
    model.layers.iter().map(of_layer).collect()
}
