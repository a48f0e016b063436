//! Recordings, features and folders that are removed, replaced or cut while a command uses them, and files of other times.
//!
//! The command is stopped (SIGSTOP) where it has read a part of a long recording, or has begun to train, and continued after the change.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::long_recordings::write_recording;
use crate::run::{Ran, cantus_in, command};
use crate::small_disk::{assert_no_temporary_file, files_of};

/// An hour, of which all but each tenth minute is silent.
const LONG_S: u32 = 3600;
/// Bytes of the long recording that are read before the command is stopped: more than its header and its tags.
const N_READ: u64 = 4 << 20;

/// A network whose training takes a moment.
const RECIPE: &str = r#"
[training]
epochs = 300
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-4 }
[[layers]]
type = "Flatten"
"#;

/// Two classes; `a/0.wav`, the first recording, is long.
fn music() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (label, period) in [("a", 20), ("b", 90)] {
        fs::create_dir_all(dir.path().join("music").join(label)).unwrap();
        for number in 1..6 {
            write_recording(&dir.path().join(format!("music/{label}/{number}.wav")), 4, period + number);
        }
    }
    write_recording(&dir.path().join("music/a/0.wav"), LONG_S, 33);
    fs::write(dir.path().join("r.toml"), RECIPE).unwrap();
    dir
}

/// A process that does not run until it is continued.
struct Stopped {
    child: Child,
}

impl Stopped {
    /// Starts a line, in which `@` is `dir`, and stops it within the long recording.
    fn within_recording(dir: &Path, line: &str) -> Self {
        let recording = dir.join("music/a/0.wav").canonicalize().unwrap();
        let mut child = start(dir, line);
        while position(&child, &recording).is_none_or(|position| position < N_READ) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was stopped: {line}");
            std::thread::sleep(Duration::from_micros(100));
        }
        send(&child, "-STOP");
        let stopped = Self { child };
        let position = position(&stopped.child, &recording).expect("the recording is still open");
        assert!(position < fs::metadata(recording).unwrap().len() / 2, "it was stopped too late: {line}");
        stopped
    }

    /// Starts a training and stops it when it has begun.
    fn within_training(dir: &Path, line: &str) -> Self {
        let mut child = start(dir, line);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("for training") {
            assert!(
                stderr.read_line(&mut text).unwrap() > 0,
                "it ended before it began to train: {line}: {text}"
            );
        }
        send(&child, "-STOP");
        child.stderr = Some(stderr.into_inner());
        Self { child }
    }

    /// Continues it to its end.
    fn continued(mut self) -> Ran {
        send(&self.child, "-CONT");
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Ran { code: self.child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
    }
}

fn start(dir: &Path, line: &str) -> Child {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    command().args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// How far a process has read a file that it has open (`man 5 proc`).
fn position(child: &Child, path: &Path) -> Option<u64> {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let open = fs::read_dir(process.join("fd")).ok()?.flatten();
    let of_file = open.filter(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path));
    let position = |entry: fs::DirEntry| {
        let info = fs::read_to_string(process.join("fdinfo").join(entry.file_name())).ok()?;
        info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok())
    };
    of_file.filter_map(position).max()
}

/// Removes `a/1.wav`, cuts `a/2.wav` in its header, and replaces `a/3.wav` by a recording of the other class.
fn change(music: &Path) {
    fs::remove_file(music.join("a/1.wav")).unwrap();
    File::options().write(true).open(music.join("a/2.wav")).unwrap().set_len(20).unwrap();
    fs::copy(music.join("b/1.wav"), music.join("new")).unwrap();
    fs::rename(music.join("new"), music.join("a/3.wav")).unwrap();
}

/// Asserts that standard error has one line on each of these files, and none on others.
#[track_caller]
fn assert_named(ran: &Ran, names: &[&str]) {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    for name in names {
        assert_eq!(lines.iter().filter(|line| line.contains(name)).count(), 1, "{name}: {}", ran.stderr);
    }
    assert_eq!(lines.len(), names.len(), "{}", ran.stderr);
}

#[test]
fn recordings_that_are_changed_before_they_are_read_are_reported_one_by_one() {
    let dir = music();
    cantus_in(dir.path(), "train @/music -m logistic-regression --segment 1 -o @/run -q").ok();
    let before = cantus_in(dir.path(), "predict @/run @/music --csv -q").ok().stdout;
    let row = |text: &str, name: &str| {
        let row = text.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        row.split_once(',').unwrap().1.to_owned()
    };
    let stopped = Stopped::within_recording(dir.path(), "predict @/run @/music --csv -q --jobs 1");
    change(&dir.path().join("music"));
    let ran = stopped.continued().exits(3);
    assert_named(&ran, &["a/1.wav", "a/2.wav"]);
    for name in ["a/0.wav", "a/4.wav", "b/1.wav"] {
        assert_eq!(row(&ran.stdout, name), row(&before, name), "{name}");
    }
    assert_eq!(row(&ran.stdout, "a/3.wav"), row(&before, "b/1.wav"), "the replaced recording");
    // The recording itself: removed, it is still open and read to its end; cut, it is predicted to there, with a warning.
    let stopped = Stopped::within_recording(dir.path(), "predict @/run @/music/a/0.wav --csv -q");
    fs::rename(dir.path().join("music/a/0.wav"), dir.path().join("kept.wav")).unwrap();
    assert_eq!(row(&stopped.continued().ok().stdout, "a/0.wav"), row(&before, "a/0.wav"));
    fs::rename(dir.path().join("kept.wav"), dir.path().join("music/a/0.wav")).unwrap();
    let stopped = Stopped::within_recording(dir.path(), "predict @/run @/music/a/0.wav --csv -q");
    let file = File::options().write(true).open(dir.path().join("music/a/0.wav")).unwrap();
    file.set_len(N_READ).unwrap();
    let ran = stopped.continued().ok();
    ran.says(&["a/0.wav"]);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
}

#[test]
fn an_extraction_of_recordings_that_are_changed_meanwhile_is_made_right_by_the_next() {
    let dir = music();
    let extract = "extract @/music --segment 1 -k rms -q --jobs 1 -o";
    let stopped = Stopped::within_recording(dir.path(), &format!("{extract} @/f"));
    change(&dir.path().join("music"));
    assert_named(&stopped.continued().exits(3), &["a/1.wav", "a/2.wav"]);
    // What was cut is whole again.
    write_recording(&dir.path().join("music/a/2.wav"), 4, 21);
    cantus_in(dir.path(), &format!("{extract} @/f")).ok();
    cantus_in(dir.path(), &format!("{extract} @/new")).ok();
    assert!(
        files_of(&dir.path().join("f")) == files_of(&dir.path().join("new")),
        "features of other recordings"
    );
}

#[test]
fn a_folder_that_vanishes_while_it_is_written_to_is_named() {
    let dir = music();
    for (line, name) in [
        ("extract @/music --segment 1 -k rms -q --jobs 1 -o @/out/f", "out/f"),
        ("features @/music/a/0.wav -k rms -q -o @/out/x.npy", "out/x.npy"),
        ("features @/music/a/0.wav -k rms -q -o @/out/x.csv", "out/x.csv"),
        ("inspect @/music -q --jobs 1 --exclusions @/out/bad.csv", "out/bad.csv"),
    ] {
        fs::create_dir(dir.path().join("out")).unwrap();
        let stopped = Stopped::within_recording(dir.path(), line);
        fs::remove_dir_all(dir.path().join("out")).unwrap();
        stopped.continued().exits(1).says(&[name, "No such file or directory"]);
        assert!(!dir.path().join("out").exists(), "{line}");
    }
    fs::remove_file(dir.path().join("music/a/0.wav")).unwrap();
    cantus_in(dir.path(), "extract @/music --segment 1 -k rms -o @/f").ok();
    let train = "train @/f -m @/r.toml -o @/run";
    let stopped = Stopped::within_training(dir.path(), train);
    fs::remove_dir_all(dir.path().join("run")).unwrap();
    let ran = stopped.continued().exits(1);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("error: ") && last.contains("run/"), "{}", ran.stderr);
    assert!(last.contains("No such file or directory"), "{}", ran.stderr);
    assert!(!dir.path().join("run").exists());
    cantus_in(dir.path(), train).ok();
}

#[test]
fn features_that_are_cut_while_a_training_reads_them_are_named() {
    let dir = music();
    fs::remove_file(dir.path().join("music/a/0.wav")).unwrap();
    cantus_in(dir.path(), "extract @/music --segment 1 -k rms -o @/f").ok();
    let train = "train @/f -m @/r.toml --memory 1KiB -o @/run";
    let stopped = Stopped::within_training(dir.path(), train);
    let part = dir.path().join("f/part-00000.arrow");
    let whole = fs::read(&part).unwrap();
    File::options().write(true).open(&part).unwrap().set_len(whole.len() as u64 / 2).unwrap();
    let ran = stopped.continued().exits(1);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("error: ") && last.contains("part-00000.arrow"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(!dir.path().join("run/model.safetensors").exists());
    assert_no_temporary_file(&files_of(dir.path()), train);
    fs::write(part, whole).unwrap();
    cantus_in(dir.path(), &format!("{train} --resume")).ok();
}

#[test]
fn files_from_before_1970_and_from_the_future_are_as_others() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/today").ok();
    let century = Duration::from_secs(3_155_760_000);
    let (past, future) = (SystemTime::UNIX_EPOCH - century, SystemTime::now() + 2 * century);
    for (number, name) in files_of(&dir.path().join("music")).keys().enumerate() {
        let file = File::options().write(true).open(dir.path().join("music").join(name)).unwrap();
        file.set_modified(if number % 2 == 0 { past } else { future }).unwrap();
    }
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    let features = |store: &str| cantus_in(dir.path(), &format!("extract @/{store} -o @/{store}.json")).ok();
    features("today");
    features("f");
    let bytes = |name: &str| fs::read(dir.path().join(name)).unwrap();
    assert!(bytes("today.json") == bytes("f.json"));
    // Nothing counts as changed.
    let part = dir.path().join("f/part-00000.arrow");
    let written = fs::metadata(&part).unwrap().modified().unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    assert_eq!(fs::metadata(&part).unwrap().modified().unwrap(), written);
    let added = cantus_in(dir.path(), "store add @/f @/music").ok();
    assert!(added.stderr.contains("40 were in it") && !added.stderr.contains("changed"), "{}", added.stderr);
    for line in [
        "inspect @/music",
        "train @/f -m mlp-normalised -o @/run --epochs 1",
        "predict @/run @/music/pop --write-tags --undo-file @/undo.jsonl",
        "undo-tags @/undo.jsonl",
    ] {
        cantus_in(dir.path(), line).ok();
    }
    // The files of a run and of a store, too.
    for name in files_of(dir.path()).keys() {
        File::options().write(true).open(dir.path().join(name)).unwrap().set_modified(future).unwrap();
    }
    for line in
        ["store verify @/f", "evaluate @/run", "train @/f -m mlp-normalised -o @/run --resume --epochs 1"]
    {
        cantus_in(dir.path(), line).ok();
    }
}
