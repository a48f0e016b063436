//! Training that produces NaN or infinity ends with exit code 1, one line with a remedy, and no `model.safetensors`.

use std::fs;

use crate::run::cantus_in;

fn music() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    dir
}

#[test]
fn a_learning_rate_that_is_far_too_high_leaves_no_model() {
    let dir = music();
    for recipe in ["mlp", "mlp-regularised", "cnn", "lstm"] {
        let train = format!("train @/features -m {recipe} -o @/run --epochs 4 --quiet");
        let ran = cantus_in(dir.path(), &format!("{train} --learning-rate 1e20")).exits(1);
        ran.says(&[
            "training diverged in epoch 1: ",
            "is not finite",
            "at learning rate 1e20",
            "--learning-rate 1e-3",
        ]);
        assert!(!dir.path().join("run/model.safetensors").exists());
        assert!(!dir.path().join("run/diverged.safetensors").exists());
        cantus_in(dir.path(), "predict @/run @/music").exits(1).says(&["no such model"]);
    }
    // The folder can be used again.
    cantus_in(dir.path(), "train @/features -m mlp -o @/run --epochs 1 --quiet").ok();
}

/// Weights that a penalty makes 19 times as large in every step.
const SLOWLY_DIVERGING: &str = r#"
    [training]
    epochs = 60
    batching = { mini = 8 }
    optimizer = { type = "SGD", learning_rate = 10.0 }

    [[layers]]
    type = "Flatten"

    [[layers]]
    type = "Dense"
    units = 4
    kernel_regularizer = { l2 = 1.0 }
"#;

#[test]
fn the_best_model_before_divergence_is_kept_under_another_name() {
    let dir = music();
    fs::write(dir.path().join("slowly.toml"), SLOWLY_DIVERGING).unwrap();
    let train = "train @/features -m @/slowly.toml -o @/run --quiet";
    let ran = cantus_in(dir.path(), train).exits(1);
    ran.says(&["training diverged in epoch ", "the weights of epoch 1 are kept in", "diverged.safetensors"]);
    assert!(!dir.path().join("run/model.safetensors").exists());
    assert!(!dir.path().join("run/checkpoint").exists());
    let track = "@/music/jazz/jazz.00000.wav";
    let predicted =
        cantus_in(dir.path(), &format!("predict @/run/diverged.safetensors {track} --json")).ok().json();
    assert!(predicted["tracks"][0]["probability"].as_f64().unwrap() > 0.0);
    // A successful training replaces it.
    cantus_in(dir.path(), "train @/features -m mlp -o @/run --epochs 1 --quiet").ok();
    assert!(!dir.path().join("run/diverged.safetensors").exists());
}
