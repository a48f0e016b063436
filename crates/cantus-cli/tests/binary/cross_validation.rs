//! Cross-validation: every track is tested once, groups stay whole, interrupted runs resume. Official split lists.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use crate::run::cantus_in;

/// Layers so small that an epoch takes milliseconds.
const SMALL_RECIPE: &str = r#"
[training]
epochs = 3
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-3 }
[[layers]]
type = "Flatten"
"#;

/// Features of twelve short tracks of each genre: six artists with two tracks each, in a manifest whose further columns
/// are those given.
fn features(dir: &Path, columns: &str, further: impl Fn(usize) -> String) {
    cantus_in(dir, "compose @/music --tracks 12 --duration 3").ok();
    let mut manifest = format!("path,label,group{columns}\n");
    for genre in ["blues", "jazz", "pop"] {
        for i in 0..12 {
            manifest += &format!("{genre}/{genre}.{i:05}.wav,{genre},{genre}-{}{}\n", i / 2, further(i));
        }
    }
    fs::write(dir.join("music/tracks.csv"), manifest).unwrap();
    fs::write(dir.join("small.toml"), SMALL_RECIPE).unwrap();
    cantus_in(dir, "extract @/music/tracks.csv -o @/f").ok();
}

fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().into_deserialize().map(|row| row.unwrap()).collect()
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn every_track_is_tested_once_and_every_group_in_one_fold() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), "", |_| String::new());
    let report = cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run --split group --folds 3 --json")
        .ok()
        .json();
    assert_eq!(report["n_tracks"], 36);
    assert_eq!(report["n_groups"], 18);
    assert!(report["track_accuracy_bootstrap"]["low"].is_f64());

    let run = dir.path().join("run");
    let folds: HashMap<String, String> = rows(&run.join("folds.csv"))
        .into_iter()
        .map(|row| (row["path"].clone(), row["fold"].clone()))
        .collect();
    assert_eq!(folds.values().collect::<BTreeSet<_>>(), [&"1".to_owned(), &"2".into(), &"3".into()].into());
    let predictions = rows(&run.join("predictions.csv"));
    assert_eq!(predictions.iter().map(|row| &row["path"]).collect::<BTreeSet<_>>().len(), 36);
    let mut fold_of_group: BTreeMap<&str, &str> = BTreeMap::new();
    let mut n_right = 0;
    for row in &predictions {
        assert_eq!(row["fold"], folds[&row["path"]]);
        assert_eq!(*fold_of_group.entry(&row["group"]).or_insert(&row["fold"]), row["fold"]);
        let probability = |label: &str| row[label].parse::<f64>().unwrap();
        let labels = ["blues", "jazz", "pop"];
        assert!((labels.map(probability).iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(labels.iter().all(|label| probability(label) <= probability(&row["predicted"])));
        n_right += usize::from(row["predicted"] == row["label"]);
    }
    assert!((number(&report["track_accuracy"]) - n_right as f64 / 36.0).abs() < 1e-12);

    let of_folds = report["cross_validation"]["folds"].as_array().unwrap();
    let mean = of_folds.iter().map(|fold| number(&fold["track_accuracy"])).sum::<f64>() / 3.0;
    assert!((number(&report["cross_validation"]["track_accuracy"]["mean"]) - mean).abs() < 1e-12);
    for (fold, summary) in of_folds.iter().enumerate() {
        let split = rows(&run.join(format!("fold-{}/split.csv", fold + 1)));
        let test = split.iter().filter(|row| row["part"] == "test");
        assert!(test.clone().all(|row| folds[&row["path"]] == (fold + 1).to_string()));
        assert_eq!(summary["test_part"]["n_tracks"], test.count());
        let evaluation =
            cantus_in(dir.path(), &format!("evaluate @/run/fold-{} --json", fold + 1)).ok().json();
        assert_eq!(evaluation["track_accuracy"], summary["track_accuracy"]);
    }
    let again = cantus_in(dir.path(), "evaluate @/run --json").ok().json();
    assert_eq!(again, report, "a cross-validation evaluated again scores the same");
    cantus_in(dir.path(), "predict @/run @/music/pop").exits(1).says(&[
        "cross-validation",
        "--final",
        "fold-1",
    ]);
}

#[test]
fn finished_folds_are_kept_and_a_final_model_is_added() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), "", |_| String::new());
    let train = "train @/f -m @/small.toml --split group --folds 3";
    cantus_in(dir.path(), &format!("{train} -o @/whole --final")).ok();
    cantus_in(dir.path(), &format!("{train} -o @/run")).ok();
    cantus_in(dir.path(), &format!("{train} -o @/run")).exits(1).says(&["--resume", "--overwrite"]);
    // The state after an interruption in the second fold.
    for name in ["report.json", "predictions.csv", "fold-2/model.safetensors", "fold-3/model.safetensors"] {
        fs::remove_file(dir.path().join("run").join(name)).unwrap();
    }
    let first = dir.path().join("run/fold-1/report.txt");
    let before = fs::metadata(&first).unwrap().modified().unwrap();
    cantus_in(dir.path(), &format!("{train} -o @/run --resume --seed 1")).exits(1);
    cantus_in(dir.path(), &format!("{train} -o @/run --resume --learning-rate 1e-2 -q"))
        .exits(1)
        .says(&["fold-1", "another split or recipe"]);
    cantus_in(dir.path(), &format!("{train} -o @/run --resume --final")).ok();
    assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), before, "the first fold was kept");
    for name in
        ["model.safetensors", "report.json", "predictions.csv", "folds.csv", "fold-2/model.safetensors"]
    {
        let bytes = |run: &str| fs::read(dir.path().join(run).join(name)).unwrap();
        assert!(bytes("whole") == bytes("run"), "{name} differs");
    }
    let split = rows(&dir.path().join("run/split.csv"));
    assert!(split.iter().all(|row| row["part"] != "test"));
    cantus_in(dir.path(), "predict @/run @/music/pop").ok();
    cantus_in(dir.path(), "train @/f -o @/again --config @/run/config.toml").ok();
    assert!(
        fs::read(dir.path().join("run/report.json")).unwrap()
            == fs::read(dir.path().join("again/report.json")).unwrap()
    );

    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run").exits(1).says(&["finished run"]);
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run --overwrite").ok();
    assert!(!dir.path().join("run/fold-1").exists() && !dir.path().join("run/folds.csv").exists());
}

#[test]
fn folds_of_the_manifest_are_used() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), ",fold", |i| format!(",{}", 11 - i / 4));
    let train = "train @/f -m @/small.toml -o @/run --folds";
    cantus_in(dir.path(), &format!("{train} 5")).exits(2).says(&["3 folds (9, 10, 11)"]);
    let report = cantus_in(dir.path(), &format!("{train} 3 --json")).ok().json();
    assert_eq!(report["cross_validation"]["given"], true);
    let names: Vec<_> =
        report["cross_validation"]["folds"].as_array().unwrap().iter().map(|f| f["fold"].clone()).collect();
    assert_eq!(names, ["9", "10", "11"]);
    for row in rows(&dir.path().join("run/folds.csv")) {
        let number: usize = row["path"][row["path"].len() - 9..][..5].parse().unwrap();
        assert_eq!(row["fold"], (11 - number / 4).to_string());
    }
}

#[test]
fn invalid_combinations_of_options_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), "", |_| String::new());
    let train = "train @/f -m @/small.toml -o @/run";
    cantus_in(dir.path(), &format!("{train} --folds 3 --split segment")).exits(2).says(&["--split segment"]);
    cantus_in(dir.path(), &format!("{train} --folds 1")).exits(2);
    cantus_in(dir.path(), &format!("{train} --folds 3 --test 0.2")).exits(2);
    cantus_in(dir.path(), &format!("{train} --budget 1")).exits(2);
    cantus_in(dir.path(), &format!("{train} --test 0")).exits(2).says(&["test = 0", "--test"]);
    cantus_in(dir.path(), &format!("{train} --folds 7 --split group -q"))
        .exits(1)
        .says(&["has 6 groups", "needs at least 7"]);
}

#[test]
fn official_lists_are_used_and_tracks_outside_them_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), "", |_| String::new());
    let list = |name: &str, numbers: std::ops::Range<usize>| {
        let line = |genre: &str, i: usize| format!("{genre}.{i:05}.au\n");
        let lines: String =
            numbers.flat_map(|i| ["blues", "jazz", "pop"].map(|genre| line(genre, i))).collect();
        fs::write(dir.path().join(name), lines).unwrap();
    };
    list("train.txt", 0..6);
    list("valid.txt", 6..8);
    list("test.txt", 8..11);
    let train = "train @/f -m @/small.toml --json";
    let ran =
        cantus_in(dir.path(), &format!("{train} -o @/run --split-lists @/train.txt @/valid.txt @/test.txt"))
            .ok();
    assert_eq!((&ran.json()["n_tracks"], &ran.json()["split"]["given"]), (&9.into(), &true.into()));
    assert!(ran.stdout.contains("3 tracks are in no part of the given split"), "{}", ran.stdout);
    let split = rows(&dir.path().join("run/split.csv"));
    let count = |part: &str| split.iter().filter(|row| row["part"] == part).count();
    assert_eq!(["train", "validation", "test", ""].map(count), [18, 6, 9, 3]);
    cantus_in(dir.path(), "train @/f -o @/again --config @/run/config.toml").ok();
    assert!(
        fs::read(dir.path().join("run/report.json")).unwrap()
            == fs::read(dir.path().join("again/report.json")).unwrap()
    );
    let two =
        cantus_in(dir.path(), &format!("{train} -o @/two --split-lists @/train.txt @/test.txt")).ok().json();
    assert!(number(&two["split"]["validation_part"]["n_tracks"]) > 0.0);
    cantus_in(dir.path(), &format!("{train} -o @/one --split-lists @/train.txt"))
        .exits(2)
        .says(&["TRAIN VALID TEST"]);
    cantus_in(dir.path(), &format!("{train} -q -o @/bad --split-lists @/train.txt @/small.toml"))
        .exits(1)
        .says(&["small.toml, line 1", "none of its lines matches a track"]);
}
