//! Several processes that write the same output at the same time: it is complete, and a process that has to give way says so.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::fetch_command::small_gtzan;
use crate::run::{Ran, cantus_in, command};
use crate::small_disk::{Files, assert_no_temporary_file, files_of};

const N_PROCESSES: usize = 3;
const N_ROUNDS: usize = 2;

/// What a process says that does not write.
const GIVES_WAY: [&str; 5] =
    ["is writing", "exists already", "contains the data set already", "not empty", "it holds a finished run"];

/// Starts a line in the folder `out`; `@` is `dir`.
fn start(dir: &Path, line: &str) -> Child {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    let mut started = command();
    started.args(words).current_dir(dir.join("out")).stdout(Stdio::piped()).stderr(Stdio::piped());
    started.spawn().unwrap()
}

/// Runs a line in `n` processes at the same time, in an empty folder; what they print and the files that they leave.
fn together(dir: &Path, line: &str, n: usize) -> (Vec<Ran>, Files) {
    let out = dir.join("out");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir(&out).unwrap();
    let children: Vec<Child> = (0..n).map(|_| start(dir, line)).collect();
    let ran: Vec<Ran> = children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect();
    let mut files = files_of(&out);
    assert_no_temporary_file(&files, line);
    // Durations differ.
    files.retain(|name, _| !name.ends_with("time.json"));
    (ran, files)
}

/// Asserts that processes leave the files of one alone; each has written them, or says in one line why not.
fn check(dir: &Path, line: &str) {
    let (alone, expected) = together(dir, line, 1);
    assert!(alone[0].code == 0 && !expected.is_empty(), "{line}: {}", alone[0].stderr);
    for _ in 0..N_ROUNDS {
        let (ran, files) = together(dir, line, N_PROCESSES);
        assert!(ran.iter().any(|ran| ran.code == 0), "{line}: {ran:?}");
        for ran in &ran {
            match ran.code {
                0 => assert_eq!(ran.stdout, alone[0].stdout, "{line}"),
                code => {
                    assert_eq!(code, 1, "{line}: {}", ran.stderr);
                    assert_eq!(ran.stderr.lines().count(), 1, "{line}: {}", ran.stderr);
                    let gives_way = GIVES_WAY.iter().any(|words| ran.stderr.contains(words));
                    assert!(gives_way, "{line}: {}", ran.stderr);
                }
            }
        }
        let names = expected.keys().chain(files.keys());
        let differing: Vec<_> = names.filter(|name| expected.get(*name) != files.get(*name)).collect();
        assert!(differing.is_empty(), "{line}: {differing:?}");
    }
}

#[test]
fn processes_that_write_the_same_output_leave_it_complete() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    cantus_in(dir.path(), "train @/f -m mlp-normalised -o @/run --epochs 1").ok();
    fs::write(dir.path().join("gtzan.zip"), small_gtzan()).unwrap();
    for line in [
        "extract @/music -o f -q",
        "train @/f -m mlp-normalised -o run --epochs 2 -q",
        "train @/f -m mlp-normalised -o run --epochs 2 -q --folds 2",
        "export @/run -o m.onnx -q",
        "store merge @/f -o merged -q",
        "store filter @/f -o some --label jazz,pop,rock -q",
        "store export @/f -o tar --format webdataset -q",
        "store export @/f -o f.npz --format npz -q",
        "predict @/run @/music/pop --csv --timeline when/{name}.csv",
        "features @/music/pop -k mfcc -o arrays -q",
        "inspect @/music --exclusions bad.csv -q",
        "fetch gtzan lists --lists-only -q",
        "fetch gtzan data --archive @/gtzan.zip -q",
    ] {
        check(dir.path(), line);
    }
}
