//! Bounded queue of recordings and the worker threads that run predictions on them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use cantus::{Error, Predictor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::prediction::{PredictionError, PredictionRequest, PredictionResponse};
use crate::problem_details::{Problem, ProblemType};
use crate::upload::Upload;
use crate::{Limits, ServedModel};

/// Queue with a fixed number of slots and workers.
#[derive(Debug)]
pub(crate) struct InferenceQueue {
    slots: Arc<Semaphore>,
    sender: mpsc::Sender<QueuedPrediction>,
    limits: Limits,
}

/// Permit for one request that is queued or processed; dropping it releases the slot.
#[derive(Debug)]
pub(crate) struct QueueSlot(#[expect(dead_code, reason = "held for its Drop")] OwnedSemaphorePermit);

/// One recording to classify.
struct QueuedPrediction {
    model_index: usize,
    upload: Upload,
    with_overview: bool,
    /// Held until the prediction is done or dropped, so that the number of bodies in memory is bounded.
    _slot: QueueSlot,
    reply: oneshot::Sender<Result<PredictionResponse, Problem>>,
}

impl InferenceQueue {
    /// Starts the workers. They end when the queue is dropped.
    pub(crate) fn start(models: &Arc<[ServedModel]>, limits: Limits) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..limits.n_workers {
            let (models, receiver) = (Arc::clone(models), Arc::clone(&receiver));
            thread::Builder::new().name("inference".to_owned()).spawn(move || {
                // After a panic the request fails with status 500 and the worker restarts with new predictors.
                while catch_unwind(AssertUnwindSafe(|| work(&models, &receiver, limits.max_audio_s))).is_err()
                {
                }
            })?;
        }
        let slots = Arc::new(Semaphore::new(limits.n_workers + limits.max_queued));
        Ok(Self { slots, sender, limits })
    }

    /// Reserves a slot without waiting.
    ///
    /// # Errors
    /// [`ProblemType::QueueFull`] if all slots are in use.
    pub(crate) fn try_acquire(&self) -> Result<QueueSlot, Problem> {
        Arc::clone(&self.slots).try_acquire_owned().map(QueueSlot).map_err(|_| {
            let Limits { n_workers, max_queued, .. } = self.limits;
            Problem::new(
                ProblemType::QueueFull,
                format!("{n_workers} recordings are being processed and {max_queued} are queued"),
            )
        })
    }

    /// Waits for a slot.
    pub(crate) async fn acquire(&self) -> Result<QueueSlot, Problem> {
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        permit.map(QueueSlot).map_err(|_| Problem::new(ProblemType::Internal, "the queue has ended"))
    }

    /// Number of slots.
    pub(crate) fn n_slots(&self) -> usize {
        self.limits.n_workers + self.limits.max_queued
    }

    /// Classifies a recording. Dropping the future cancels the prediction and releases the slot.
    pub(crate) async fn predict(
        &self,
        model_index: usize,
        upload: Upload,
        with_overview: bool,
        slot: QueueSlot,
    ) -> Result<PredictionResponse, Problem> {
        let internal = |detail: &str| Problem::new(ProblemType::Internal, detail);
        let (reply, response) = oneshot::channel();
        let queued = QueuedPrediction { model_index, upload, with_overview, _slot: slot, reply };
        self.sender.send(queued).map_err(|_| internal("the worker threads have ended"))?;
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

/// Worker loop: one prediction after another until the queue is dropped.
fn work(models: &[ServedModel], receiver: &Mutex<mpsc::Receiver<QueuedPrediction>>, max_audio_s: f64) {
    let mut predictors: Vec<Option<Predictor<'_>>> = models.iter().map(|_| None).collect();
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(QueuedPrediction { model_index, upload, with_overview, _slot, reply }) = next() {
        let is_cancelled = || reply.is_closed();
        if is_cancelled() {
            continue;
        }
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
