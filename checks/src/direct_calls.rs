//! Calls of the standard library that a module of the workspace wraps, found in the sources outside tests.

use crate::Result;
use crate::workspace::{packages, read_files, root};

/// Calls to find.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a> {
    /// The start of a call, as it is written.
    pub forbidden: &'a [&'a str],
    /// Other calls that contain the text of a forbidden one.
    pub others: &'a [&'a str],
    /// Files that may have them.
    pub allowed: &'a [&'a str],
}

impl Calls<'_> {
    /// `path:line: text` of each call in the sources of the published crates.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn in_workspace(&self) -> Result<Vec<String>> {
        let packages = packages(&root())?;
        let published = packages.iter().filter(|package| package.folder.starts_with("crates/"));
        let folders: Vec<String> = published.map(|package| format!("{}/src", package.folder)).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        let sources = read_files(&root(), &folders, |path| path.ends_with(".rs"))?;
        let mut found = Vec::new();
        for (path, text) in &sources {
            let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
            if !is_test && !self.allowed.contains(&path.as_str()) {
                found.extend(self.in_text(text).map(|(line, text)| format!("{path}:{line}: {text}")));
            }
        }
        Ok(found)
    }

    /// Number and text of the lines with a call before the tests of a file.
    pub fn in_text<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        let before_tests = text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test"));
        before_tests.enumerate().filter_map(|(index, line)| {
            let line = line.trim();
            let rest = self.others.iter().fold(line.to_owned(), |rest, other| rest.replace(other, ""));
            let is_call = !line.starts_with("//") && self.forbidden.iter().any(|call| rest.contains(call));
            is_call.then_some((index + 1, line))
        })
    }
}
