//! `--jobs N` bounds the number of threads of a command, including those of the engine, and does not change a byte of its results.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::cantus_in;

/// Threads that do not compute: the main thread, the handler of Ctrl-C, the progress bar.
const OTHERS: usize = 3;

/// The largest number of threads of a command while it runs, and its standard output.
fn most_threads(dir: &Path, line: &str) -> (usize, Vec<u8>) {
    let dir = dir.to_str().unwrap();
    let words = line.split_whitespace().map(|word| word.replace('@', dir));
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    let mut child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(fs::read_dir(&tasks).map_or(0, Iterator::count));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{line}");
    (most, output.stdout)
}

#[test]
fn no_command_has_more_threads_than_jobs_and_any_number_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    // 66 segments in one recording: three blocks of the engine.
    cantus_in(dir.path(), "compose @/long --tracks 1 --duration 200").ok();
    let mut results = Vec::new();
    for jobs in [1, 2, 3, 8] {
        // The pool for files; and those that help the main thread in the engine, while the pool waits: those of an epoch
        // may still be ending when those of its validation begin. With one job there are none. Were a budget not handed
        // down, each of the pool's threads would start as many as there are processors.
        let limit = OTHERS + jobs + 2 * (jobs - 1);
        let mut outputs = Vec::new();
        for line in [
            "train @/features -m cnn -o @/run --epochs 2 --overwrite --quiet",
            "evaluate @/run --json",
            "extract @/music -o @/again --overwrite --quiet",
            // One recording, in which the engine divides the segments, and as many as there are threads.
            "predict @/run @/long/jazz --json",
            "predict @/run @/music --json",
        ] {
            let line = format!("{line} --jobs {jobs}");
            let (most, output) = most_threads(dir.path(), &line);
            // Those of the pool for files are there from the start to the end, beside the main thread.
            assert!((1 + jobs..=limit).contains(&most), "{line}: {most} threads");
            outputs.push((line.replace(&format!("--jobs {jobs}"), ""), output));
        }
        for file in ["run/model.safetensors", "run/history.csv", "again/part-00000.arrow"] {
            outputs.push((file.to_owned(), fs::read(dir.path().join(file)).unwrap()));
        }
        results.push(outputs);
    }
    for other in &results[1..] {
        for ((what, alone), (_, bytes)) in results[0].iter().zip(other) {
            assert!(bytes == alone, "{what} depends on the number of threads");
        }
    }
}
