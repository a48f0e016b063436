//! A bearer token, compared in a time that does not depend on how much of it is right.
//!
//! RFC 6750 (2012), "Bearer Token Usage".

use std::fmt;

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

/// Least number of characters: shorter ones can be guessed.
const MIN_CHARS: usize = 16;
/// The authentication scheme, compared without regard to case.
const SCHEME: &str = "bearer ";

/// A secret that clients send in `Authorization: Bearer …`. Its text is not in the debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token has at least 16 printable ASCII characters and no line break; make one by `openssl rand -hex 32`"
)]
pub struct TokenError;

impl Token {
    /// A token; spaces and line ends around it, as in a file, are left out.
    ///
    /// # Errors
    /// If it is too short, or has characters that a header cannot have.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.len() >= MIN_CHARS && is_printable { Ok(Self(text.to_owned())) } else { Err(TokenError) }
    }

    /// Whether a request has it.
    pub(super) fn is_sent_by(&self, headers: &HeaderMap) -> bool {
        let value =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some((scheme, sent)) = value.split_at_checked(SCHEME.len()) else { return false };
        scheme.eq_ignore_ascii_case(SCHEME) && sent.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_printable_and_not_in_the_debug_output() {
        assert_eq!(Token::new("0123456789abcdef\n"), Token::new("  0123456789abcdef"));
        for text in ["", "short", "0123456789abcde", "0123456789abcdé7", "01234567\n89abcdef0"] {
            assert_eq!(Token::new(text), Err(TokenError), "{text}");
        }
        assert_eq!(format!("{:?}", Token::new("0123456789abcdef").unwrap()), "Token(…)");
    }
}
