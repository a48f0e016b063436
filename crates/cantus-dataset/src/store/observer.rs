//! Progress and cancellation of operations on stores.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// Receives the progress of an operation on a store, and may cancel it.
#[derive(Clone, Copy)]
pub struct StoreObserver<'a> {
    /// Set it to cancel: the output is then not written.
    pub cancel: &'a AtomicBool,
    /// Receives the number of tracks or parts that are done, and of all.
    pub on_progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl std::fmt::Debug for StoreObserver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreObserver").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl StoreObserver<'_> {
    /// Reports that `n_done` of `n` are done.
    ///
    /// # Errors
    /// If the operation, which writes to `out`, was cancelled.
    pub(crate) fn step(&self, n_done: usize, n: usize, out: &Path) -> Result<(), Error> {
        (self.on_progress)(n_done, n);
        match self.cancel.load(Ordering::Relaxed) {
            true => Err(Error::Stopped { path: out.to_owned() }),
            false => Ok(()),
        }
    }
}
