//! The one place where a panic is caught: Symphonia's, on damaged files.
//!
//! Symphonia 0.6.1 panics on some of them (in a debug build, for instance, its CAF reader multiplies two numbers of the
//! header without looking; `tests/decode_hostile.rs` finds it). One such file must not end a job over a million. What
//! panicked is not used again: a reader's file ends there, and a codec is made anew.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::errors::{Error, Result};

/// The reason that a caught panic gives.
pub(super) const PANICKED: &str = "the decoder gave up on malformed data";

/// Calls Symphonia; a panic becomes an error.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // Whatever the panic left half done is thrown away by the caller.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::DecodeError(PANICKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert!(matches!(guarded::<()>(|| panic!("on purpose")), Err(Error::DecodeError(PANICKED))));
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
    }
}
