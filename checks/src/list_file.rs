//! Lists that are kept beside the tests: one entry a line, `#` begins a comment line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Result;

/// The entries of a list.
pub fn entries(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Compares a list with what the sources say: every entry that is missing (`+`) or that no longer applies (`-`).
///
/// # Errors
/// If they differ: the differences, one a line, sorted.
pub fn compare<'a>(
    listed: impl IntoIterator<Item = &'a str>,
    found: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    let listed: BTreeSet<&str> = listed.into_iter().collect();
    let found: BTreeSet<&str> = found.into_iter().collect();
    let lines: Vec<String> = listed
        .symmetric_difference(&found)
        .map(|entry| format!("{} {entry}", if found.contains(entry) { '+' } else { '-' }))
        .collect();
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

/// Replaces the entries of the list at `path` and keeps the comment lines at its top.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, entries: &[String]) -> Result<()> {
    let before = fs::read_to_string(path).unwrap_or_default();
    let comments = before.lines().take_while(|line| line.starts_with('#'));
    let lines = comments.chain(entries.iter().map(String::as_str));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_not_entries() {
        assert_eq!(entries("# heading\n\n  one \ntwo\n"), ["one", "two"]);
    }

    #[test]
    fn equal_lists_pass_in_any_order() {
        assert_eq!(compare(["a", "b"], ["b", "a"]), Ok(()));
    }

    #[test]
    fn a_new_entry_and_one_that_is_gone_both_fail() {
        assert_eq!(compare(["a", "b"], ["b", "c"]), Err("- a\n+ c".to_owned()));
    }
}
