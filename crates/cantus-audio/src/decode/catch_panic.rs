//! Converts panics of Symphonia on damaged files to errors.
//!
//! Symphonia 0.6.1 panics on some damaged files (in debug builds, for example, its CAF reader overflows when it multiplies
//! two header fields; `tests/decode_hostile.rs` covers it). After a panic the affected object is not used again: a reader is
//! treated as at its end, and a new codec is created.

use symphonia::core::errors::{Error, Result};

use crate::panic_guard;

/// The reason in the error of a caught panic.
pub(super) const PANICKED: &str = "the decoder failed on malformed data";

/// Calls Symphonia and converts a panic to an error.
pub(super) fn catch_panic<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // Callers discard the state that a panic interrupted.
    panic_guard::catch(call).unwrap_or(Err(Error::DecodeError(PANICKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert!(matches!(catch_panic::<()>(|| panic!("on purpose")), Err(Error::DecodeError(PANICKED))));
        assert_eq!(catch_panic(|| Ok(7)).unwrap(), 7);
    }
}
