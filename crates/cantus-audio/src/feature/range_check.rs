//! Range checks of parameters, with an error that names the parameter.

use crate::Error;

/// Checks one parameter.
///
/// # Errors
/// [`Error::InvalidSpec`] with `parameter`, `found` and `expected()`, if `holds` is false.
pub(crate) fn require(
    holds: bool,
    parameter: &'static str,
    found: impl ToString,
    expected: impl FnOnce() -> String,
) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::InvalidSpec { parameter, found: found.to_string(), expected: expected() })
    }
}

/// Checks that a parameter is finite and above 0.
///
/// # Errors
/// As [`require`].
pub(crate) fn require_positive(parameter: &'static str, found: f64) -> Result<(), Error> {
    require(found.is_finite() && found > 0.0, parameter, found, || "a positive number".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_parameter_value_and_range() {
        require(true, "n_mels", 10, || "at least 1".into()).unwrap();
        let error = require(false, "n_mels", 0, || "at least 1".into()).unwrap_err();
        assert_eq!(error.to_string(), "feature specification: n_mels = 0: at least 1");
    }

    #[test]
    fn zero_infinity_and_nan_are_not_positive() {
        require_positive("bpm", 1e-9).unwrap();
        for found in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert!(require_positive("bpm", found).is_err(), "{found}");
        }
    }
}
