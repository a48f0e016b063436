//! Standard output that is full, limited or closed: results that are lost are an error, in one line; a closed pipe is none.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::run::{Ran, cantus_in, command};

/// Commands that print results.
const LINES: [&str; 27] = [
    "--help",
    "--version",
    "train --help",
    "completions bash",
    "man",
    "lesson",
    "lesson 3 -o @/lesson",
    "features --list",
    "inspect @/music",
    "inspect @/music --json",
    "inspect @/music/pop/pop.00000.wav",
    "store info @/f",
    "store info @/f --json",
    "train @/f -m mlp-normalised -o @/text --epochs 1 --overwrite",
    "train @/f -m mlp-normalised -o @/quiet --epochs 1 --overwrite -q",
    "train @/f -m mlp-normalised -o @/json --epochs 1 --overwrite --json",
    "evaluate @/run",
    "evaluate @/run --json",
    "compare @/run @/run",
    "compare @/run @/run --json",
    "predict @/run @/music/pop",
    "predict @/run @/music/pop --json",
    "predict @/run @/music/pop --csv",
    "search @/f @/music/pop/pop.00000.wav",
    "search @/f @/music/pop/pop.00000.wav --json",
    "search @/f @/music/pop/pop.00000.wav --csv",
    "embeddings list",
];

/// Music, features, a run and an embedding model.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    cantus_in(dir.path(), "train @/f -m mlp-normalised -o @/run --epochs 1").ok();
    cantus_in(dir.path(), "export @/run -o @/mine.onnx --embedding").ok();
    run_to(dir.path(), "embeddings add @/mine.onnx", Stdio::null()).ok();
    dir
}

/// Runs a line in which `@` is `dir`.
fn run_to(dir: &Path, line: &str, stdout: impl Into<Stdio>) -> Ran {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    let output: Output =
        command().args(words).env("CANTUS_EMBEDDINGS", dir.join("models")).stdout(stdout).output().unwrap();
    output.into()
}

/// The lines of errors on standard error: not those on what a command does.
fn errors(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.contains("error: ")).collect()
}

#[test]
fn results_that_do_not_fit_on_the_disk_are_an_error_of_one_line() {
    let dir = prepared();
    for line in LINES {
        let ran = run_to(dir.path(), line, OpenOptions::new().write(true).open("/dev/full").unwrap());
        assert_eq!(ran.code, 1, "{line}: {}", ran.stderr);
        let expected = "cannot write to standard output: No space left on device";
        assert!(matches!(errors(&ran)[..], [error] if error.contains(expected)), "{line}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{line}: {}", ran.stderr);
    }
    // The training itself is not lost.
    for run in ["quiet", "json"] {
        run_to(dir.path(), &format!("evaluate @/{run}"), Stdio::null()).ok();
    }
}

#[test]
fn a_closed_pipe_ends_a_command_without_a_message() {
    let dir = prepared();
    for line in LINES {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = run_to(dir.path(), line, writer);
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        assert!(errors(&ran).is_empty() && !ran.stderr.contains("panicked"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_signal() {
    let dir = prepared();
    for name in ["m.onnx", "s.npy"] {
        fs::write(dir.path().join(name), "old").unwrap();
    }
    // 8 blocks of 512 or 1024 bytes.
    for (line, name) in [
        ("extract music -o g", "g/"),
        ("train f -m mlp-normalised -o new --epochs 1", "new/"),
        ("export run -o m.onnx", "m.onnx"),
        ("features music/pop/pop.00000.wav -k stft -o s.npy", "s.npy"),
        ("features music/pop/pop.00000.wav -k stft -o s.csv", "s.csv"),
        ("store export f -o f.npz --format npz", "f.npz"),
        ("store export f -o tar --format webdataset", "tar"),
        ("compose songs --tracks 1 --duration 1", "songs"),
        ("completions bash", "standard output"),
    ] {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(command().get_program());
        limited.args(line.split(' ')).arg("-q").current_dir(dir.path());
        let stdout = File::create(dir.path().join("stdout")).unwrap();
        let ran: Ran = limited.stdout(stdout).output().unwrap().into();
        assert_eq!(ran.code, 1, "{line}: {}", ran.stderr);
        ran.says(&[name, "File too large"]);
        let is_temporary = |name: &str| name.contains(".partial");
        for folder in [dir.path().to_owned(), dir.path().join("g"), dir.path().join("new")] {
            let names = fs::read_dir(&folder).into_iter().flatten();
            let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert_eq!(names.find(|name| is_temporary(name)), None, "{line}");
        }
    }
    for name in ["m.onnx", "s.npy"] {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "old");
    }
    for name in ["f.npz", "tar", "s.csv", "new/model.safetensors"] {
        assert!(!dir.path().join(name).exists(), "{name}");
    }
}
