//! The commands that are stopped, what exists before them, and the files that they end with.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The binary that is stopped.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cantus");

/// What may differ between equal runs: the time that a training took, locks, temporary files of a killed process, and undo files,
/// whose lines are one for each attempt.
fn is_compared(name: &str) -> bool {
    !["time.json", ".lock", ".writing"].contains(&name)
        && !name.ends_with(".partial")
        && !name.ends_with(".jsonl")
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

/// A command that is stopped.
pub struct Scenario {
    pub name: &'static str,
    /// What is run before it in its folder.
    pub before: &'static [&'static str],
    pub command: &'static str,
    /// The file or folder that it writes or changes.
    pub output: &'static str,
}

/// `..` is the folder with the files of [`prepared`].
pub const SCENARIOS: [Scenario; 11] = [
    Scenario { name: "extract", before: &[], command: "extract ../music -o out --jobs 2", output: "out" },
    Scenario {
        name: "train",
        before: &[],
        command: "train ../f -m ../r.toml -o out --resume",
        output: "out",
    },
    Scenario {
        name: "train --folds",
        before: &[],
        command: "train ../f -m ../r.toml -o out --folds 3 --final --resume",
        output: "out",
    },
    Scenario {
        name: "predict --write-tags",
        before: &[],
        command: "predict ../run songs --write-tags",
        output: "songs",
    },
    Scenario {
        name: "undo-tags",
        before: &["predict ../run songs --write-tags --undo-file undo.jsonl"],
        command: "undo-tags undo.jsonl",
        output: "songs",
    },
    Scenario { name: "export", before: &[], command: "export ../run -o m.onnx", output: "m.onnx" },
    Scenario { name: "fetch", before: &[], command: "fetch gtzan out --archive ../gtzan.zip", output: "out" },
    Scenario {
        name: "store merge",
        before: &[],
        command: "store merge ../shard-1 ../shard-2 -o out",
        output: "out",
    },
    Scenario {
        name: "store add",
        before: &["extract ../few -o store"],
        command: "store add store ../music",
        output: "store",
    },
    Scenario {
        name: "store filter",
        before: &[],
        command: "store filter ../f -o out --label jazz,rock",
        output: "out",
    },
    Scenario {
        name: "store export",
        before: &[],
        command: "store export ../f -o out.npz --format npz",
        output: "out.npz",
    },
];

/// A folder with the recordings, features, shards, recipe and run that the scenarios use.
pub fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("r.toml"), RECIPE).unwrap();
    run(dir.path(), "compose music --tracks 8 --duration 3");
    run(dir.path(), "extract music -o f");
    run(dir.path(), "extract music -o shard-1 --shard 1/2");
    run(dir.path(), "extract music -o shard-2 --shard 2/2");
    run(dir.path(), "train f -m r.toml -o run --epochs 2");
    fs::write(dir.path().join("gtzan.zip"), archive(&dir.path().join("music"))).unwrap();
    for label in ["jazz", "rock"] {
        each_file(&dir.path().join("music").join(label), &dir.path().join("few").join(label), |from, to| {
            fs::hard_link(from, to).unwrap();
        });
    }
    dir
}

impl Scenario {
    /// The state before the command, in a new folder within that of [`prepared`].
    pub fn prepare(&self, shared: &Path) -> tempfile::TempDir {
        let folder = tempfile::tempdir_in(shared).unwrap();
        each_file(&shared.join("music/pop"), &folder.path().join("songs"), |from, to| {
            fs::copy(from, to).unwrap();
        });
        self.before.iter().for_each(|before| run(folder.path(), before));
        folder
    }

    /// The files that it has written.
    pub fn files(&self, folder: &Path) -> Files {
        files_of(&folder.join(self.output))
    }
}

/// An archive as that of GTZAN, with the recordings of two labels.
fn archive(music: &Path) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for label in ["jazz", "rock"] {
        for (name, bytes) in files_of(&music.join(label)) {
            let name = format!("Data/genres_original/{label}/{}", name.display());
            archive.start_file(name, SimpleFileOptions::default()).unwrap();
            archive.write_all(&bytes).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

/// Puts the files of a folder into a new one.
fn each_file(from: &Path, to: &Path, put: impl Fn(&Path, &Path)) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        put(&entry.path(), &to.join(entry.file_name()));
    }
}

/// A command line in a folder.
pub fn command(dir: &Path, line: &str) -> Command {
    configured(Command::new(PROGRAM), dir, line)
}

/// A program that starts the binary, with its command line.
pub fn configured(mut command: Command, dir: &Path, line: &str) -> Command {
    command.args(line.split(' ')).current_dir(dir).env("CANTUS_EMBEDDINGS", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(dir: &Path, line: &str) {
    let error = result(dir, line);
    assert!(error.is_none(), "{line}: {error:?}");
}

/// Runs a command to its end, and returns the message with which it fails.
pub fn result(dir: &Path, line: &str) -> Option<String> {
    let output = command(dir, line).stderr(Stdio::piped()).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs a command again that was stopped, and returns the message with which it fails. One that refuses to write what exists has
/// succeeded if that is complete, as a comparison of the files shows.
pub fn repeated(dir: &Path, line: &str) -> Option<String> {
    let refuses_what_exists =
        |error: &String| error.contains("exists already") || error.contains("name another folder");
    result(dir, line).filter(|error| !refuses_what_exists(error))
}

/// Names relative to a folder, and contents.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The compared files of a folder and its subfolders, or a single file; none if there is nothing.
pub fn files_of(path: &Path) -> Files {
    let mut files = Files::new();
    if let Ok(bytes) = fs::read(path) {
        files.insert(PathBuf::new(), bytes);
        return files;
    }
    for entry in fs::read_dir(path).into_iter().flatten().map(Result::unwrap) {
        let name = entry.file_name();
        if !is_compared(name.to_str().unwrap()) {
            continue;
        }
        let inner = files_of(&entry.path());
        files.extend(
            inner
                .into_iter()
                .map(|(below, bytes)| (Path::new(&name).join(below).components().collect(), bytes)),
        );
    }
    files
}

/// The names of files that are in one of both only, or have other bytes.
pub fn differing<'a>(expected: &'a Files, found: &'a Files) -> Vec<&'a PathBuf> {
    let names = expected.keys().chain(found.keys());
    names.filter(|name| expected.get(*name) != found.get(*name)).collect()
}
