//! Errors and panics of tract as one line.

use cantus_audio::panic_guard;
use tract_onnx::prelude::TractError;

use crate::error::Error;

/// Maximum length of a line, in characters.
const MAX_CHARS: usize = 280;
/// Maximum length of one cause, in characters.
const MAX_CAUSE_CHARS: usize = 160;

/// The causes of an error in a line, the most specific one last; contexts in the middle are left out if it is too long.
pub(crate) fn one_line(error: &TractError) -> String {
    let mut causes: Vec<String> = error.chain().map(|cause| shorten(&cause.to_string())).collect();
    causes.dedup();
    let chars = |causes: &[String]| causes.iter().map(|cause| cause.chars().count() + 2).sum::<usize>();
    while causes.len() > 2 && chars(&causes) > MAX_CHARS {
        causes.remove(causes.len() / 2);
    }
    if chars(&causes) > MAX_CHARS {
        causes.remove(0);
    }
    causes.join(": ")
}

/// A text in one line, with its end left out if it is long.
fn shorten(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= MAX_CAUSE_CHARS {
        return words;
    }
    let start: String = words.chars().take(MAX_CAUSE_CHARS - 1).collect();
    format!("{start}…")
}

/// Calls tract and converts a panic to an error.
///
/// # Errors
/// That of `call`; [`Error::Plan`] with the message of a panic.
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // What a panic interrupted is not used again.
    panic_guard::catch(call)
        .unwrap_or_else(|text| Err(Error::Plan { reason: format!("tract failed on it: {}", shorten(&text)) }))
}

/// For `map_err`: an error of tract.
pub(crate) fn plan_error(error: TractError) -> Error {
    Error::Plan { reason: one_line(&error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_line_that_ends_with_its_cause() {
        let error = TractError::msg("the\n  cause").context("while planning").context("node \"a\"\n(Conv)");
        assert_eq!(one_line(&error), "node \"a\" (Conv): while planning: the cause");
        let long = (0..20)
            .fold(TractError::msg("the cause"), |error, i| error.context(format!("{i} {}", "é".repeat(200))));
        let line = one_line(&long);
        assert!(
            line.chars().count() <= 300 && line.ends_with(": the cause") && line.starts_with("19 "),
            "{line}"
        );
    }

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(catch_panic(|| Ok(7)).unwrap(), 7);
        let n = 3;
        let error = catch_panic::<()>(|| panic!("index {n}\nout of bounds")).unwrap_err().to_string();
        assert_eq!(error, "the model cannot be run: tract failed on it: index 3 out of bounds");
        let error = catch_panic::<()>(|| panic!("plain")).unwrap_err().to_string();
        assert!(error.ends_with("plain"));
    }
}
