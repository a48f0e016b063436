//! Kills commands by SIGKILL at random moments: the same command again ends with the bytes of a run that was not killed.
//!
//! The ordinary test kills 20 times; `just crash` runs [`many_kills`] 500 times, or `CANTUS_CRASH_KILLS` times. The moments are drawn
//! from a seed, `CANTUS_CRASH_SEED`, uniformly over the time that the command takes, and a bit beyond it. Every third case kills the
//! second attempt as well. `docs/reliability.md` has what was found.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may; clippy exempts only #[test] fns"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cantus_audio::augment::KeyedRng;

/// Kills of the ordinary test, and of the long one unless the environment says otherwise.
const FEW: u64 = 20;
const MANY: u64 = 500;

/// What may differ between equal runs: the time that a training took, locks, and temporary files of a killed process.
fn is_compared(name: &str) -> bool {
    name != "time.json" && name != ".lock" && !name.ends_with(".partial") && !name.ends_with(".jsonl")
}

/// A small network whose training takes a second and has many checkpoints.
const RECIPE: &str = r#"
[training]
epochs = 120
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-4 }
[[layers]]
type = "Flatten"
"#;

/// A command that is killed.
struct Scenario {
    name: &'static str,
    /// What exists before it, beside the shared files; run once for each case.
    before: Option<&'static str>,
    command: &'static str,
    /// The file or folder that it writes or changes.
    output: &'static str,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario { name: "extract", before: None, command: "extract music -o out --jobs 2", output: "out" },
    Scenario { name: "train", before: None, command: "train f -m r.toml -o out --resume", output: "out" },
    Scenario {
        name: "train --folds",
        before: None,
        command: "train f -m r.toml -o out --folds 3 --final --resume",
        output: "out",
    },
    Scenario {
        name: "predict --write-tags",
        before: None,
        command: "predict run songs --write-tags",
        output: "songs",
    },
    Scenario {
        name: "undo-tags",
        before: Some("predict run songs --write-tags --undo-file undo.jsonl"),
        command: "undo-tags undo.jsonl",
        output: "songs",
    },
    Scenario { name: "export", before: None, command: "export run -o m.onnx", output: "m.onnx" },
];

#[test]
fn commands_killed_at_random_moments_end_with_the_same_bytes() {
    kill(FEW);
}

#[test]
#[ignore = "takes an hour; `just crash`"]
fn many_kills() {
    kill(number("CANTUS_CRASH_KILLS", MANY));
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Kills `n_kills` times, in turn in each scenario, and prints how often each was killed before its end.
fn kill(n_kills: u64) {
    let dir = prepared();
    let seed = number("CANTUS_CRASH_SEED", 1);
    let expected: Vec<(Files, Duration)> =
        SCENARIOS.iter().map(|scenario| scenario.whole(dir.path())).collect();
    let mut n_killed = [0; SCENARIOS.len()];
    for case in 0..n_kills {
        let i = case as usize % SCENARIOS.len();
        let (scenario, (files, duration)) = (&SCENARIOS[i], &expected[i]);
        let mut rng = KeyedRng::new([seed, case]);
        scenario.prepare(dir.path());
        let n_attempts = if case % 3 == 2 { 2 } else { 1 };
        for _ in 0..n_attempts {
            n_killed[i] +=
                usize::from(scenario.run_killed(dir.path(), duration.mul_f64(1.05 * rng.uniform())));
        }
        run(dir.path(), scenario.command);
        let found = files_of(&dir.path().join(scenario.output));
        let differing: Vec<&PathBuf> =
            files.keys().chain(found.keys()).filter(|name| files.get(*name) != found.get(*name)).collect();
        assert!(differing.is_empty(), "{}, seed {seed}, case {case}: {differing:?}", scenario.name);
    }
    for (scenario, n_killed) in SCENARIOS.iter().zip(n_killed) {
        println!("{}: killed {n_killed} times before its end", scenario.name);
    }
}

/// Names relative to a folder, and contents.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The recordings, features, recipe and run that the scenarios use.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("r.toml"), RECIPE).unwrap();
    run(dir.path(), "compose music --tracks 8 --duration 3");
    run(dir.path(), "extract music -o f");
    run(dir.path(), "train f -m r.toml -o run --epochs 2");
    dir
}

impl Scenario {
    /// The files and the duration of the command where it is not killed.
    fn whole(&self, dir: &Path) -> (Files, Duration) {
        self.prepare(dir);
        let start = Instant::now();
        run(dir, self.command);
        let files = files_of(&dir.join(self.output));
        assert!(!files.is_empty(), "{}", self.name);
        (files, start.elapsed())
    }

    /// The state before the command.
    fn prepare(&self, dir: &Path) {
        for name in ["out", "songs", "m.onnx", "m.onnx.md", "undo.jsonl"] {
            let path = dir.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
        fs::create_dir(dir.join("songs")).unwrap();
        for entry in fs::read_dir(dir.join("music/pop")).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), dir.join("songs").join(entry.file_name())).unwrap();
        }
        self.before.iter().for_each(|before| run(dir, before));
    }

    /// Runs the command and kills it after `delay`; whether it had not ended before.
    fn run_killed(&self, dir: &Path, delay: Duration) -> bool {
        let mut child = command(dir, self.command).spawn().unwrap();
        std::thread::sleep(delay);
        let has_ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        child.wait().unwrap();
        !has_ended
    }
}

fn command(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    command.args(line.split(' ')).current_dir(dir).env("CANTUS_EMBEDDINGS", "/nonexistent");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs a command to its end.
fn run(dir: &Path, line: &str) {
    let output = command(dir, line).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The compared files of a folder and its subfolders, or a single file.
fn files_of(path: &Path) -> Files {
    let mut files = Files::new();
    if path.is_file() {
        files.insert(PathBuf::new(), fs::read(path).unwrap());
        return files;
    }
    let Ok(entries) = fs::read_dir(path) else { panic!("{} is missing", path.display()) };
    for entry in entries.map(Result::unwrap) {
        let name = entry.file_name();
        if !is_compared(name.to_str().unwrap()) {
            continue;
        }
        let inner = files_of(&entry.path());
        files.extend(inner.into_iter().map(|(below, bytes)| (Path::new(&name).join(below), bytes)));
    }
    files
}
