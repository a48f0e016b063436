//! Catches panics of third-party parsers, so that a damaged file does not end the process.
//!
//! A panic hook runs before a panic is caught, and the default one prints a source path on standard error. A program whose hook
//! asks [`is_active`] can leave out panics that become errors of one file.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Calls a third-party parser; its result, or the message of its panic.
///
/// What the call has changed must not be used after a panic, as it may be inconsistent.
///
/// # Errors
/// If the call panics.
pub fn catch<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(call));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(|text| &**text);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown").to_owned()
    })
}

/// Whether a panic of this thread would be caught by [`catch`].
#[must_use]
pub fn is_active() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let n = 3;
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch::<()>(|| panic!("index {n}")), Err("index 3".to_owned()));
        assert_eq!(catch::<()>(|| panic!("plain")), Err("plain".to_owned()));
    }

    #[test]
    fn the_guard_is_active_during_the_call_only_even_if_it_panics() {
        assert!(!is_active());
        assert_eq!(
            catch(|| (is_active(), catch::<()>(|| panic!("inner")).is_err(), is_active())),
            Ok((true, true, true))
        );
        assert!(!is_active());
    }
}
