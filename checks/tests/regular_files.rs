//! Files are opened for reading by `cantus_audio::regular_file`, which refuses pipes and devices, and by nothing else.

use cantus_checks::direct_calls::Calls;

const READING: Calls<'_> = Calls {
    forbidden: &[
        "File::open(",
        "fs::read(",
        "fs::read_to_string(",
        "csv::Reader::from_path(",
        "OpenOptions::new().read(true).open(",
    ],
    others: &["regular_file::read", "PartialFile::open(", "PartFile::open("],
    // The module itself, folders that are opened to sync or to lock them, and what reads files that the program has just made.
    allowed: &[
        "crates/cantus-audio/src/regular_file.rs",
        "crates/cantus-audio/src/atomic_file.rs",
        "crates/cantus-serve/src/testing.rs",
        "crates/cantus/src/report/reference.rs",
    ],
};

#[test]
fn files_are_opened_by_the_module_that_refuses_pipes_and_devices() {
    let found = READING.in_workspace().unwrap();
    assert!(found.is_empty(), "use cantus_audio::regular_file in\n{}", found.join("\n"));
}

#[test]
fn direct_calls_are_found_and_others_are_not() {
    let text = "let a = std::fs::read(path)?;\n// fs::read(path)\nlet b = regular_file::read(path)?;\nlet c = \
                PartFile::open(path);\nlet d = File::open(path);\n#[cfg(test)]\nlet e = File::open(path);\n";
    let lines: Vec<usize> = READING.in_text(text).map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 5]);
}
