//! A SHA-256 of every file and document that commands make from composed music.

use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::processor;
use crate::run::{cantus_in, command};

/// A recipe that uses everything by which training draws random numbers.
const AUGMENTED: &str = r#"
crop_frames = 100
n_crops = 3
balanced_sampling = true
class_weight = "balanced"

[augmentation]
copies = 1
audio = [
    { type = "time_stretch", probability = 0.5, range = [0.9, 1.1] },
    { type = "pitch_shift", probability = 0.5, range = [-2, 2] },
    { type = "noise", probability = 0.5, source = "pink", range = [10, 30] },
]
spec_augment = { n_time_masks = 1, time_width = 20, n_frequency_masks = 1, frequency_width = 4 }
mixup = { alpha = 0.2 }

[training]
epochs = 2
averaging = { type = "ema", decay = 0.5 }

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 16
activation = "relu"

[[layers]]
type = "Dropout"
rate = 0.2
"#;

/// Recipes that are trained for an epoch on the course's features, one for each kind of layer.
const RECIPES: [&str; 6] = ["mlp-regularised", "cnn", "rnn", "lstm", "gru", "multi-timescale-lstm"];

/// What is written by programs for programs; the rest is text or pictures for people.
const PINNED: [&str; 8] = ["csv", "json", "toml", "safetensors", "onnx", "arrow", "npy", "txt"];

/// A report to read, and the time that a training took.
const NOT_PINNED: [&str; 2] = ["report.txt", "time.json"];

#[test]
fn equal_commands_write_the_bytes_that_are_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let pinned = std::fs::read_to_string(super::folder().join("artifacts.txt")).unwrap_or_default();
    let writes = std::env::var_os("CANTUS_WRITE_PINS").is_some();
    if !writes && pinned.lines().next() != Some(&processor::kind()) {
        println!("skipped: no artifacts are pinned for {}", processor::kind());
        return;
    }
    super::compare("artifacts.txt", &Artifacts::make(dir.path()).0);
}

/// Lines of a hash and a name.
struct Artifacts(String);

impl Artifacts {
    fn make(dir: &Path) -> Self {
        let mut made = Self(processor::kind() + "\n");
        made.features(dir);
        made.runs(dir);
        made.tagging(dir);
        made.predictions(dir);
        made.folders(dir, &["f", "f-best", "f-copies", "f-tags", "x", "run-*", "course.json"]);
        made
    }

    fn features(&mut self, dir: &Path) {
        cantus_in(dir, "compose @/music --tracks 4 --duration 10.1").ok();
        set_modification_times(&dir.join("music"));
        for genre in ["blues", "classical", "disco", "metal"] {
            let path = format!("music/{genre}/{genre}.00001.wav");
            self.add(&path, &std::fs::read(dir.join(&path)).unwrap());
        }
        std::fs::write(dir.join("augmented.toml"), AUGMENTED).unwrap();
        std::fs::create_dir(dir.join("x")).unwrap();
        cantus_in(dir, "extract @/music -o @/f").ok();
        cantus_in(dir, "extract @/music -o @/f-best -m best").ok();
        cantus_in(dir, "extract @/music -o @/f-copies --augment @/augmented.toml").ok();
        cantus_in(dir, "extract @/f -o @/course.json").ok();
        let kinds = cantus_in(dir, "features --list").ok().stdout;
        let kinds = kinds
            .lines()
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next());
        for kind in kinds {
            cantus_in(dir, &format!("features @/music/jazz/jazz.00000.wav -k {kind} -o @/x/{kind}.npy")).ok();
        }
        for format in ["csv", "json", "arrow"] {
            let line = format!("features @/music/jazz/jazz.00000.wav -k mfcc,rms -o @/x/mfcc-rms.{format}");
            cantus_in(dir, &line).ok();
        }
    }

    fn runs(&mut self, dir: &Path) {
        cantus_in(dir, "train @/f -m mlp-normalised -o @/run-mlp-normalised --epochs 3").ok();
        for recipe in RECIPES {
            cantus_in(dir, &format!("train @/f -m {recipe} -o @/run-{recipe} --epochs 1 --seed 3")).ok();
        }
        cantus_in(dir, "train @/f-best -m best -o @/run-best --epochs 3 --folds 2 --validation 0 --final")
            .ok();
        // A model contains the path of its recipe.
        let words = ["train", "music", "-m", "augmented.toml", "-o", "run-augmented"];
        assert!(command().args(words).current_dir(dir).output().unwrap().status.success());
    }

    /// Tracks of four genres that have none, one or two tags.
    fn tagging(&mut self, dir: &Path) {
        let mut manifest = "path,labels,group\n".to_owned();
        for (genre, tags) in
            [("disco", "dance;drums"), ("jazz", "drums"), ("classical", ""), ("metal", "loud")]
        {
            for i in 0..4 {
                let _ = writeln!(manifest, "{genre}/{genre}.{i:05}.wav,{tags},{genre}-{}", i / 2);
            }
        }
        std::fs::write(dir.join("music/tags.csv"), manifest).unwrap();
        cantus_in(dir, "extract @/music/tags.csv -o @/f-tags").ok();
        cantus_in(dir, "train @/f-tags -m mlp-normalised -o @/run-tags --epochs 3 --validation 0 --test 0.5")
            .ok();
    }

    fn predictions(&mut self, dir: &Path) {
        for line in [
            "inspect @/music/jazz --json",
            "evaluate @/run-cnn --json",
            "evaluate @/run-tags --json",
            "compare @/run-mlp-regularised @/run-cnn --json --common",
            "predict @/run-best @/music/jazz --json",
            "predict @/run-augmented @/music/rock --json --top 3 --min-confidence 0.3",
            "predict @/run-tags @/music/metal --json",
            "predict @/run-lstm @/music/pop --csv",
            "predict @/run-gru @/music/pop/pop.00000.wav --timeline @/x/timeline.txt",
        ] {
            let output = cantus_in(dir, line).ok().stdout.replace(dir.to_str().unwrap(), "@");
            if line.contains("--json") || line.contains("--csv") {
                self.add(&format!("cantus {line}"), output.as_bytes());
            }
        }
        for run in ["best", "cnn", "lstm", "tags"] {
            cantus_in(dir, &format!("export @/run-{run} -o @/x/{run}.onnx")).ok();
        }
        cantus_in(dir, "export @/run-cnn -o @/x/cnn-with-features.onnx --with-features").ok();
    }

    /// Every pinned file in folders; `*` at the end of a name stands for whatever follows.
    fn folders(&mut self, dir: &Path, names: &[&str]) {
        let mut paths = Vec::new();
        files(dir, &mut paths);
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let first = name.split('/').next().unwrap();
            let wanted = |pattern: &&str| match pattern.strip_suffix('*') {
                Some(start) => first.starts_with(start),
                None => first == *pattern,
            };
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
            let is_pinned = PINNED.contains(&extension) && !NOT_PINNED.iter().any(|end| name.ends_with(end));
            if names.iter().any(wanted) && is_pinned {
                self.add(&name, &without_folder(std::fs::read(&path).unwrap(), dir));
            }
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let hash: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(self.0, "{hash} {name}");
    }
}

/// Stores name the time of each recording's last modification.
fn set_modification_times(folder: &Path) {
    let mut paths = Vec::new();
    files(folder, &mut paths);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for path in paths {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
}

/// A text with `@` for the path of the folder that it was made in; other bytes as they are.
fn without_folder(bytes: Vec<u8>, dir: &Path) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => text.replace(dir.to_str().unwrap(), "@").into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}
