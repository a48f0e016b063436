//! What is wrong with a TOML text, in one line.

/// The line and the reason; `toml`'s own message draws a picture over several lines.
pub fn toml_problem(text: &str, error: &toml::de::Error) -> String {
    let reason = error.message().lines().collect::<Vec<_>>().join(" ");
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
    fn the_line_is_named() {
        let text = "a = 1\nb = [\n";
        let error = toml::from_str::<toml::Table>(text).unwrap_err();
        let problem = toml_problem(text, &error);
        assert!(problem.starts_with("line 2: ") || problem.starts_with("line 3: "), "{problem}");
        assert_eq!(problem.lines().count(), 1);
    }
}
