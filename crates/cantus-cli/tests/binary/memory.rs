//! `--memory`: what a training reads as it is needed does not change the result.

use std::fs;

use crate::run::{cantus_in, cantus_with_limit};

/// Three recordings of a second fill a part, since each may have 30 segments.
const MANY_PARTS: &str = r#"
[features]
kinds = ["log_mel"]
hop_length = 32
n_mels = 128
segments = { duration_s = 1.0, max_segments = 30 }

[training]
epochs = 2

[[layers]]
type = "GlobalAveragePooling1D"
"#;

#[test]
fn a_store_may_have_more_parts_than_files_may_be_open() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("recipe.toml"), MANY_PARTS).unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 6 --duration 1").ok();
    cantus_in(dir.path(), "extract @/music -m @/recipe.toml --audit off -o @/store").ok();
    let n_parts = fs::read_dir(dir.path().join("store")).unwrap();
    let n_parts =
        n_parts.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with("arrow"));
    assert!(n_parts.count() > 18);
    let model = |open_files: u32| {
        let (limit, run) = (format!("-n {open_files}"), format!("run-{open_files}"));
        let train = format!("train store -m recipe.toml --memory 1KiB -q -o {run}");
        cantus_with_limit(dir.path(), &limit, &train);
        fs::read(dir.path().join(run).join("model.safetensors")).unwrap()
    };
    // Half of them for parts.
    assert!(model(34) == model(1024));
}

#[test]
fn a_training_that_reads_features_as_they_are_needed_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 6 --duration 6.1").ok();
    // A network with a layer whose outputs are computed once for all epochs, and one that reads all frames in every epoch.
    for recipe in ["best", "mlp-normalised"] {
        cantus_in(dir.path(), &format!("extract @/music -m {recipe} --segment 3 -o @/{recipe}")).ok();
        let train = format!("train @/{recipe} -m {recipe} --epochs 3 -q");
        let model = |memory: &str, run: &str| {
            cantus_in(dir.path(), &format!("{train} {memory} -o @/{run}")).ok();
            fs::read(dir.path().join(run).join("model.safetensors")).unwrap()
        };
        let held = model("", &format!("{recipe}-held"));
        assert!(held == model("--memory 1KiB", &format!("{recipe}-read")), "{recipe}");
        let folds = model("--memory 1KiB --folds 2 --final", &format!("{recipe}-folds-read"));
        assert!(folds == model("--folds 2 --final", &format!("{recipe}-folds")), "{recipe}");
    }
}

#[test]
fn a_wrong_size_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let refused = cantus_in(dir.path(), "train @/features -o @/run --memory lots").exits(2);
    assert!(refused.stderr.contains("such as 64MiB"), "{}", refused.stderr);
}
