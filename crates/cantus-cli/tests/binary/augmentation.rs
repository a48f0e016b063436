//! Augmented training from recordings to predictions: copies, crops, SpecAugment, mixup, balanced sampling, averaged weights.

use std::path::Path;

use crate::run::cantus_in;

const RECIPE: &str = r#"
crop_frames = 100
n_crops = 3
balanced_sampling = true
class_weight = "balanced"

[augmentation]
copies = 1
audio = [
    { type = "time_stretch", probability = 0.5, range = [0.9, 1.1] },
    { type = "pitch_shift", probability = 0.5, range = [-2, 2] },
    { type = "noise", probability = 0.5, source = "music/jazz", range = [10, 30] },
]
spec_augment = { n_time_masks = 1, time_width = 20, n_frequency_masks = 1, frequency_width = 4 }
mixup = { alpha = 0.2 }

[training]
epochs = 4
averaging = { type = "ema", decay = 0.5 }

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 16
activation = "relu"
"#;

fn bytes(dir: &Path, name: &str) -> Vec<u8> {
    std::fs::read(dir.join(name)).unwrap()
}

#[test]
fn an_augmented_training_gives_the_same_bits_on_any_number_of_threads_and_from_a_store() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 6").ok();
    std::fs::write(dir.path().join("mine.toml"), RECIPE).unwrap();
    let one = cantus_in(dir.path(), "train @/music -m @/mine.toml -o @/one --jobs 1").ok();
    assert!(one.stderr.contains("segments of augmented copies"), "{}", one.stderr);
    for jobs in [2, 3, 8] {
        cantus_in(dir.path(), &format!("train @/music -m @/mine.toml -o @/jobs-{jobs} --jobs {jobs}")).ok();
    }
    cantus_in(dir.path(), "extract @/music -o @/f --augment @/mine.toml").ok();
    cantus_in(dir.path(), "train @/f -m @/one/recipe.toml -o @/again").ok();
    for file in ["model.safetensors", "split.csv", "history.csv"] {
        let alone = bytes(dir.path(), &format!("one/{file}"));
        for jobs in [2, 3, 8] {
            assert!(bytes(dir.path(), &format!("jobs-{jobs}/{file}")) == alone, "{file} on {jobs} threads");
        }
    }
    assert!(bytes(dir.path(), "one/history.csv") == bytes(dir.path(), "again/history.csv"));
    cantus_in(dir.path(), "evaluate @/one").ok();
    cantus_in(dir.path(), "predict @/one @/music/jazz").ok();
}

#[test]
fn missing_augmented_copies_are_reported_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 6").ok();
    std::fs::write(dir.path().join("mine.toml"), RECIPE).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f --quiet").ok();
    let ran = cantus_in(dir.path(), "train @/f -m @/mine.toml -o @/run");
    assert_ne!(ran.code, 0);
    ran.says(&["copies = 1", "hold no altered copies", "--augment"]);
    cantus_in(dir.path(), "extract @/music -o @/g --augment mlp")
        .exits(2)
        .says(&["mlp", "defines no augmented copies"]);
    cantus_in(dir.path(), "extract @/music -o @/g --augment @/none.toml").exits(2).says(&["none.toml"]);
}
