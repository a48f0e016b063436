//! Files and folders are made and renamed by `cantus_audio::atomic_file`, which syncs them and their names, and by nothing else.

use cantus_checks::direct_calls::Calls;

const MAKING: Calls<'_> = Calls {
    forbidden: &[
        "File::create(",
        "File::create_new(",
        "fs::copy(",
        "fs::create_dir(",
        "fs::create_dir_all(",
        "fs::hard_link(",
        "fs::rename(",
        "fs::write(",
    ],
    others: &["AtomicFile::create("],
    // The module itself; locks, which nobody needs after a power failure; two that sync what they write when it is complete.
    allowed: &[
        "crates/cantus-audio/src/atomic_file.rs",
        "crates/cantus-audio/src/folder_lock.rs",
        "crates/cantus/src/run/run_lock.rs",
        "crates/cantus-dataset/src/store/export/webdataset.rs",
        "crates/cantus-fetch/src/archive.rs",
        "crates/cantus-serve/src/testing.rs",
    ],
};

#[test]
fn files_and_folders_are_made_by_the_module_that_syncs_them() {
    let found = MAKING.in_workspace().unwrap();
    assert!(found.is_empty(), "use cantus_audio::atomic_file in\n{}", found.join("\n"));
}

#[test]
fn calls_that_do_not_sync_are_found() {
    let text = "let a = AtomicFile::create(path)?;\nlet b = fs::File::create(path)?;\nstd::fs::create_dir_all(path)?;\n";
    let lines: Vec<usize> = MAKING.in_text(text).map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 3]);
}
