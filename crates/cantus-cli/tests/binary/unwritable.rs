//! A read-only disk, and folders without permission: one line names the path, and nothing is changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::run::{Ran, cantus_in, command};
use crate::small_disk::{SmallDisk, files_of};

/// Commands that write to the current folder, and what their messages name; `@` is the folder of what they read.
const WRITING: [(&str, &str); 19] = [
    ("extract @/music -o features", "features"),
    ("extract @/f -o data.json", "data.json"),
    ("store merge @/f -o merged", "merged"),
    ("store filter @/f -o some --label jazz,pop", "some"),
    ("store export @/f -o f.npz --format npz", "f.npz"),
    ("store export @/f -o f.arrow --format arrow", "f.arrow"),
    ("store export @/f -o tar --format webdataset", "tar"),
    ("train @/f -m mlp-normalised -o new --epochs 1", "new"),
    ("train @/f -m mlp-normalised -o new --epochs 1 --folds 2", "new"),
    ("export @/run -o m.onnx", "m.onnx"),
    ("export @/run -o m.onnx --embedding", "m."),
    ("plot history @/run -o h.png", "h.png"),
    ("map @/f -o map.html", "map.html"),
    ("inspect @/music --exclusions bad.csv", "bad.csv"),
    ("features @/music/pop/pop.00000.wav -k stft -o s.npy", "s.npy"),
    ("predict @/run @/music/pop/pop.00000.wav --timeline t.csv", "t.csv"),
    ("predict @/run @/music/pop/pop.00000.wav --write-tags", "cantus-undo.jsonl"),
    ("compose songs --tracks 1 --duration 1", "songs"),
    ("fetch gtzan lists --lists-only", "lists"),
];

/// Music, features and a run in a folder.
fn prepare(dir: &Path) {
    cantus_in(dir, "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir, "extract @/music -o @/f").ok();
    cantus_in(dir, "train @/f -m mlp-normalised -o @/run --epochs 1").ok();
}

/// Runs a line in a folder, without messages other than errors; `@` is `dir`.
fn run(mut program: Command, dir: &Path, current: &Path, line: &str) -> Ran {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    program.args(words).arg("-q").current_dir(current).output().unwrap().into()
}

#[test]
fn a_read_only_disk_is_read_and_not_written_to() {
    let Some(disk) = SmallDisk::mount(64 << 20) else { return };
    let dir = tempfile::tempdir().unwrap();
    prepare(disk.path());
    disk.remount("ro");
    let before = files_of(disk.path());
    for (line, name) in WRITING {
        let ran = run(command(), disk.path(), disk.path(), line).exits(1);
        ran.says(&[name, "Read-only file system"]);
        assert!(!ran.stderr.contains(" at path "), "{line}: {}", ran.stderr);
    }
    // The undo file is on another disk, and no recording is changed.
    let ran = run(command(), disk.path(), dir.path(), "predict @/run @/music/pop --write-tags");
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("Read-only file system").count(), 3, "{}", ran.stderr);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "an undo file without changes");
    for line in [
        "inspect @/music",
        "extract @/music -o f",
        "store verify @/f",
        "train @/f -m mlp-normalised -o run --epochs 1",
        "evaluate @/run",
        "predict @/run @/music/pop",
        "search @/f @/music/pop/pop.00000.wav",
    ] {
        run(command(), disk.path(), dir.path(), line).ok();
    }
    assert!(files_of(disk.path()) == before);
}

/// The binary as a user without special permissions, if there is one that can start it.
fn unprivileged(dir: &Path) -> Option<impl Fn() -> Command> {
    let is_refused = |program: &mut Command| {
        let output = program.arg("-c").arg("cat \"$0\"").arg(dir.join("locked/secret")).output();
        output.is_ok_and(|output| output.status.code() == Some(1))
    };
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let is_root = !is_refused(&mut Command::new("sh"));
    if is_root {
        if !is_refused(Command::new("setpriv").args(user).arg("sh")) {
            println!("skipped: no other user can be taken by setpriv");
            return None;
        }
        let mut probe = Command::new("setpriv");
        if !probe.args(user).arg(command().get_program()).arg("--version").output().unwrap().status.success()
        {
            println!("skipped: another user cannot run the binary, whose folder is closed");
            return None;
        }
    }
    Some(move || {
        let plain = command();
        if !is_root {
            return plain;
        }
        let mut other = Command::new("setpriv");
        other.args(user).arg(plain.get_program()).env("CANTUS_EMBEDDINGS", "/nonexistent");
        other
    })
}

#[test]
fn a_folder_or_file_without_permission_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    prepare(dir.path());
    mode("", 0o755);
    fs::create_dir(dir.path().join("locked")).unwrap();
    fs::write(dir.path().join("locked/secret"), "").unwrap();
    mode("locked/secret", 0o000);
    let Some(program) = unprivileged(dir.path()) else { return };
    mode("locked", 0o555);
    let before = files_of(&dir.path().join("music"));
    let locked = dir.path().join("locked");
    for (line, name) in WRITING {
        let ran = run(program(), dir.path(), &locked, line).exits(1);
        ran.says(&[name, "Permission denied"]);
        assert!(!ran.stderr.contains(" at path "), "{line}: {}", ran.stderr);
    }
    assert_eq!(fs::read_dir(&locked).unwrap().count(), 1);

    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), Permissions::from_mode(0o777)).unwrap();
    let refused = |line: &str, code: i32, name: &str| {
        let ran = run(program(), dir.path(), open.path(), line).exits(code);
        let line = ran.stderr.lines().find(|line| line.contains(name)).unwrap_or_default();
        assert!(line.contains("ermission"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    };
    mode("music/pop", 0o555);
    refused("predict @/run @/music/pop --write-tags", 3, "pop.00000.wav");
    assert_eq!(fs::read_dir(open.path()).unwrap().count(), 0, "an undo file without changes");
    assert!(files_of(&dir.path().join("music")) == before);
    mode("music/pop/pop.00000.wav", 0o000);
    refused("predict @/run @/music/pop", 3, "pop.00000.wav");
    refused("extract @/music -o f", 3, "pop.00000.wav");
    mode("music/jazz", 0o000);
    refused("extract @/music -o g", 3, "lost: jazz");
    refused("inspect @/music", 3, "music/jazz");
    for (path, line) in [
        ("f/part-00000.arrow", "store verify @/f"),
        ("f/store.toml", "train @/f -m mlp-normalised -o run"),
        ("run/model.safetensors", "predict @/run @/music/rock"),
        ("run/model.safetensors", "export @/run -o m.onnx"),
        ("run/report.json", "compare @/run @/run"),
    ] {
        mode(path, 0o000);
        refused(line, 1, path);
    }
    // Folders are removed with what is in them.
    mode("locked", 0o755);
    mode("music/jazz", 0o755);
    mode("music/pop", 0o755);
}
