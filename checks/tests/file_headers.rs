//! Every Rust file under `crates/` begins with a description, and none has more than 400 lines, except listed ones.

use cantus_checks::workspace::{Sources, read_files, root};
use cantus_checks::{Result, file_headers, list_file};

fn sources() -> Result<Sources> {
    read_files(&root(), &["crates"], |path| path.ends_with(".rs"))
}

#[test]
fn every_file_begins_with_module_documentation() {
    let sources = sources().unwrap();
    assert!(!sources.is_empty(), "no Rust file was found under crates/");
    let found = file_headers::without_header(&sources);
    assert!(
        found.is_empty(),
        "these files do not begin with a line `//! What it is.`:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_file_is_too_long_but_for_those_listed() {
    let sources = sources().unwrap();
    let found = file_headers::long_files(&sources);
    let listed = list_file::entries(include_str!("../long-files.txt"));
    if let Err(difference) = list_file::compare(listed, found.iter().map(|(path, _)| *path)) {
        panic!(
            "checks/long-files.txt is not the list of files over {} lines:\n{difference}\n\
             Split a file marked `+`; remove the line of one marked `-` from the list.",
            file_headers::MAX_LINES
        );
    }
}
