//! `cantus train --from`: trainings that start from the layers of a trained model.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use cantus::Model;
use tempfile::TempDir;

use crate::run::cantus_in;

/// A network with a batch normalisation, of small layers.
const RECIPE: &str = r#"
[features]
kinds = ["mfcc"]
n_mfcc = 13
[training]
epochs = 6
batching = { mini = 8 }
[[layers]]
type = "Dense"
units = 16
activation = "relu"
[[layers]]
type = "BatchNormalization"
[[layers]]
type = "GlobalAveragePooling1D"
[[layers]]
type = "Dense"
units = 12
activation = "relu"
"#;

/// Music of five genres in `music`, of five others in `others`, and a run `base` of the first.
fn prepared() -> &'static Path {
    static DIR: OnceLock<TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        fs::write(at.join("first.toml"), RECIPE).unwrap();
        cantus_in(at, "compose @/music --tracks 6 --duration 6").ok();
        fs::create_dir(at.join("others")).unwrap();
        for genre in ["jazz", "metal", "pop", "reggae", "rock"] {
            fs::rename(at.join("music").join(genre), at.join("others").join(genre)).unwrap();
        }
        cantus_in(at, "train @/music -m @/first.toml -o @/base").ok();
        // The run has the recipe; a model file alone names it.
        fs::rename(at.join("first.toml"), at.join("small.toml")).unwrap();
        dir
    });
    dir.path()
}

fn weights(run: &Path, name: &str) -> Vec<f32> {
    let weights = Model::load(run).unwrap().network.weights();
    weights.into_iter().find(|tensor| tensor.name == name).unwrap().values
}

#[test]
fn frozen_layers_keep_their_weights_and_others_are_trained_for_the_new_labels() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let line = format!("train @/others --from @/base --freeze 2 -o {} --json", run.display());
    let report = cantus_in(prepared(), &line).ok().json();
    let base = prepared().join("base");
    for name in ["kernel", "bias"].map(|name| format!("layers.0.{name}")) {
        assert_eq!(weights(&base, &name), weights(&run, &name), "{name}");
    }
    for name in ["gamma", "moving_mean", "moving_variance"].map(|name| format!("layers.1.{name}")) {
        assert_eq!(weights(&base, &name), weights(&run, &name), "{name}");
    }
    assert_ne!(weights(&base, "layers.3.kernel"), weights(&run, "layers.3.kernel"));
    let [before, after] = [&base, &run].map(|run| Model::load(run).unwrap());
    assert_eq!(after.labels, ["jazz", "metal", "pop", "reggae", "rock"]);
    assert_eq!((&after.features, &after.normalization), (&before.features, &before.normalization));
    let start = &report["model"]["start"];
    assert_eq!((start["n_labels"].as_u64(), start["n_shared_test_tracks"].as_u64()), (Some(5), Some(0)));
    let text = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(text.contains("Started from") && text.contains("first.toml"), "{text}");
    // The options repeat the run, to the last bit.
    let again = dir.path().join("again");
    let config = run.join("config.toml");
    let line = format!("train @/others --config {} -o {}", config.display(), again.display());
    cantus_in(prepared(), &line).ok();
    let model = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&run) == model(&again));
}

/// A learning rate of almost 0 leaves what the training started from.
#[test]
fn the_output_layer_is_kept_if_the_labels_are_the_same_and_shared_tracks_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let line = format!(
        "train @/music --from @/base --freeze all --learning-rate 1e-30 --seed 9 -o {} --json",
        run.display()
    );
    let report = cantus_in(prepared(), &line).ok().json();
    let base = prepared().join("base");
    assert_eq!(weights(&base, "layers.4.kernel"), weights(&run, "layers.4.kernel"));
    // Another seed has other test tracks, of which some were trained on before.
    let n_shared = report["model"]["start"]["n_shared_test_tracks"].as_u64().unwrap();
    assert!(n_shared > 0);
    let remark = format!(
        "{n_shared} of the test tracks have the paths of tracks that the starting model was trained on"
    );
    assert!(report["remarks"].to_string().contains(&remark), "{}", report["remarks"]);
}

#[test]
fn a_model_file_alone_and_a_cross_validation_start_from_a_model_too() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().display();
    let file = prepared().join("base/model.safetensors");
    let line = format!("train @/others --from {} -o {out}/run", file.display());
    cantus_in(prepared(), &line).exits(1).says(&["first.toml"]);
    let line = format!("train @/others --from {} -m @/small.toml --epochs 2 -o {out}/run", file.display());
    cantus_in(prepared(), &line).ok();
    let line = format!("train @/others --from @/base --folds 2 --epochs 2 -o {out}/folds --json");
    let report = cantus_in(prepared(), &line).ok().json();
    assert_eq!(report["model"]["start"]["n_labels"], 5);
    // Another model is another training.
    let line = format!("train @/others --from {out}/run --folds 2 --epochs 2 -o {out}/folds --resume -q");
    cantus_in(prepared(), &line).exits(1).says(&["--resume"]);
}

#[test]
fn wrong_uses_are_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().display();
    let refused = |options: &str, code: i32, words: &[&str]| {
        cantus_in(prepared(), &format!("train {options} -o {out}/run")).exits(code).says(words);
    };
    refused("@/others --from @/base --freeze 9", 2, &["9 layers", "4 before the output layer"]);
    refused("@/others --from @/base --segment 2", 2, &["--segment", "the model"]);
    refused("@/others --from @/nowhere", 1, &["nowhere"]);
    cantus_in(prepared(), &format!("extract @/others -k rms --segment 2 -o {out}/features")).ok();
    refused(&format!("{out}/features --from @/base"), 1, &["features", "starting model", "recordings"]);
    let wrong = cantus_in(prepared(), &format!("train @/others --freeze 2 -o {out}/run")).exits(2);
    assert!(wrong.stderr.contains("--from"), "{}", wrong.stderr);
    let wrong =
        cantus_in(prepared(), &format!("train @/others --from @/base --freeze some -o {out}/run")).exits(2);
    assert!(wrong.stderr.contains("a number of layers, or all"), "{}", wrong.stderr);
}
