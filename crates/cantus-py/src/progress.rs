//! Progress of long work, shown by a Python function; an exception of that function stops the work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

use crate::errors::Failure;
use crate::gil;

/// The shortest time between two recordings that are shown.
const INTERVAL: Duration = Duration::from_millis(100);

/// The function that shows progress, and the flag that stops the work.
pub struct Progress {
    function: Option<Py<PyAny>>,
    stop: Arc<AtomicBool>,
    /// The exception of the function.
    raised: Mutex<Option<PyErr>>,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    /// Progress for `function`; `None` shows nothing.
    pub fn new(function: Option<Py<PyAny>>) -> Self {
        Self { function, stop: Arc::default(), raised: Mutex::default(), last: Mutex::default() }
    }

    /// The flag that work checks between its pieces.
    pub fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Whether the work is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Runs `work` with the lock released, while Ctrl-C and exceptions of the function stop it.
    ///
    /// # Errors
    /// The failure of `work`, or the exception that stopped it.
    pub fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let result = gil::interruptible(py, &self.stop, work);
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.map_or(result, Err)
    }

    /// Shows that `n_done` of `n` recordings are done, unless the last event was a moment ago; the last recording always.
    pub fn show_recording(&self, n_done: usize, n: usize, name: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if n_done == n || last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            *last = Some(Instant::now());
            drop(last);
            self.show((n_done, n, name.to_owned()));
        }
    }

    /// Shows an event.
    pub fn show(&self, arguments: impl for<'py> PyCallArgs<'py>) {
        let Some(function) = &self.function else { return };
        if let Err(error) = Python::attach(|py| function.call1(py, arguments)) {
            self.stop.store(true, Ordering::SeqCst);
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}
