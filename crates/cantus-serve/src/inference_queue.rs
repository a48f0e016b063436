//! The recordings that wait for a prediction, and the worker threads that run predictions on them.
//!
//! As many recordings are processed at once as there are workers. If these are all taken, a further worker processes that of a client
//! which has none being processed, and a prediction that has taken long pauses meanwhile, so that a short request of one client does not
//! wait for long ones of another. There are as many further workers as workers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cantus::{Error, Predictor};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::fair_queue::FairQueue;
use crate::prediction::{PredictionError, PredictionRequest, PredictionResponse};
use crate::problem_details::{Problem, ProblemType};
use crate::slots::Slot;
use crate::upload::Upload;
use crate::{Limits, ServedModel};

/// Time after which a prediction has taken long.
const LONG: Duration = Duration::from_millis(100);

/// Queue with a fixed number of workers, which end when it is dropped.
#[derive(Debug)]
pub(crate) struct InferenceQueue {
    shared: Arc<Common>,
    limits: Limits,
}

/// What the queue and its workers have in common.
#[derive(Debug)]
struct Common {
    state: Mutex<State>,
    /// Wakes a worker.
    for_worker: Condvar,
    /// Wakes a further worker.
    for_further: Condvar,
    /// Wakes a prediction that pauses.
    for_paused: Condvar,
    n_workers: usize,
}

#[derive(Debug)]
struct State {
    queue: FairQueue<QueuedPrediction>,
    n_idle_workers: usize,
    /// Predictions in progress that do not pause.
    n_running: usize,
    is_closed: bool,
}

/// One recording to classify.
#[derive(Debug)]
struct QueuedPrediction {
    model_index: usize,
    upload: Upload,
    with_overview: bool,
    /// Held until the prediction is done or dropped, so that the number of bodies in memory is bounded.
    slot: Slot,
    reply: oneshot::Sender<Result<PredictionResponse, Problem>>,
}

/// Whether a thread processes any recording, or only one of a client that has none being processed.
#[derive(Debug, Clone, Copy)]
enum Worker {
    Any,
    Further,
}

impl InferenceQueue {
    /// Starts the workers.
    pub(crate) fn start(models: &Arc<[ServedModel]>, limits: Limits) -> std::io::Result<Self> {
        let state = State { queue: FairQueue::new(), n_idle_workers: 0, n_running: 0, is_closed: false };
        let shared = Common {
            state: Mutex::new(state),
            for_worker: Condvar::new(),
            for_further: Condvar::new(),
            for_paused: Condvar::new(),
            n_workers: limits.n_workers,
        };
        let queue = Self { shared: Arc::new(shared), limits };
        for worker in
            [Worker::Any, Worker::Further].into_iter().flat_map(|w| (0..limits.n_workers).map(move |_| w))
        {
            let (models, shared) = (Arc::clone(models), Arc::clone(&queue.shared));
            thread::Builder::new().name("inference".to_owned()).spawn(move || {
                // After a panic the request fails with status 500 and the worker restarts with new predictors.
                while catch_unwind(AssertUnwindSafe(|| work(&models, &shared, worker, limits.max_audio_s)))
                    .is_err()
                {}
            })?;
        }
        Ok(queue)
    }

    /// Classifies a recording. Dropping the future cancels the prediction and releases the slot.
    pub(crate) async fn predict(
        &self,
        model_index: usize,
        upload: Upload,
        with_overview: bool,
        slot: Slot,
    ) -> Result<PredictionResponse, Problem> {
        let internal = |detail: &str| Problem::new(ProblemType::Internal, detail);
        let (reply, response) = oneshot::channel();
        let _ticket = self.shared.push(QueuedPrediction { model_index, upload, with_overview, slot, reply });
        match tokio::time::timeout(self.limits.timeout, response).await {
            Ok(response) => response.map_err(|_| internal("the prediction failed unexpectedly"))?,
            Err(_) => {
                let s = self.limits.timeout.as_secs_f64();
                Err(Problem::new(
                    ProblemType::PredictionTimeout,
                    format!("the prediction was not finished after {s} s"),
                ))
            }
        }
    }
}

impl Drop for InferenceQueue {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.for_worker.notify_all();
        self.shared.for_further.notify_all();
    }
}

impl Common {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a recording; when the ticket is dropped, the recording no longer waits.
    fn push(&self, queued: QueuedPrediction) -> Ticket<'_> {
        queued.slot.set_waiting();
        let mut state = self.lock();
        let id = state.queue.push(queued.slot.client(), queued);
        self.wake_one(&state);
        Ticket { shared: self, id }
    }

    /// Wakes a thread that may process a waiting recording; each thread that takes one wakes the next.
    fn wake_one(&self, state: &State) {
        if !state.queue.is_empty() {
            match state.n_idle_workers {
                0 => self.for_further.notify_one(),
                _ => self.for_worker.notify_one(),
            }
        }
    }

    /// Waits for the next recording of a worker; `None` once the queue is dropped.
    fn next(&self, worker: Worker) -> Option<QueuedPrediction> {
        let mut state = self.lock();
        loop {
            let next = match worker {
                Worker::Any => state.queue.pop(),
                Worker::Further if state.n_idle_workers == 0 => state.queue.pop_of_idle_client(),
                Worker::Further => None,
            };
            if next.is_some() {
                state.n_running += 1;
                self.wake_one(&state);
                return next;
            }
            if state.is_closed {
                return None;
            }
            state = match worker {
                Worker::Any => {
                    state.n_idle_workers += 1;
                    let mut state = self.for_worker.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.n_idle_workers -= 1;
                    state
                }
                Worker::Further => self.for_further.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// A recording that waits.
struct Ticket<'a> {
    shared: &'a Common,
    id: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let removed = self.shared.lock().queue.remove(self.id);
        // Without the lock: a recording may be large.
        drop(removed);
    }
}

/// A prediction in progress.
struct InProgress<'a> {
    shared: &'a Common,
    client: Option<Client>,
    start: Instant,
    paused: Cell<Duration>,
}

impl InProgress<'_> {
    /// Pauses a prediction that has taken long while more are processed than there are workers; in all at most for as long as it was
    /// processed, so that it has at least half of a worker.
    fn pause_if_long(&self) {
        let paused = self.paused.get();
        let processed = self.start.elapsed().saturating_sub(paused);
        if processed < LONG {
            return;
        }
        let (pause, limit) = (Instant::now(), processed.saturating_sub(paused));
        let mut state = self.shared.lock();
        while state.n_running > self.shared.n_workers && pause.elapsed() < limit {
            state.n_running -= 1;
            let left = limit.saturating_sub(pause.elapsed());
            let wait = self.shared.for_paused.wait_timeout(state, left);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
            state.n_running += 1;
        }
        self.paused.set(paused + pause.elapsed());
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.queue.finish(self.client);
        state.n_running -= 1;
        self.shared.for_paused.notify_one();
    }
}

/// Worker loop: one prediction after another until the queue is dropped.
fn work(models: &[ServedModel], shared: &Common, worker: Worker, max_audio_s: f64) {
    let mut predictors: Vec<Option<Predictor<'_>>> = models.iter().map(|_| None).collect();
    while let Some(QueuedPrediction { model_index, upload, with_overview, slot, reply }) = shared.next(worker)
    {
        let (start, paused) = (Instant::now(), Cell::new(Duration::ZERO));
        let in_progress = InProgress { shared, client: slot.client(), start, paused };
        slot.set_running();
        if reply.is_closed() {
            continue;
        }
        let is_cancelled = || {
            in_progress.pause_if_long();
            reply.is_closed()
        };
        let request = PredictionRequest { with_overview, max_audio_s, is_cancelled: &is_cancelled };
        let model = &models[model_index];
        let response = predictor(&mut predictors[model_index], model)
            .map_err(PredictionError::from)
            .and_then(|predictor| request.run(upload, model.name(), predictor));
        // The send fails if the client has disconnected meanwhile, which is no error.
        match response {
            Err(PredictionError::Cancelled) => {}
            Ok(response) => drop(reply.send(Ok(response))),
            Err(PredictionError::Failed(problem)) => drop(reply.send(Err(problem))),
        }
    }
}

/// This worker's predictor of a model, created at its first use.
fn predictor<'a, 'model>(
    predictor: &'a mut Option<Predictor<'model>>,
    model: &'model ServedModel,
) -> Result<&'a mut Predictor<'model>, Error> {
    match predictor {
        Some(predictor) => Ok(predictor),
        None => Ok(predictor.insert(model.model().predictor()?)),
    }
}
