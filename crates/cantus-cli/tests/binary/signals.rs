//! SIGTERM and SIGHUP end every command as Ctrl-C does: with its own code, what is finished kept, and no temporary file.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::run::{cantus_in, command};

/// Name, and exit code by the convention of shells: 128 + number.
const SIGNALS: [(&str, i32); 3] = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];

fn start(dir: &Path, line: &str) -> Child {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    command().args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The signals that a process catches (`SigCgt`) or ignores (`SigIgn`), as a mask (`man 5 proc`).
fn signal_mask(process: &str, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

/// Whether this process does not ignore the signal: under `nohup`, or in the background of a shell, its children would ignore it, too.
fn reaches_children(signal: &str) -> bool {
    let number = match signal {
        "-HUP" => 1,
        "-INT" => 2,
        _ => 15,
    };
    let ignored = signal_mask("self", "SigIgn") & (1 << (number - 1)) != 0;
    if ignored {
        println!("skipped: {signal} is ignored by this process and its children");
    }
    !ignored
}

/// Waits until the process has a handler of SIGTERM, so that no signal comes before it.
fn wait_for_handler(child: &Child) {
    for _ in 0..10_000 {
        if signal_mask(&child.id().to_string(), "SigCgt") & (1 << 14) != 0 {
            return;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    panic!("no handler is installed");
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Names of temporary files in a folder and its subfolders.
fn temporary_files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        if entry.is_dir() {
            found.extend(temporary_files(&entry));
        } else if name.ends_with(".partial") {
            found.push(name);
        }
    }
    found
}

#[test]
fn every_kind_of_command_is_ended_by_each_signal_with_its_code() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 30 --duration 4").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    cantus_in(dir.path(), "train @/f -m mlp-normalised -o @/run --epochs 1").ok();
    for (signal, code) in SIGNALS.into_iter().filter(|(signal, _)| reaches_children(signal)) {
        for line in [
            "compose @/more --tracks 1000 --duration 30 --jobs 1",
            "extract @/music -o @/other --jobs 1",
            "features @/music -k mfcc -o @/arrays --jobs 1",
            "inspect @/music --jobs 1",
            "predict @/run @/music --jobs 1",
            "predict @/run @/music --write-tags --dry-run --jobs 1",
            "search @/f @/music --jobs 1",
            "train @/f -m mlp -o @/stopped --epochs 100000 --overwrite --jobs 1",
            "train @/music -o @/chosen --overwrite --jobs 1",
            "evaluate @/run --jobs 1",
            "lesson 13",
        ] {
            let child = start(dir.path(), line);
            wait_for_handler(&child);
            send(&child, signal);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{line}, {signal}: {said}");
            assert!(!said.contains("panicked"), "{line}, {signal}: {said}");
            assert_eq!(temporary_files(dir.path()), [""; 0], "{line}, {signal}");
        }
        for folder in ["more", "other", "arrays"] {
            let _ = fs::remove_dir_all(dir.path().join(folder));
        }
    }
    cantus_in(dir.path(), "extract @/music -o @/other").ok();
    let parts = |store: &str| fs::read(dir.path().join(store).join("part-00000.arrow")).unwrap();
    assert!(parts("other") == parts("f"), "other bytes than without a signal");
}

#[test]
fn a_server_ends_by_each_signal() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "train @/music -m mlp-normalised -o @/run --epochs 1").ok();
    // A service manager expects success after SIGTERM.
    for (signal, code) in [("-INT", 130), ("-TERM", 0), ("-HUP", 129)] {
        if !reaches_children(signal) {
            continue;
        }
        let child = start(dir.path(), "serve @/run --port 0");
        wait_for_handler(&child);
        send(&child, signal);
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(code), "{signal}");
    }
}

#[test]
fn a_command_under_nohup_goes_on_after_the_terminal_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 10 --duration 3").ok();
    let line = format!("trap '' HUP; exec \"$0\" extract {0}/music -o {0}/f --jobs 1", dir.path().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).arg(command().get_program()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = shell.process_group(0).spawn().unwrap();
    wait_for_handler(&child);
    send(&child, "-HUP");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.path().join("f/store.toml").exists());
}
