//! An allocator that aborts when the process holds more memory than a target may.
//!
//! libFuzzer's own limit of an allocation needs a sanitizer, and its limit of the process is checked once a second, after pages were
//! touched. This one counts every allocation when it is requested, so that the backtrace is that of the code that requested it.
#![expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; all calls are passed to that of the system"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::process::abort;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are allocated.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// Largest number of bytes that may be allocated.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// The allocator of the system, with a count of the bytes.
struct CountingAllocator;

/// Sets the largest number of bytes that may be allocated at a time.
pub fn set_limit(n_bytes: usize) {
    LIMIT.store(n_bytes, Ordering::Relaxed);
}

/// Counts an allocation.
fn add(n_bytes: usize) {
    let held = HELD.fetch_add(n_bytes, Ordering::Relaxed).saturating_add(n_bytes);
    if held > LIMIT.load(Ordering::Relaxed) {
        report(n_bytes, held);
    }
}

/// Prints the allocation that exceeds the limit, and aborts.
#[cold]
fn report(n_bytes: usize, held: usize) {
    // The report allocates, too; of several threads only the first one reports.
    if LIMIT.swap(usize::MAX, Ordering::Relaxed) == usize::MAX {
        return;
    }
    eprintln!("allocation of {n_bytes} bytes: {held} in all\n{}", Backtrace::force_capture());
    abort();
}

// SAFETY: every call is passed to `System` with its arguments; counting does not touch the memory.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller guarantees.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller guarantees.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        add(n_bytes);
        // SAFETY: as the caller guarantees.
        unsafe { System.realloc(pointer, layout, n_bytes) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller guarantees.
        unsafe { System.dealloc(pointer, layout) }
    }
}
