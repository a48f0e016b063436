//! Files are opened for reading by `cantus_audio::regular_file`, which refuses pipes and devices, and by nothing else.

use cantus_checks::Result;
use cantus_checks::workspace::{packages, read_files, root};

/// Calls that open any file.
const CALLS: [&str; 5] = [
    "File::open(",
    "fs::read(",
    "fs::read_to_string(",
    "csv::Reader::from_path(",
    "OpenOptions::new().read(true).open(",
];

/// The module itself, folders that are opened to sync or to lock them, and what reads files that the program has just made.
const ALLOWED: [&str; 4] = [
    "crates/cantus-audio/src/regular_file.rs",
    "crates/cantus-audio/src/atomic_file.rs",
    "crates/cantus-serve/src/testing.rs",
    "crates/cantus/src/report/reference.rs",
];

#[test]
fn files_are_opened_by_the_module_that_refuses_pipes_and_devices() {
    let found = calls().unwrap();
    assert!(found.is_empty(), "use cantus_audio::regular_file in\n{}", found.join("\n"));
}

/// `path:line: text` of each call outside tests.
fn calls() -> Result<Vec<String>> {
    let packages = packages(&root())?;
    let folders: Vec<String> = packages
        .iter()
        .filter(|package| package.folder.starts_with("crates/"))
        .map(|package| format!("{}/src", package.folder))
        .collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let sources = read_files(&root(), &folders, |path| path.ends_with(".rs"))?;
    let mut found = Vec::new();
    for (path, text) in &sources {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if !is_test && !ALLOWED.contains(&path.as_str()) {
            found.extend(direct_calls(text).map(|(line, text)| format!("{path}:{line}: {text}")));
        }
    }
    Ok(found)
}

/// Number and text of the lines before the tests of a file that open a file directly.
fn direct_calls(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test"));
    before_tests.enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        let plain = line
            .replace("regular_file::read", "")
            .replace("PartialFile::open(", "")
            .replace("PartFile::open(", "");
        let is_call = !line.starts_with("//") && CALLS.iter().any(|call| plain.contains(call));
        is_call.then_some((index + 1, line))
    })
}

#[test]
fn direct_calls_are_found_and_others_are_not() {
    let text = "let a = std::fs::read(path)?;\n// fs::read(path)\nlet b = regular_file::read(path)?;\nlet c = \
                PartFile::open(path);\nlet d = File::open(path);\n#[cfg(test)]\nlet e = File::open(path);\n";
    let lines: Vec<usize> = direct_calls(text).map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 5]);
}
