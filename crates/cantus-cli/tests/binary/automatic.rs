//! `cantus train FOLDER` without a recipe: trials on the training part, the chosen recipe, its report, interruption, `--final`.

use std::fs;
use std::path::Path;

use cantus_audio::{Audio, write_wav};

use crate::run::cantus_in;

/// 12 recordings of 0.2 to 0.5 s for each of three labels, tones in noise; every two of a label are of one group.
fn sounds(dir: &Path) {
    let mut manifest = "path,label,group\n".to_owned();
    for (label, hz) in [("high", 1700.0), ("low", 300.0), ("middle", 800.0)] {
        for index in 0..12 {
            let path = format!("{label}-{index:02}.wav");
            let noise = |i: usize| ((i * 7919 + index * 104_729) % 1013) as f32 / 1013.0 - 0.5;
            let hz = hz * (1.0 + 0.03 * index as f32);
            let sample = |i: usize| 0.3 * (i as f32 * hz / 3509.3).sin() + 0.3 * noise(i);
            let samples = (0..4410 + 600 * index).map(sample).collect();
            write_wav(dir.join(&path), &Audio { samples, sample_rate: 22_050 }).unwrap();
            manifest += &format!("{path},{label},{label}-{}\n", index / 2);
        }
    }
    fs::write(dir.join("sounds.csv"), manifest).unwrap();
}

fn selection(run: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(run.join("selection.json")).unwrap()).unwrap()
}

#[test]
fn recipes_are_tried_and_the_chosen_one_is_trained_and_evaluated() {
    let dir = tempfile::tempdir().unwrap();
    sounds(dir.path());
    let train = "train @/sounds.csv -o @/run --epochs 4 --split group --final";
    let ran = cantus_in(dir.path(), train).ok();
    for said in
        ["no recipe is named: 5 are tried", "← chosen", "tried log-mel-cnn", "durations: 0.20 s to 0.50 s"]
    {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let run = dir.path().join("run");
    let report = fs::read_to_string(run.join("report.txt")).unwrap();
    assert!(report.contains("was selected among 5 by cross-validation on the training part"), "{report}");
    assert_eq!(selection(&run)["trials"].as_array().unwrap().len(), 5);
    // The final model was trained on all tracks, the evaluated one is beside it.
    let split = |file: &str| fs::read_to_string(run.join(file)).unwrap();
    assert!(!split("split.csv").contains("test") && split("held-out/split.csv").contains("test"));
    cantus_in(dir.path(), "predict @/run @/low-00.wav").ok();
    let again = cantus_in(dir.path(), "evaluate @/run --json").ok().json();
    let first: serde_json::Value = serde_json::from_str(&split("report.json")).unwrap();
    assert_eq!(again["track_accuracy"], first["track_accuracy"]);
    // The same options from the run's own file, and trials that are kept.
    let ran = cantus_in(dir.path(), "train @/sounds.csv -o @/again --config @/run/config.toml").ok();
    assert!(ran.stderr.contains("5 are tried"), "{}", ran.stderr);
    let scores = |run: &str| -> Vec<serde_json::Value> {
        let selection = selection(&dir.path().join(run));
        let trials = selection["trials"].as_array().unwrap().iter();
        trials.map(|trial| trial["outcome"]["scored"]["score"].clone()).collect()
    };
    assert_eq!(scores("run"), scores("again"));
}

#[test]
fn the_budget_limits_the_trials_and_options_that_need_a_recipe_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    sounds(dir.path());
    let ran = cantus_in(dir.path(), "train @/sounds.csv -o @/run --epochs 2 --budget 0").ok();
    assert_eq!(ran.stderr.matches("not tried: no time left").count(), 8, "{}", ran.stderr);
    assert!(fs::read_to_string(dir.path().join("run/report.txt")).unwrap().contains("selected among 1"));
    for (options, said) in [
        ("--folds 3", "--folds needs a recipe"),
        ("--segment 1", "--segment needs a recipe"),
        ("--split segment", "--split segment needs a recipe"),
    ] {
        cantus_in(dir.path(), &format!("train @/sounds.csv -o @/other {options}")).exits(2).says(&[said]);
    }
    assert!(!dir.path().join("other").exists());
}

/// A split by segment leaks: the evaluated model is accompanied by one without the leak, and the final one keeps tracks whole.
#[test]
fn a_final_model_follows_every_kind_of_split() {
    let dir = tempfile::tempdir().unwrap();
    sounds(dir.path());
    cantus_in(dir.path(), "extract @/sounds.csv -o @/f --segment 0.1").ok();
    let train = "train @/f -m mlp -o @/run --epochs 2 --final";
    cantus_in(dir.path(), &format!("{train} --split segment")).ok();
    assert!(dir.path().join("run/held-out/without-leak/report.json").is_file());
    cantus_in(dir.path(), "evaluate @/run").ok();
    // A cross-validation in the same folder replaces it.
    cantus_in(dir.path(), &format!("{train} --split track --folds 2 --overwrite")).ok();
    assert!(!dir.path().join("run/held-out").exists());
    cantus_in(dir.path(), "evaluate @/run").ok();
}
