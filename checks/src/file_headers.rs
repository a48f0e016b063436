//! The first line and the length of each Rust file.

use crate::workspace::Sources;

/// Lines that a file may have without standing in the list of exceptions.
pub const MAX_LINES: usize = 400;

/// Files whose first line is not module documentation: `//!` and a text, or a README that is included.
pub fn without_header(sources: &Sources) -> Vec<&str> {
    sources
        .iter()
        .filter(|(_, text)| !begins_with_documentation(text))
        .map(|(path, _)| path.as_str())
        .collect()
}

/// Files of more than [`MAX_LINES`] lines, with how many they have.
pub fn long_files(sources: &Sources) -> Vec<(&str, usize)> {
    let lengths = sources.iter().map(|(path, text)| (path.as_str(), text.lines().count()));
    lengths.filter(|(_, n_lines)| *n_lines > MAX_LINES).collect()
}

fn begins_with_documentation(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let is_readme = first.starts_with("#![doc = include_str!(");
    is_readme || first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Sources {
        Sources::from([("a.rs".to_owned(), text.to_owned())])
    }

    #[test]
    fn a_file_that_begins_with_code_a_comment_or_an_empty_header_is_found() {
        for text in ["use std::fs;\n", "// A comment.\n", "\n//! Late.\n", "//!\n//! Second line.\n", ""] {
            assert_eq!(without_header(&sources(text)), ["a.rs"], "{text:?}");
        }
    }

    #[test]
    fn a_file_that_begins_with_module_documentation_passes() {
        assert!(without_header(&sources("//! Window functions.\n")).is_empty());
        assert!(without_header(&sources("#![doc = include_str!(\"../README.md\")]\n")).is_empty());
    }

    #[test]
    fn only_a_file_over_the_limit_is_long() {
        assert!(long_files(&sources(&"x\n".repeat(MAX_LINES))).is_empty());
        assert_eq!(long_files(&sources(&"x\n".repeat(MAX_LINES + 1))), [("a.rs", MAX_LINES + 1)]);
    }
}
