//! Threads of parallel work: a pool for each call.
//!
//! Rayon's global pool does not survive a `fork`, whose child would wait for threads that it does not have. A pool that calls
//! share would let long trainings in some threads of Python delay short predictions in others. Starting a pool takes less than
//! a millisecond, and only calls that take longer have one.

use rayon::ThreadPoolBuilder;

use crate::errors::Failure;

/// Runs `work` in a pool with a thread for each processor; parallel iterators in it use that pool.
///
/// # Errors
/// If threads cannot be started.
pub fn install<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let threads = ThreadPoolBuilder::new().build();
    Ok(threads.map_err(|error| Failure::internal(&error.to_string()))?.install(work))
}
