//! A pipe, a socket or a device in place of a file is refused at once, by its own name and by a link.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::{cantus_in, command};

/// A command that reads a pipe waits forever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a command that must end by itself; its exit code and standard error.
#[track_caller]
fn ended(dir: &Path, line: &str) -> (i32, String) {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut started = command();
    started.args(words).stdout(Stdio::null()).stderr(log.reopen().unwrap());
    let (mut child, start) = (started.spawn().unwrap(), Instant::now());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code().unwrap_or(-1), fs::read_to_string(log.path()).unwrap());
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it waits: {line}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn every_command_refuses_a_pipe_a_socket_and_a_device_in_place_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "train @/music -m mlp-normalised -o @/run --epochs 1").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    // With the extension that each command expects.
    for extension in ["wav", "csv", "json", "toml", "safetensors", "txt", "jsonl"] {
        let path = |kind: &str| dir.path().join(format!("{kind}.{extension}"));
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        symlink(path("pipe"), path("link")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        drop(UnixListener::bind(path("socket")).unwrap());
    }
    for kind in ["pipe", "link", "device", "socket"] {
        for line in [
            format!("predict @/run @/{kind}.wav"),
            format!("predict @/{kind}.safetensors @/music"),
            format!("serve @/{kind}.safetensors --port 0"),
            format!("serve @/run --port 0 --token-file @/{kind}.txt"),
            format!("export @/{kind}.safetensors -o @/m.onnx"),
            format!("inspect @/{kind}.wav"),
            format!("inspect @/{kind}.csv"),
            format!("features @/{kind}.wav -o @/x.npy"),
            format!("extract @/{kind}.csv -o @/x"),
            format!("extract @/{kind}.json -o @/x"),
            format!("extract @/music -o @/x --exclude @/{kind}.csv"),
            format!("extract @/music -o @/x --model @/{kind}.toml"),
            format!("train @/f -m @/{kind}.toml -o @/x"),
            format!("search @/f @/{kind}.wav"),
            format!("undo-tags @/{kind}.jsonl"),
            format!("--config @/{kind}.toml inspect @/music"),
        ] {
            let (code, said) = ended(dir.path(), &line);
            assert!(code == 1 || code == 2, "{line}: {code}: {said}");
            assert!(said.contains("only regular files are read"), "{line}: {said}");
            // Wrong usage is followed by the usage.
            let (said, _) = said.split_once("\n\nUsage").unwrap_or((&said, ""));
            assert_eq!(said.trim_end().lines().count(), 1, "{line}: {said}");
        }
    }
}
