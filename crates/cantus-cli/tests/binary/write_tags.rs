//! Two processes that write genre tags into the same recordings at the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::run::{Ran, cantus_in, command};

/// Starts `cantus predict --write-tags` in a folder, with the default name of the undo file.
fn start(dir: &Path) -> Child {
    let mut started = command();
    started.args(["predict", "run", "music", "--write-tags"]).current_dir(dir);
    started.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn recordings(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let listed = fs::read_dir(dir.join("music/pop")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = listed.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn processes_that_write_the_same_tags_do_not_fail_and_both_can_be_undone() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 6 --duration 3").ok();
    cantus_in(dir.path(), "train @/music -m mlp-normalised -o @/run --epochs 1").ok();
    let before = recordings(dir.path());
    let children: Vec<Child> = (0..3).map(|_| start(dir.path())).collect();
    for child in children {
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
        ran.ok();
    }
    let after = recordings(dir.path());
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    for entry in fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "jsonl") {
            cantus_in(dir.path(), &format!("undo-tags {}", entry.display())).ok();
        }
    }
    assert!(recordings(dir.path()) == before, "not as before");
    // An equal command makes equal bytes.
    cantus_in(dir.path(), "predict @/run @/music --write-tags --undo-file @/again.jsonl").ok();
    assert!(recordings(dir.path()) == after, "other bytes");
}
