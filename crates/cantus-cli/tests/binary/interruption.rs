//! A stopped or killed command leaves no partial file, and resumes to the same bytes as without interruption.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::run::cantus_in;

/// Starts `cantus` with the arguments of a line in which `@` stands for `dir`.
fn start(dir: &Path, line: &str) -> Child {
    let dir = dir.to_str().unwrap();
    let words = line.split_whitespace().map(|word| word.replace('@', dir));
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success(), "kill {name}");
}

/// All files of a folder, sorted by name.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (PathBuf::from(path.file_name().unwrap()), fs::read(&path).unwrap());
    paths.into_iter().filter(|path| path.is_file()).map(read).collect()
}

/// Layers so small that an epoch takes milliseconds.
const SMALL_RECIPE: &str = r#"
[training]
epochs = 1500
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-4 }
[[layers]]
type = "Flatten"
"#;

#[test]
fn a_killed_extraction_leaves_no_partial_file_and_resumes_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 14 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/whole").ok();
    let mut child = start(dir.path(), "extract @/music -o @/killed --jobs 1");
    let first_part = dir.path().join("killed/part-00000.arrow");
    while !first_part.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    let whole = files(&dir.path().join("whole"));
    for (name, bytes) in files(&dir.path().join("killed")) {
        let finished = whole.iter().find(|(known, _)| *known == name);
        if name.extension().is_some_and(|extension| extension == "arrow") {
            assert!(
                finished.is_some_and(|(_, known)| *known == bytes),
                "{} is a partial file",
                name.display()
            );
        }
    }
    cantus_in(dir.path(), "train @/killed -o @/run").exits(1).says(&["did not finish", "cantus extract"]);
    cantus_in(dir.path(), "extract @/music -o @/killed").ok();
    assert!(files(&dir.path().join("killed")) == whole, "other bytes than without the kill");
}

#[test]
fn ctrl_c_stops_an_extraction_and_prints_how_to_continue() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 14 --duration 3").ok();
    let child = start(dir.path(), "extract @/music -o @/f --jobs 1");
    while !dir.path().join("f/store.toml").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let remark = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{remark}");
    assert!(remark.contains("run the same command again to continue"), "{remark}");
}

#[test]
fn an_interrupted_prediction_prints_finished_predictions() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("small.toml"), SMALL_RECIPE).unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 20 --duration 3").ok();
    cantus_in(dir.path(), "train @/music -m @/small.toml -o @/run --epochs 1").ok();
    let line = "predict @/run @/music --jobs 1 --timeline @/when/{name}.csv";
    let child = start(dir.path(), line);
    let timelines = dir.path().join("when");
    while fs::read_dir(&timelines).map_or(0, Iterator::count) < 3 {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    let n_predictions = String::from_utf8_lossy(&output.stdout).lines().count();
    assert!((3..200).contains(&n_predictions), "{n_predictions}");
    assert!(said.contains(&format!("stopped after {n_predictions} of 200 recordings")), "{said}");
    assert_eq!(fs::read_dir(&timelines).unwrap().count(), n_predictions);
}

#[test]
fn an_interrupted_training_resumed_equals_one_that_was_not() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("small.toml"), SMALL_RECIPE).unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/whole").ok();

    let mut child = start(dir.path(), "train @/f -m @/small.toml -o @/stopped");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("for training") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it began to train");
    }
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!dir.path().join("stopped/model.safetensors").exists());
    assert!(dir.path().join("stopped/checkpoint").exists());
    cantus_in(dir.path(), "predict @/stopped @/music").exits(1).says(&["stopped", "interrupted", "--resume"]);
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/stopped")
        .exits(1)
        .says(&["--resume continues", "--overwrite"]);

    let other = "train @/f -m @/small.toml -o @/stopped --resume --seed 1 --quiet";
    cantus_in(dir.path(), other).exits(1).says(&["another split", "--overwrite"]);
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/stopped --resume").ok();
    let compare = || {
        for name in ["model.safetensors", "history.json", "report.json"] {
            let bytes = |run: &str| fs::read(dir.path().join(run).join(name)).unwrap();
            assert!(bytes("whole") == bytes("stopped"), "{name} differs");
        }
    };
    compare();
    // As if killed between the model, which is written last, and the removal of the checkpoint.
    fs::write(dir.path().join("stopped/checkpoint"), "left").unwrap();
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/stopped --resume").ok();
    assert!(!dir.path().join("stopped/checkpoint").exists());
    compare();
    // A finished run is not replaced by another training.
    cantus_in(dir.path(), other).exits(1).says(&["another split", "--overwrite"]);
    for options in ["--final", "--folds 2"] {
        let other = format!("train @/f -m @/small.toml -o @/stopped --resume --quiet {options}");
        cantus_in(dir.path(), &other).exits(1).says(&["--overwrite"]);
    }
    compare();
    assert!(!dir.path().join("stopped/checkpoint").exists());
}

#[test]
fn resuming_a_training_that_was_not_started_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    let remark = cantus_in(dir.path(), "train @/music -o @/run --epochs 1 --resume").ok().stderr;
    assert!(remark.contains("no interrupted training"), "{remark}");
}
