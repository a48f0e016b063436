//! State shared by all request handlers.

use std::ops::Deref;
use std::sync::Arc;

use crate::inference_queue::InferenceQueue;
use crate::metrics::Metrics;
use crate::problem_details::{Problem, ProblemType};
use crate::rate_limit::RateLimit;
use crate::slots::Slots;
use crate::{Access, Error, Limits, ServedModel};

/// Reference-counted state of a server, cloned for each request.
#[derive(Debug, Clone)]
pub(crate) struct AppState(Arc<SharedState>);

#[derive(Debug)]
pub(crate) struct SharedState {
    pub(crate) models: Arc<[ServedModel]>,
    pub(crate) queue: InferenceQueue,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) access: Arc<Access>,
    pub(crate) slots: Slots,
    pub(crate) rate: Arc<RateLimit>,
}

impl Deref for AppState {
    type Target = SharedState;

    fn deref(&self) -> &SharedState {
        &self.0
    }
}

impl AppState {
    /// Validates the models and starts the worker threads.
    pub(crate) fn new(models: Vec<ServedModel>, limits: Limits, access: Access) -> Result<Self, Error> {
        if models.is_empty() {
            return Err(Error::NoModel);
        }
        for (index, model) in models.iter().enumerate() {
            let name = model.name();
            if name.is_empty() || models[..index].iter().any(|other| other.name() == name) {
                return Err(Error::DuplicateName { name: name.to_owned() });
            }
            // Fail here and not at the first request if the features cannot be planned.
            model.model().predictor()?;
        }
        let models: Arc<[ServedModel]> = models.into();
        let queue = InferenceQueue::start(&models, limits).map_err(|source| Error::Threads { source })?;
        let (metrics, access) = (Metrics::new(), Arc::new(access));
        let slots = Slots::new(limits.n_workers + limits.max_queued);
        let rate = Arc::new(RateLimit::new(limits.requests_per_s));
        Ok(Self(Arc::new(SharedState { models, queue, metrics, limits, access, slots, rate })))
    }
}

impl SharedState {
    /// Index of the model of this name; the first if `name` is `None`.
    pub(crate) fn model_index(&self, name: Option<&str>) -> Result<usize, Problem> {
        let Some(name) = name else { return Ok(0) };
        self.models.iter().position(|model| model.name() == name).ok_or_else(|| {
            let known: Vec<&str> = self.models.iter().map(ServedModel::name).collect();
            Problem::new(
                ProblemType::UnknownModel,
                format!("no model is called {name}; there are {}", known.join(", ")),
            )
        })
    }

    pub(crate) fn model(&self, name: &str) -> Result<&ServedModel, Problem> {
        Ok(&self.models[self.model_index(Some(name))?])
    }
}
