//! TOML files with one-line error messages.

use serde::de::DeserializeOwned;

/// Plain names of Rust types.
const TYPES: [(&str, &str); 6] = [
    ("usize", "a whole number"),
    ("u64", "a whole number"),
    ("u32", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("a boolean", "true or false"),
];

/// Parses TOML.
///
/// # Errors
/// If the text is malformed or does not fit the type; the message is one line with the line number and the types in plain
/// words.
pub fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| problem(text, &error))
}

/// Line number and reason; `toml`'s own message spans several lines.
fn problem(text: &str, error: &toml::de::Error) -> String {
    let mut reason = error.message().lines().collect::<Vec<_>>().join(" ");
    for (type_name, words) in TYPES {
        if let Some(start) = reason.strip_suffix(&format!("expected {type_name}")) {
            reason = format!("{start}expected {words}");
        }
    }
    match error.span() {
        Some(span) => {
            let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
            format!("line {line}: {reason}")
        }
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_line_number() {
        let text = "a = 1\nb = [\n";
        let problem = parse_toml::<toml::Table>(text).unwrap_err();
        assert!(problem.starts_with("line 2: ") || problem.starts_with("line 3: "), "{problem}");
        assert_eq!(problem.lines().count(), 1);
    }

    #[test]
    fn a_wrong_type_is_named_in_plain_words() {
        #[derive(Debug, serde::Deserialize)]
        struct Layer {
            #[expect(dead_code, reason = "it is never read successfully")]
            units: usize,
        }
        let text = "units = \"512\"";
        let problem = parse_toml::<Layer>(text).unwrap_err();
        assert_eq!(problem, "line 1: invalid type: string \"512\", expected a whole number");
    }
}
