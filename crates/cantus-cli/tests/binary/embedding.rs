//! Embeddings: a network of Cantus exported as an embedding model, and what is trained, stored and predicted with it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::run::{Ran, cantus_in, command};

/// `cantus` with a library of embedding models in the folder.
fn with_library(dir: &Path, line: &str) -> Ran {
    let at = dir.to_str().unwrap();
    let words = line.split_whitespace().map(|word| word.replace('@', at));
    command().env("CANTUS_EMBEDDINGS", dir.join("library")).args(words).output().unwrap().into()
}

/// Composed music, and an embedding model `mine.onnx` that was trained on it.
fn prepared() -> &'static Path {
    static DIR: OnceLock<TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        cantus_in(dir.path(), "compose @/music --tracks 4 --duration 6").ok();
        // Features without a transform, whose graph is fast.
        cantus_in(dir.path(), "extract @/music -k rms,zero-crossing-rate --segment 2 -o @/simple").ok();
        cantus_in(dir.path(), "train @/simple -m mlp-normalised -o @/first --epochs 5").ok();
        cantus_in(dir.path(), "export @/first --embedding -o @/mine.onnx").ok();
        dir
    });
    dir.path()
}

/// A folder with the music and the model of [`prepared`].
fn copied() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in ["mine.onnx", "mine.toml"] {
        fs::copy(prepared().join(file), dir.path().join(file)).unwrap();
    }
    std::os::unix::fs::symlink(prepared().join("music"), dir.path().join("music")).unwrap();
    dir
}

#[test]
fn features_store_model_and_report_hold_the_embedding_model() {
    let held = copied();
    let dir = held.path();
    cantus_in(dir, "extract @/music --embedding @/mine.onnx -o @/features").ok();
    let graph = fs::metadata(dir.join("mine.onnx")).unwrap().len();
    // Store and model contain the graph.
    fs::remove_file(dir.join("mine.onnx")).unwrap();
    fs::remove_file(dir.join("mine.toml")).unwrap();
    let report = cantus_in(dir, "train @/features -o @/run --epochs 20 --json").ok().json();
    assert_eq!(report["model"]["recipe"], "embedding");
    let embedding = &report["model"]["embeddings"][0];
    assert_eq!(embedding["name"], "mine");
    assert_eq!(embedding["licence"], "not chosen yet");
    let remarks = report["split"]["remarks"].to_string() + &report["remarks"].to_string();
    assert!(remarks.contains("embedding model mine (licence: not chosen yet)"), "{remarks}");
    assert!(fs::read_to_string(dir.join("run/report.md")).unwrap().contains("not chosen yet"));
    // The features of sounds of no class are kept for the next training, which reports the same.
    assert!(dir.join("features/noise.safetensors").is_file());
    let again = cantus_in(dir, "train @/features -o @/again --epochs 20 --json").ok().json();
    assert_eq!(again["noise"], report["noise"]);
    fs::remove_dir_all(dir.join("features")).unwrap();
    let predicted = cantus_in(dir, "predict @/run @/music/jazz --json").ok().json();
    assert_eq!(predicted["tracks"].as_array().unwrap().len(), 4);
    // The network behind the embedding is exported, and the two in one graph.
    cantus_in(dir, "export @/run -o @/head.onnx").ok();
    assert!(fs::read_to_string(dir.join("head.card.md")).unwrap().contains("licence: not chosen yet"));
    cantus_in(dir, "export @/run -o @/all.onnx --with-features").ok();
    let size = |file: &str| fs::metadata(dir.join(file)).unwrap().len();
    assert!(size("all.onnx") > size("head.onnx") + graph / 2);
}

#[test]
fn an_extraction_on_two_threads_has_the_bytes_of_one_on_one() {
    let held = copied();
    let dir = held.path();
    for jobs in [1, 2] {
        let line =
            format!("extract @/music --embedding @/mine.onnx -o @/features-{jobs} -j {jobs} --audit off");
        cantus_in(dir, &line).ok();
    }
    let part = |jobs: usize| fs::read(dir.join(format!("features-{jobs}/part-00000.arrow"))).unwrap();
    assert!(part(1) == part(2));
}

#[test]
fn embeddings_are_stacked_with_other_features() {
    let held = copied();
    let dir = held.path();
    cantus_in(dir, "train @/music -m embedding-best --embedding @/mine.onnx -o @/run --epochs 3").ok();
    cantus_in(dir, "predict @/run @/music/rock").ok();
    cantus_in(dir, "evaluate @/run").ok();
    cantus_in(dir, "export @/run -o @/all.onnx --with-features").ok();
}

#[test]
fn a_model_by_reference_needs_the_library() {
    let held = copied();
    let dir = held.path();
    with_library(dir, "embeddings add @/mine.onnx").ok();
    let listed = with_library(dir, "embeddings list").ok().stdout;
    assert!(listed.contains("mine") && listed.contains("licence: not chosen yet"), "{listed}");
    with_library(dir, "embeddings show mine --json").ok().json();
    let line = "train @/music -m embedding --embedding mine --embedding-by-reference -o @/run --epochs 2";
    with_library(dir, line).ok();
    let size = |run: &str| fs::metadata(dir.join(run).join("model.safetensors")).unwrap().len();
    with_library(dir, "train @/music -m embedding --embedding mine -o @/whole --epochs 2").ok();
    let graph = fs::metadata(dir.join("mine.onnx")).unwrap().len();
    assert!(size("run") + graph <= size("whole"));
    with_library(dir, "predict @/run @/music/rock").ok();
    let exported = with_library(dir, "export @/run -o @/all.onnx --with-features");
    exported.exits(1).says(&["mine", "held by reference", "without --with-features"]);
    fs::remove_dir_all(dir.join("library")).unwrap();
    with_library(dir, "predict @/run @/music/rock").exits(1).says(&["mine is not in the file", "SHA-256"]);
    with_library(dir, "predict @/whole @/music/rock").ok();
}

#[test]
fn models_that_have_been_added_are_tried_without_a_recipe() {
    let held = copied();
    let dir = held.path();
    with_library(dir, "embeddings add @/mine.onnx").ok();
    with_library(dir, "train @/music -o @/run --epochs 2 --budget 0").ok();
    let selection: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("run/selection.json")).unwrap()).unwrap();
    let first = selection["trials"][0]["name"].as_str().unwrap();
    assert!(first.starts_with("embedding, segments of"), "{selection}");
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    let held = copied();
    let dir = held.path();
    fs::write(dir.join("alone.onnx"), fs::read(dir.join("mine.onnx")).unwrap()).unwrap();
    cantus_in(dir, "extract @/music --embedding @/alone.onnx -o @/f")
        .exits(1)
        .says(&["alone.toml", "template"]);
    fs::write(dir.join("text.onnx"), "no graph").unwrap();
    fs::copy(dir.join("mine.toml"), dir.join("text.toml")).unwrap();
    cantus_in(dir, "extract @/music --embedding @/text.onnx -o @/f").exits(1).says(&["text.onnx", "ONNX"]);
    cantus_in(dir, "extract @/music --embedding nowhere -o @/f").exits(1).says(&["nowhere"]);
    cantus_in(dir, "extract @/music -m embedding -o @/f").exits(2).says(&["--embedding MODEL.onnx"]);
    cantus_in(dir, "extract @/music -m best --embedding @/mine.onnx -o @/f").exits(2).says(&["recipe best"]);
    cantus_in(dir, "extract @/music -k mfcc --embedding @/mine.onnx -o @/f")
        .exits(2)
        .says(&["embedding-best"]);
    let described = fs::read_to_string(dir.join("mine.toml")).unwrap();
    let size = described.lines().find(|line| line.starts_with("size")).unwrap();
    fs::write(dir.join("mine.toml"), described.replace(size, "size = 7")).unwrap();
    cantus_in(dir, "extract @/music --embedding @/mine.onnx -o @/f")
        .exits(1)
        .says(&["mine.onnx", "[1, …, 7]"]);
    let template = cantus_in(dir, "embeddings template @/mine.onnx").ok().stdout;
    assert!(template.contains("samples") && template.contains("licence"), "{template}");
    cantus_in(dir, "train @/music -m embedding -o @/run").exits(2).says(&["none is given"]);
}

/// The header of an array, and its values.
fn npy(path: &Path) -> (String, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values = bytes[header..].chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    (String::from_utf8_lossy(&bytes[10..header]).into_owned(), values.collect())
}

#[test]
fn features_have_the_values_of_each_patch_in_every_format() {
    let held = copied();
    let dir = held.path();
    // Recordings of 6 s, patches of 2 s.
    let at = |name: &str| dir.join("out").join(name);
    let features = |format: &str| {
        let line = format!("features @/music/jazz --embedding @/mine.onnx -o @/out --format {format}");
        cantus_in(dir, &line).ok();
    };
    ["npy", "npz", "csv", "json", "arrow", "png", "svg"].iter().for_each(|format| features(format));
    let (header, values) = npy(&at("jazz.00000.npy"));
    let size = values.len() / 3;
    assert!(size > 1 && header.contains(&format!("'shape': (3, {size}), ")), "{header}");
    let document: serde_json::Value =
        serde_json::from_slice(&fs::read(at("jazz.00000.json")).unwrap()).unwrap();
    assert_eq!(document["time_s"], serde_json::json!([0.0, 2.0, 4.0]));
    assert_eq!(document["bins"][1], "embedding_1");
    let rows: Vec<Vec<f32>> = serde_json::from_value(document["features"].clone()).unwrap();
    assert_eq!(rows.concat(), values);
    let table = fs::read_to_string(at("jazz.00000.csv")).unwrap();
    let row: Vec<f32> = table.lines().nth(2).unwrap().split(',').map(|cell| cell.parse().unwrap()).collect();
    assert_eq!((row[0], &row[1..]), (2.0, &values[size..2 * size]));
    assert!(fs::read_to_string(at("jazz.00000.svg")).unwrap().contains("Embedding"));
    let bytes = fs::read(at("jazz.00000.npz")).unwrap();
    assert!(zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap().by_name("embedding.npy").is_ok());
    // The patches are what the embedding of a segment is pooled over: here, the mean of three.
    let store = "extract @/music --embedding @/mine.onnx --segment 6 -o @/store --audit off";
    cantus_in(dir, store).ok();
    cantus_in(dir, "store export @/store --format npz -o @/store.npz").ok();
    let bytes = fs::read(dir.join("store.npz")).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut array = Vec::new();
    std::io::Read::read_to_end(&mut zip.by_name("X.npy").unwrap(), &mut array).unwrap();
    fs::write(dir.join("store.npy"), array).unwrap();
    let stored = npy(&dir.join("store.npy")).1;
    let mean = |k: usize| values.iter().skip(k).step_by(size).map(|&x| f64::from(x)).sum::<f64>() / 3.0;
    let is_mean = |row: &[f32]| (0..size).all(|k| (f64::from(row[k]) - mean(k)).abs() < 1e-5);
    assert!(stored.chunks_exact(2 * size).any(is_mean), "no segment has the mean of the patches");
}

#[test]
fn features_of_a_bad_model_or_recording_are_refused_in_one_line() {
    let held = copied();
    let dir = held.path();
    let features = |words: &str| cantus_in(dir, &format!("features @/music/jazz/jazz.00000.wav {words}"));
    fs::copy(dir.join("mine.onnx"), dir.join("alone.onnx")).unwrap();
    features("--embedding @/alone.onnx -o @/x.npy").exits(1).says(&["alone.toml", "template"]);
    features("--embedding nowhere -o @/x.npy").exits(1).says(&["nowhere"]);
    let wrong = |words: &str| {
        let ran = features(&format!("--embedding @/mine.onnx -o @/x.npy {words}")).exits(2);
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    };
    wrong("-k mfcc");
    wrong("--sr 8000");
    wrong("--delta-width 5");
    wrong("--linear");
    let samples = (0..22_050).map(|n| (n as f32 * 0.1).sin() * 0.5).collect();
    cantus_audio::write_wav(dir.join("s.wav"), &cantus_audio::Audio { samples, sample_rate: 22_050 })
        .unwrap();
    cantus_in(dir, "features @/s.wav --embedding @/mine.onnx -o @/s.npy").exits(1).says(&[
        "s.wav",
        "too short: it lasts 1.00 s",
        "2.00 s",
    ]);
    assert!(!dir.join("s.npy").exists() && !dir.join("x.npy").exists());
}
