//! Locks that ignore poisoning, and the number of threads to use.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks a mutex. A lock is poisoned only by a panic in a pool, and the pools propagate that panic themselves.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for reading; poisoning as in [`lock`].
pub(crate) fn read<T>(shared: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    shared.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for writing; poisoning as in [`lock`].
pub(crate) fn write<T>(shared: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    shared.write().unwrap_or_else(PoisonError::into_inner)
}

/// `n_threads`, or the number of available processors if it is 0.
pub(crate) fn resolve_threads(n_threads: usize) -> usize {
    if n_threads > 0 { n_threads } else { std::thread::available_parallelism().map_or(1, usize::from) }
}
