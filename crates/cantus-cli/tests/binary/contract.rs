//! The interface for scripts: files, fields, formats, exit codes.

use std::path::Path;

use crate::run::{Ran, cantus, cantus_in};

/// A corpus of three short tracks for each genre, and a run trained on it.
fn trained() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 9").ok();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    cantus_in(dir.path(), "train @/features -m mlp-normalised -o @/run --epochs 3 --learning-rate 1e-3").ok();
    dir
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn a_folder_of_recordings_is_trained_evaluated_and_predicted() {
    let dir = trained();
    let evaluation = cantus_in(dir.path(), "evaluate @/run --json").ok().json();
    for field in ["accuracy", "track_accuracy"] {
        assert!((0.0..=1.0).contains(&number(&evaluation[field])), "{field}: {evaluation}");
    }
    let labels: Vec<&str> =
        evaluation["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
    let mut sorted = labels.clone();
    sorted.sort_unstable();
    assert_eq!(labels, sorted);
    assert_eq!(labels.len(), 10);
    for label in &labels {
        for score in ["precision", "recall", "f1-score", "support"] {
            number(&evaluation["per_class"][label][score]);
        }
    }
    let matrix = evaluation["confusion_matrix"].as_array().unwrap();
    assert!(matrix.len() == 10 && matrix.iter().all(|row| row.as_array().unwrap().len() == 10));
    let report = cantus_in(dir.path(), "evaluate @/run").ok();
    assert!(report.stdout.contains("recall") && report.stdout.contains("jazz"), "{}", report.stdout);

    let document = cantus_in(dir.path(), "predict @/run @/music/jazz --json").ok().json();
    assert_eq!(document["failed"], serde_json::json!([]));
    let tracks = document["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 4);
    for track in tracks {
        let probabilities = track["probabilities"].as_object().unwrap();
        assert_eq!(probabilities.len(), 10);
        assert!((probabilities.values().map(number).sum::<f64>() - 1.0).abs() < 1e-4);
        let label = track["label"].as_str().unwrap();
        assert_eq!(track["probability"], probabilities[label]);
        assert!(probabilities.values().all(|p| number(p) <= number(&track["probability"])));
        assert!(Path::new(track["path"].as_str().unwrap()).exists());
    }
}

#[test]
fn a_run_folder_contains_the_documented_files() {
    let dir = trained();
    let run = dir.path().join("run");
    for name in ["model.safetensors", "config.toml", "history.csv", "history.json", "report.json", "plots"] {
        assert!(run.join(name).exists(), "{name} is missing");
    }
    for name in ["history.png", "history.svg", "confusion_matrix.png", "confusion_matrix.svg"] {
        assert!(run.join("plots").join(name).metadata().unwrap().len() > 1000, "{name} is missing or empty");
    }
    let history: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("history.json")).unwrap()).unwrap();
    for key in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        assert_eq!(history[key].as_array().unwrap().len(), 3, "{key}");
    }
    let csv = std::fs::read_to_string(run.join("history.csv")).unwrap();
    assert_eq!(csv.lines().next(), Some("epoch,loss,accuracy,val_loss,val_accuracy,learning_rate"));
    assert_eq!(csv.lines().count(), 4);
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("report.json")).unwrap()).unwrap();
    let evaluation = cantus_in(dir.path(), "evaluate @/run --json").ok().json();
    for field in ["accuracy", "track_accuracy", "per_class", "confusion_matrix"] {
        assert_eq!(report[field], evaluation[field], "{field}: a run evaluated again scores the same");
    }
}

#[test]
fn the_model_file_alone_predicts_and_training_is_reproducible() {
    let dir = trained();
    std::fs::copy(dir.path().join("run/model.safetensors"), dir.path().join("m.safetensors")).unwrap();
    let by_run = cantus_in(dir.path(), "predict @/run @/music/pop --json").ok();
    let by_file = cantus_in(dir.path(), "predict @/m.safetensors @/music/pop --json --jobs 1").ok();
    assert_eq!(by_run.json(), by_file.json());

    cantus_in(dir.path(), "extract @/music -o @/again --jobs 1").ok();
    cantus_in(
        dir.path(),
        "train @/again -m mlp-normalised -o @/run-again --epochs 3 --learning-rate 1e-3 --jobs 1",
    )
    .ok();
    let bytes = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert!(bytes("run/model.safetensors") == bytes("run-again/model.safetensors"));
    cantus_in(
        dir.path(),
        "train @/again -m mlp-normalised -o @/other --epochs 3 --learning-rate 1e-3 --seed 1",
    )
    .ok();
    assert!(bytes("run/model.safetensors") != bytes("other/model.safetensors"));
}

#[test]
fn a_folder_of_audio_is_trained_without_extraction() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "train @/music -m mlp-regularised -o @/run --epochs 1").ok();
    cantus_in(dir.path(), "evaluate @/run").ok();
}

#[test]
fn every_recipe_is_extracted_trained_evaluated_and_predicted() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 10.1").ok();
    // tests/binary/embedding.rs trains those with an embedding model.
    for recipe in cantus::Recipe::names().filter(|name| !name.starts_with("embedding")) {
        cantus_in(dir.path(), &format!("extract @/music -m {recipe} -o @/features --overwrite")).ok();
        cantus_in(dir.path(), &format!("train @/features -m {recipe} -o @/{recipe} --epochs 1")).ok();
        cantus_in(dir.path(), &format!("evaluate @/{recipe}")).ok();
        let song = cantus_in(dir.path(), &format!("predict @/{recipe} @/music/jazz/jazz.00000.wav --json"));
        assert_eq!(song.ok().json()["tracks"].as_array().unwrap().len(), 1, "{recipe}");
    }
}

#[test]
fn features_of_another_recipe_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    cantus_in(dir.path(), "train @/features -m best -o @/run").exits(1).says(&[
        "needs 354 numbers",
        "these features are not those of the recipe",
        "cantus extract -m best",
    ]);
}

#[test]
fn csv_has_a_row_for_each_track_and_a_column_for_each_label() {
    let dir = trained();
    let csv =
        cantus_in(dir.path(), "predict @/run @/music/rock @/music/blues/blues.00000.wav --csv").ok().stdout;
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("path,label,probability,blues,classical,country,disco,hiphop,jazz,metal,pop,reggae,rock")
    );
    assert_eq!(lines.count(), 5);
}

#[test]
fn npy_files_have_the_format_of_numpy() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -k mfcc --n-mfcc 13 -o @/x.npy").ok();
    let bytes = std::fs::read(dir.path().join("x.npy")).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..10 + header_len]).replace(' ', "");
    assert!(header.contains("'descr':'<f4'"), "{header}");
    assert!(header.contains("'fortran_order':False"), "{header}");
    assert!(header.contains("'shape':(130,13"), "{header}");
    assert_eq!(bytes.len(), 10 + header_len + 130 * 13 * 4);
    for name in ["x.csv", "x.json", "x.png", "x.svg"] {
        cantus_in(dir.path(), &format!("features @/music/pop/pop.00000.wav -k log-mel -o @/{name}")).ok();
        assert!(dir.path().join(name).metadata().unwrap().len() > 1000, "{name}");
    }
}

#[test]
fn failed_files_are_reported_and_the_exit_code_is_3() {
    let dir = trained();
    std::fs::write(dir.path().join("music/jazz/text.mp3"), "this is no music").unwrap();
    let ran = cantus_in(dir.path(), "predict @/run @/music/jazz --json").exits(3);
    let document = ran.json();
    assert_eq!(document["tracks"].as_array().unwrap().len(), 4);
    let failed = document["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1);
    assert!(failed[0]["path"].as_str().unwrap().ends_with("text.mp3"));
    assert!(!failed[0]["reason"].as_str().unwrap().is_empty());
    let ran = cantus_in(dir.path(), "extract @/music -o @/features2").exits(3);
    assert!(ran.stderr.contains("text.mp3"), "{}", ran.stderr);
    assert!(std::fs::read_to_string(dir.path().join("features2/failures.csv")).unwrap().contains("text.mp3"));
}

#[test]
fn inspect_reports_the_metadata_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    let document = cantus_in(dir.path(), "inspect @/music --json").ok().json();
    let tracks = document["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 10);
    for track in tracks {
        assert_eq!(track["codec"], "pcm_s16le");
        assert_eq!(track["sample_rate"], 22_050);
        assert_eq!(track["n_channels"], 1);
        assert!((number(&track["duration_s"]) - 3.0).abs() < 1e-3);
        assert!((-20.0..=0.0).contains(&number(&track["peak_db"])), "{track}");
    }
    assert!(cantus_in(dir.path(), "inspect @/music --all").ok().stdout.contains("blues.00000.wav"));
}

#[test]
fn the_same_seed_synthesises_the_same_music() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/a --tracks 1 --duration 2 --seed 7").ok();
    cantus_in(dir.path(), "compose @/b --tracks 2 --duration 2 --seed 7 --jobs 1").ok();
    let bytes = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert!(bytes("a/disco/disco.00000.wav") == bytes("b/disco/disco.00000.wav"));
    assert!(bytes("b/disco/disco.00000.wav") != bytes("b/disco/disco.00001.wav"));
}

#[test]
fn help_and_completions_exit_with_0() {
    let Ran { stdout, .. } = cantus(&["--help"]).ok();
    for command in ["compose", "inspect", "extract", "train", "evaluate", "predict", "features", "demo"] {
        assert!(stdout.contains(command), "{command} is missing in: {stdout}");
        let help = cantus(&[command, "--help"]).ok().stdout;
        assert!(help.contains("Example"), "{command} --help has no example: {help}");
    }
    assert!(cantus(&["completions", "bash"]).ok().stdout.contains("cantus"));
    assert!(cantus(&["--version"]).ok().stdout.starts_with("cantus "));
}
