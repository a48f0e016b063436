//! The thread pool of parallel work, one for each process: threads do not survive a `fork`, so a child has its own.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::Failure;

static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Runs `work` in the pool of this process; parallel iterators in it use that pool.
///
/// # Errors
/// If threads cannot be started.
pub fn install<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    Ok(of_process(std::process::id())?.install(work))
}

fn of_process(id: u32) -> Result<Arc<ThreadPool>, Failure> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, threads)) = &*pool
        && *owner == id
    {
        return Ok(Arc::clone(threads));
    }
    let threads = ThreadPoolBuilder::new().build();
    let threads = Arc::new(threads.map_err(|error| Failure::internal(&error.to_string()))?);
    // Dropping the pool of the parent process would wait for threads that this process does not have.
    std::mem::forget(pool.replace((id, Arc::clone(&threads))));
    Ok(threads)
}
