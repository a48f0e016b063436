//! Models, recipes and stores whose numbers were replaced by hostile ones: an error or a result, in bounded memory; never a panic.
//!
//! Every number of a valid file is replaced by each of the [`HOSTILE`] values, and every other value by some of them. Checksums are
//! recomputed, so that the numbers reach the code behind them.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::{Value, json};

use crate::model_file::ModelFile;
use crate::run::{cantus_in, command};

/// Address space of a command, in KiB: 6 GiB. An allocation by an unchecked number is larger, or fails.
const MEMORY_KIB: u64 = 6 << 20;
/// A training of many epochs is valid; it is ended here.
const PATIENCE: Duration = Duration::from_secs(6);

/// As JSON and as TOML; JSON has no NaN.
const HOSTILE: [(&str, &str); 11] = [
    ("0", "0"),
    ("-1", "-1"),
    ("1000000", "1000000"),
    ("1000000000", "1000000000"),
    ("9223372036854775807", "9223372036854775807"),
    ("9223372036854775808", "9.3e18"),
    ("1e300", "nan"),
    ("\"text\"", "\"text\""),
    ("null", "inf"),
    ("[]", "[]"),
    ("{}", "{}"),
];
/// Of these, the ones that replace a value that is not a number.
const FOR_OTHERS: [usize; 4] = [3, 8, 9, 10];

/// JSON pointers of all values below the root, and whether each is a number.
fn pointers(value: &Value, at: &str, found: &mut Vec<(String, bool)>) {
    let mut visit = |key: &str, child: &Value| {
        let path = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push((path.clone(), child.is_number()));
        pointers(child, &path, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, child)| visit(key, child)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, child)| visit(&i.to_string(), child)),
        _ => {}
    }
}

/// The indices of the hostile values for each value of a document.
fn mutations(document: &Value) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    pointers(document, "", &mut found);
    let of = |(path, is_number): (String, bool)| {
        let values = if is_number { (0..HOSTILE.len()).collect() } else { FOR_OTHERS.to_vec() };
        values.into_iter().map(move |value| (path.clone(), value))
    };
    found.into_iter().flat_map(of).collect()
}

/// Ends a command that takes longer than [`PATIENCE`]; `None` then.
fn exit_code(mut child: Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command with bounded memory and returns what is wrong with how it ended.
fn problem(dir: &Path, line: &str) -> Option<String> {
    let dir = dir.to_str().unwrap();
    let words = line.split_whitespace().map(|word| word.replace('@', dir));
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")]);
    limited.arg(command().get_program()).args(words).env("CANTUS_EMBEDDINGS", "/nonexistent");
    let child = limited.stdout(Stdio::null()).stderr(log.reopen().unwrap()).spawn().unwrap();
    let code = exit_code(child);
    let said = fs::read_to_string(log.path()).unwrap_or_default();
    let errors = said.lines().filter(|line| line.contains("error:")).count();
    match code {
        _ if said.contains("panicked") => Some(said),
        None | Some(0 | 3) => None,
        Some(1 | 2) if errors == 1 => None,
        code => Some(format!("{code:?}: {said}")),
    }
}

/// Fails with all problems, if there are any.
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// A recording folder, a store of it and a run, all small.
fn trained(recipe: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("r.toml"), recipe).unwrap();
    cantus_in(dir.path(), "compose @/all --tracks 4 --duration 3").ok();
    fs::create_dir(dir.path().join("music")).unwrap();
    for label in ["jazz", "rock"] {
        fs::rename(dir.path().join("all").join(label), dir.path().join("music").join(label)).unwrap();
    }
    let first = fs::read_dir(dir.path().join("music/jazz")).unwrap().next().unwrap().unwrap().path();
    fs::copy(first, dir.path().join("song.wav")).unwrap();
    cantus_in(dir.path(), "extract @/music --model @/r.toml -o @/store").ok();
    cantus_in(dir.path(), "train @/store -m @/r.toml -o @/run").ok();
    dir
}

/// Every kind of setting that has a number: features, crops, masks, schedule, optimizer, and a layer of most kinds.
const RECIPE: &str = r#"
crop_frames = 40
n_crops = 2
normalize = true
class_weight = "balanced"

[features]
kinds = ["mfcc", "chroma_stft"]
sample_rate = 8000
n_fft = 512
hop_length = 256
win_length = 400
n_mels = 20
n_mfcc = 6
f_min = 10.0
f_max = 4000.0
top_db = 80.0
segments = { duration_s = 1.5, hop_s = 1.5, max_segments = 2 }

[augmentation]
seed = 7
spec_augment = { n_time_masks = 1, time_width = 2, n_frequency_masks = 1, frequency_width = 2 }
mixup = { alpha = 0.2 }

[training]
epochs = 1
batching = { mini = 8 }
optimizer = { type = "AdamW", learning_rate = 1e-3, weight_decay = 0.01, beta_1 = 0.9, beta_2 = 0.99 }
schedule = { type = "cosine", warm_up_epochs = 1.0 }
early_stopping = { patience = 3, min_delta = 0.1 }
clipping = { global_norm = 1.0 }
averaging = { type = "swa", from_epoch = 1 }
seed = 3
n_threads = 1

[[layers]]
type = "Reshape"
target_shape = [40, 18, 1]
[[layers]]
type = "Conv2D"
filters = 2
kernel_size = [3, 3]
strides = [1, 2]
padding = "same"
activation = "relu"
[[layers]]
type = "MaxPool2D"
pool_size = [2, 2]
strides = [2, 2]
[[layers]]
type = "BatchNormalization"
momentum = 0.9
epsilon = 0.001
[[layers]]
type = "Dropout"
rate = 0.1
[[layers]]
type = "Reshape"
target_shape = [20, 8]
[[layers]]
type = "MultiTimescaleLSTM"
units = 2
time_scales = [2.0, 4.0]
return_sequences = true
[[layers]]
type = "StatisticsPooling1D"
scales = [1, 2]
[[layers]]
type = "Flatten"
[[layers]]
type = "RandomFourierFeatures"
units = 8
scale = 1.0
groups = [8, { inputs = 8, kernel = "gaussian", weight = 0.5 }]
[[layers]]
type = "Dense"
units = 4
kernel_regularizer = { l2 = 0.001 }
"#;

/// An ensemble, with the recipes of its members as a run records them.
const ENSEMBLE: &str = r#"
[features]
kinds = ["log_mel", "mfcc"]
sample_rate = 8000
n_fft = 512
hop_length = 256
n_mels = 8
n_mfcc = 4
segments = { duration_s = 1.5, hop_s = 1.5, max_segments = 2 }

[[members]]
name = "convolutional"
[members.recipe]
crop_frames = 40
n_crops = 2
[members.recipe.features]
kinds = ["log_mel"]
[members.recipe.training]
epochs = 1
[[members.recipe.layers]]
type = "Conv2D"
filters = 2
kernel_size = [3, 3]
[[members.recipe.layers]]
type = "GlobalAveragePooling2D"

[[members]]
name = "of statistics"
[members.recipe.features]
kinds = ["mfcc"]
[members.recipe.training]
epochs = 1
[[members.recipe.layers]]
type = "StatisticsPooling1D"
[[members.recipe.layers]]
type = "Flatten"
"#;

#[test]
fn a_model_with_hostile_metadata_is_refused_or_predicts() {
    assert_none(&problems_of_models(RECIPE, ""));
}

#[test]
fn an_ensemble_with_a_hostile_architecture_is_refused_or_predicts() {
    assert_none(&problems_of_models(ENSEMBLE, "/architecture"));
}

/// The problems of predictions by models of a recipe whose values below `root` are replaced.
fn problems_of_models(recipe: &str, root: &str) -> Vec<String> {
    let dir = trained(recipe);
    let model = ModelFile::read(&dir.path().join("run/model.safetensors"));
    assert_eq!(model.checksum(&model.metadata), model.metadata["checksum"].as_str().unwrap());
    let mutated = |(path, value): (String, usize)| {
        let mut metadata = model.metadata.clone();
        *metadata.pointer_mut(&path).unwrap() = serde_json::from_str(HOSTILE[value].0).unwrap();
        if path != "/checksum" {
            metadata["checksum"] = model.checksum(&metadata).into();
        }
        let file = tempfile::Builder::new().suffix(".safetensors").tempfile_in(dir.path()).unwrap();
        model.write(file.path(), &metadata.to_string());
        let line = format!("predict {} @/song.wav --json --jobs 1", file.path().display());
        problem(dir.path(), &line).map(|problem| format!("{path} = {}: {problem}", HOSTILE[value].0))
    };
    let mut mutations = mutations(&model.metadata);
    mutations.retain(|(path, _)| path.starts_with(root));
    assert!(mutations.len() > 100, "too few values below {root}");
    mutations.into_par_iter().filter_map(mutated).collect()
}

#[test]
fn metadata_that_is_no_object_or_is_nested_deeply_is_refused_by_every_command() {
    let dir = trained(RECIPE);
    let model = ModelFile::read(&dir.path().join("run/model.safetensors"));
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    for metadata in ["[]", "3", "\"text\"", "null", "true", &deep, ""] {
        model.write(&dir.path().join("m.safetensors"), metadata);
        for line in
            ["predict @/m.safetensors @/music", "export @/m.safetensors -o @/m.onnx", "serve @/m.safetensors"]
        {
            cantus_in(dir.path(), line).exits(1).says(&["m.safetensors", "not a Cantus model"]);
        }
    }
}

#[test]
fn a_recipe_with_hostile_numbers_is_refused_or_trains() {
    assert_none(&problems_of_recipes(RECIPE));
}

#[test]
fn an_ensemble_of_hostile_recipes_is_refused_or_trains() {
    assert_none(&problems_of_recipes(ENSEMBLE));
}

/// The problems of trainings by recipes one of whose values is replaced.
fn problems_of_recipes(recipe: &str) -> Vec<String> {
    let dir = trained(recipe);
    let recipe: toml::Value = toml::from_str(recipe).unwrap();
    let mutated = |(path, value): (String, usize)| {
        let hostile: toml::Table = toml::from_str(&format!("value = {}", HOSTILE[value].1)).unwrap();
        let mut recipe = recipe.clone();
        *toml_pointer(&mut recipe, &path) = hostile["value"].clone();
        let folder = tempfile::tempdir_in(dir.path()).unwrap();
        fs::write(folder.path().join("r.toml"), toml::to_string(&recipe).unwrap()).unwrap();
        let folder = folder.path().display();
        let data = if path.starts_with("/features") { "music" } else { "store" };
        let line = format!("train @/{data} -m {folder}/r.toml -o {folder}/run --jobs 1 --quiet");
        problem(dir.path(), &line).map(|problem| format!("{path} = {}: {problem}", HOSTILE[value].1))
    };
    mutations(&serde_json::to_value(&recipe).unwrap()).into_par_iter().filter_map(mutated).collect()
}

/// The value at a JSON pointer.
fn toml_pointer<'a>(root: &'a mut toml::Value, path: &str) -> &'a mut toml::Value {
    path.split('/').skip(1).fold(root, |value, key| match value {
        toml::Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        table => &mut table[key],
    })
}

#[test]
fn a_store_with_a_hostile_header_is_refused_or_read() {
    let dir = trained(RECIPE);
    let store = dir.path().join("store");
    let header: toml::Value = toml::from_str(&fs::read_to_string(store.join("store.toml")).unwrap()).unwrap();
    let mutated = |(path, value): (String, usize)| {
        let hostile: toml::Table = toml::from_str(&format!("value = {}", HOSTILE[value].1)).unwrap();
        let mut header = header.clone();
        *toml_pointer(&mut header, &path) = hostile["value"].clone();
        let folder = tempfile::tempdir_in(dir.path()).unwrap();
        for entry in fs::read_dir(&store).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            fs::hard_link(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        fs::remove_file(folder.path().join("store.toml")).unwrap();
        fs::write(folder.path().join("store.toml"), toml::to_string(&header).unwrap()).unwrap();
        let line = format!("map {0} -o {0}/map.svg --jobs 1", folder.path().display());
        problem(dir.path(), &line).map(|problem| format!("{path} = {}: {problem}", HOSTILE[value].1))
    };
    let mutations = mutations(&serde_json::to_value(&header).unwrap());
    let problems: Vec<String> = mutations.into_par_iter().filter_map(mutated).collect();
    assert_none(&problems);
}

#[test]
fn every_kind_of_value_is_replaced() {
    let document = json!({ "number": 1, "list": [2.0, "a"], "table": { "flag": true } });
    let found = mutations(&document);
    let of = |path: &str| found.iter().filter(|(at, _)| at == path).count();
    assert_eq!(
        [of("/number"), of("/list/0"), of("/list/1")],
        [HOSTILE.len(), HOSTILE.len(), FOR_OTHERS.len()]
    );
    assert_eq!([of("/list"), of("/table"), of("/table/flag")], [FOR_OTHERS.len(); 3]);
}
