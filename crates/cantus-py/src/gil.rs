//! Work without the global interpreter lock: no panic crosses into Python, and Ctrl-C interrupts long work.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use pyo3::prelude::*;

use crate::errors::Failure;
use crate::thread_pool;

/// How often signals are handled while work runs on another thread.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(25);

/// Runs `work` on this thread with the lock released.
///
/// # Errors
/// The failure of `work` as a Python exception; a panic is a `cantus.InternalError`.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Failure> + Send) -> PyResult<T> {
    Ok(py.detach(|| without_panic(work))?)
}

/// Runs `work` on another thread, within a pool of its own, with the lock released, and handles signals meanwhile.
///
/// At a signal whose handler raises (Ctrl-C), `stop` is set, and the exception is raised when `work` has returned.
///
/// # Errors
/// As [`detached`], or the exception of the signal handler.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    stop: &AtomicBool,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<T> {
    py.detach(|| {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            scope.spawn(move || {
                // The receiver waits for exactly one result.
                let _ = sender.send(without_panic(|| thread_pool::install(work)?));
            });
            wait(&receiver, stop)
        })
    })
}

/// The result that arrives at `receiver`; signals are handled until then.
fn wait<T>(receiver: &Receiver<Result<T, Failure>>, stop: &AtomicBool) -> PyResult<T> {
    let mut interruption = None;
    loop {
        match receiver.recv_timeout(SIGNAL_INTERVAL) {
            Ok(result) => return interruption.map_or_else(|| Ok(result?), Err),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::internal("a thread ended without a result").into());
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = check_signals() {
                    stop.store(true, Ordering::SeqCst);
                    interruption = Some(error);
                }
            }
        }
    }
}

/// Runs the Python handlers of signals that have arrived; for work that has released the lock, between its pieces.
///
/// # Errors
/// The exception of a handler, such as `KeyboardInterrupt`.
pub fn check_signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

/// Calls `work` with each piece, the channels of a signal, and handles signals between them.
///
/// # Errors
/// The failure of `work`, or the exception of a signal handler.
pub fn for_each<T>(
    pieces: impl Iterator<Item = T>,
    mut work: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for (index, piece) in pieces.enumerate() {
        if index > 0 {
            check_signals()?;
        }
        work(piece)?;
    }
    Ok(())
}

/// Runs `work`; a panic is an internal error.
fn without_panic<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Failure::internal(text_of(&*panic))))
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic")
}
