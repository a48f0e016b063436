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
mod lane;
mod plan;
mod state;
mod step;
mod training;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use cantus_random::key;
pub use training::{Batching, Clipping, EarlyStopping, Training};

use crate::chain::Chain;
use crate::epoch_order::epoch_order;
use crate::error::Error;
use crate::evaluate::scores;
use crate::examples::Examples;
use crate::history::{EpochLog, History, Scores};
use crate::loss::Loss;
use crate::network::Network;
use crate::optimizer::Step;
use crate::purpose;
use crate::team::{Team, all_threads, with_team};
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
        chain.tensors(self.state.average.weights.as_deref().unwrap_or(parameters))
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
        None => (State::default(), fresh_slots(chain, training)),
        Some(bytes) => {
            let origin = checkpoint::Origin::new(architecture, training, train.len());
            let (state, restored, slots) =
                checkpoint::read(bytes, &origin, chain, training.optimizer.n_slots())?;
            *parameters = restored;
            (state, slots)
        }
    };
    let last_activation =
        chain.output_place().checked_sub(1).map(|link| chain.links[link].layer.last_activation());
    let task = Task {
        examples: train,
        loss: training.loss,
        fused: last_activation.is_some_and(|last| training.loss.fuses_with(last)),
        class_weights: &training.class_weights,
    };
    let clip_value = if let Some(Clipping::Value(limit)) = training.clipping { Some(limit) } else { None };
    let rule = Rule { optimizer: training.optimizer, clip_value };
    let batch = training.batching.size(train.len());
    let engine = Engine::new(chain, batch, task, rule, training.clipping, parameters, slots);
    let n_threads = all_threads(training.n_threads);
    with_team(
        n_threads,
        |order, task| engine.work(order, task),
        |team| {
            while state.goes_on(training) {
                let epoch = state.n_epochs;
                let Some(train_scores) =
                    run_epoch(&engine, team, train.len(), training, &mut state, &mut observe)
                else {
                    engine.copy_parameters(parameters);
                    break;
                };
                engine.copy_parameters(parameters);
                if let Some(averaging) = training.averaging {
                    state.average.take_in(averaging, epoch + 1, parameters);
                }
                // Lent while the epoch is booked, and given back.
                let average = state.average.weights.take();
                let judged: &[Vec<f32>] = average.as_deref().unwrap_or(parameters);
                let validation =
                    validation.map(|examples| scores(chain, judged, examples, training.loss, n_threads));
                let learning_rate = f64::from(state.learning_rate(training, 0.0));
                let log = EpochLog { train: train_scores, validation, learning_rate };
                let is_best = state.end_epoch(log, training, judged);
                state.average.weights = average;
                let end = EpochEnd {
                    epoch,
                    log,
                    history: &state.history,
                    is_best,
                    network: (architecture, chain, parameters),
                    training,
                    state: &state,
                    slots: &|| engine.slots(),
                    n_examples: train.len(),
                };
                if observe(Progress::Epoch(end)).is_break() {
                    break;
                }
            }
        },
    );
    if let Some(judged) = state.best_parameters.or(state.average.weights) {
        *parameters = judged;
    }
    Ok(state.history)
}

fn fresh_slots(chain: &Chain, training: &Training) -> Vec<[Vec<f32>; 2]> {
    let n_slots = training.optimizer.n_slots();
    let of_link = |link: &crate::chain::Link| {
        [0, 1].map(|slot| vec![0.0; if slot < n_slots { link.n_weights() } else { 0 }])
    };
    chain.links.iter().map(of_link).collect()
}

/// Learns from every example once; `None` if the observer wants no more.
fn run_epoch(
    engine: &Engine<'_>,
    team: &Team<'_, Order>,
    n: usize,
    training: &Training,
    state: &mut State,
    observe: &mut impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Option<Scores> {
    let epoch = state.n_epochs;
    let order = if training.shuffle { epoch_order(n, training.seed, epoch) } else { (0..n).collect() };
    let batch_size = training.batching.size(n);
    let n_batches = n.div_ceil(batch_size);
    let (mut loss, mut accuracy, mut n_seen) = (0.0, 0.0, 0);
    let mut told = Instant::now();
    for (batch, indices) in order.chunks(batch_size).enumerate() {
        state.n_steps += 1;
        let learning_rate = state.learning_rate(training, batch as f64 / n_batches as f64);
        let step = Step { learning_rate, number: state.n_steps };
        let (score, penalty) =
            engine.step(team, indices, epoch, key(key(training.seed, purpose::LAYERS), state.n_steps), step);
        loss += score.loss + penalty * indices.len() as f64;
        accuracy += score.accuracy;
        n_seen += indices.len();
        let seen = n_seen as f64;
        let scores =
            Scores { loss: loss / seen, accuracy: training.loss.has_accuracy().then_some(accuracy / seen) };
        if batch + 1 == n_batches {
            return Some(scores);
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            observe(Progress::Batch { epoch, batch: batch + 1, n_batches, scores })
                .is_continue()
                .then_some(())?;
        }
    }
    None
}
