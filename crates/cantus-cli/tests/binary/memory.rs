//! `--memory`: what a training reads as it is needed does not change the result.

use std::fs;

use crate::run::cantus_in;

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
