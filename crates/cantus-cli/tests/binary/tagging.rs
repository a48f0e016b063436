//! Tagging: a track has any number of labels, each of which is a binary classification.

use std::fs;
use std::path::Path;

use crate::run::cantus_in;

/// Tags of the music of each genre.
const TAGS: [(&str, &str); 5] = [
    ("classical", ""),
    ("disco", "dance;drums"),
    ("jazz", "drums|swing"),
    ("metal", "drums; guitar; loud"),
    ("reggae", "guitar;drums"),
];

const N_TRACKS: usize = 12;

const RECIPE: &str = r#"
[augmentation]
mixup = { alpha = 0.2 }
[training]
epochs = 30
batching = { mini = 16 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-3 }
early_stopping = { patience = 10 }
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 32
activation = "relu"
"#;

/// Music of five genres by artists of two tracks each, its manifest and its features.
fn features(dir: &Path) {
    cantus_in(dir, &format!("compose @/music --tracks {N_TRACKS} --duration 6")).ok();
    let mut manifest = "path,labels,group\n".to_owned();
    for (genre, tags) in TAGS {
        for i in 0..N_TRACKS {
            manifest += &format!("{genre}/{genre}.{i:05}.wav,{tags},{genre}-{}\n", i / 2);
        }
    }
    fs::write(dir.join("music/tracks.csv"), manifest).unwrap();
    fs::write(dir.join("small.toml"), RECIPE).unwrap();
    cantus_in(dir, "extract @/music/tracks.csv -o @/f").ok();
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_manifest_of_tags_is_trained_evaluated_and_predicted() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let ran = cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run --split group").ok();
    assert!(
        ran.stderr.contains("5 labels, several to a track: 1.8 on average, none in 12 of 60"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("sigmoid and binary cross-entropy replace"), "{}", ran.stderr);
    assert!(ran.stdout.contains("macro average precision") && ran.stdout.contains("swing"), "{}", ran.stdout);

    let report = cantus_in(dir.path(), "evaluate @/run --json").ok().json();
    assert_eq!(report["task"], "tagging");
    assert_eq!(report["labels"], serde_json::json!(["dance", "drums", "guitar", "loud", "swing"]));
    let (found, chance) = (number(&report["track_macro_average_precision"]), number(&report["chance_level"]));
    assert!(chance < 0.5 && found > chance + 0.3, "average precision {found}, by chance {chance}");
    let interval = &report["track_macro_average_precision_interval"];
    assert!(number(&interval["low"]) <= found && found <= number(&interval["high"]));
    for label in ["dance", "drums", "guitar", "loud", "swing"] {
        for score in
            ["average_precision", "roc_auc", "precision", "recall", "f1-score", "support", "prevalence"]
        {
            number(&report["track_per_label"][label][score]);
        }
    }
    assert!(number(&report["baseline"]["track_macro_average_precision"]) > chance + 0.3);
    let sounds: Vec<_> =
        report["noise"]["kinds"].as_array().unwrap().iter().map(|kind| number(&kind["n"])).collect();
    assert_eq!((sounds.iter().sum::<f64>(), number(&report["noise"]["threshold"])), (101.0, 0.5));
    assert!(ran.stdout.contains("of 101 synthesised sounds of no class"), "{}", ran.stdout);
    for absent in ["accuracy", "track_accuracy", "confusion_matrix", "track_top_k", "majority_baseline"] {
        assert!(report[absent].is_null(), "{absent} does not apply to tags");
    }
    let written: serde_json::Value =
        serde_json::from_slice(&read(&dir.path().join("run/report.json"))).unwrap();
    assert_eq!(written, report, "a run evaluated again scores the same");
    for name in ["report.html", "report.md", "plots/precision_recall.png", "plots/reliability.svg"] {
        assert!(read(&dir.path().join("run").join(name)).len() > 1000, "{name}");
    }
    assert!(!dir.path().join("run/plots/confusion_matrix.png").exists());
    cantus_in(dir.path(), "plot confusion @/run -o @/x.png").exits(1).says(&["no confusion matrix"]);

    // A version without tagging rejects format 3 as too new, and so reads no tag as a class.
    let model = read(&dir.path().join("run/model.safetensors"));
    assert!(String::from_utf8_lossy(&model[..model.len().min(10_000)]).contains(r#"\"format\":3"#));

    let songs = cantus_in(dir.path(), "predict @/run @/music/metal @/music/classical --json").ok().json();
    let (mut n_loud, mut n_silent) = (0, 0);
    for track in songs["tracks"].as_array().unwrap() {
        let tags: Vec<&str> =
            track["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        let probabilities = track["probabilities"].as_object().unwrap();
        for (tag, probability) in probabilities {
            assert_eq!(tags.contains(&tag.as_str()), number(probability) > 0.5, "{track}");
        }
        assert_eq!(track["probability"], probabilities[track["label"].as_str().unwrap()]);
        n_loud += usize::from(track["path"].as_str().unwrap().contains("metal") && tags.contains(&"loud"));
        n_silent += usize::from(track["path"].as_str().unwrap().contains("classical") && tags.is_empty());
    }
    assert!(n_loud >= 9 && n_silent >= 9, "{n_loud} of 12 loud, {n_silent} of 12 without tags");
    let csv = cantus_in(dir.path(), "predict @/run @/music/metal/metal.00000.wav --csv").ok().stdout;
    assert!(csv.starts_with("path,label,probability,tags,dance,drums,guitar,loud,swing\n"), "{csv}");
    let table = cantus_in(dir.path(), "predict @/run @/music/metal/metal.00000.wav").ok().stdout;
    assert!(table.contains("drums ") && table.contains(" %, "), "{table}");
    cantus_in(dir.path(), "predict @/run @/music/metal --write-tags").exits(2).says(&["several labels"]);
}

#[test]
fn folds_comparison_threads_and_resumption_work_as_for_classes() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let train = "train @/f -m @/small.toml --split group --folds 3";
    let report = cantus_in(dir.path(), &format!("{train} -o @/a --epochs 8 --json")).ok().json();
    assert_eq!(report["n_tracks"], 60);
    let folds = report["cross_validation"]["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 3);
    let mean = folds.iter().map(|fold| number(&fold["track_macro_average_precision"])).sum::<f64>() / 3.0;
    let spread = &report["cross_validation"]["track_macro_average_precision"];
    assert!((number(&spread["mean"]) - mean).abs() < 1e-12);
    cantus_in(dir.path(), &format!("{train} -o @/b --epochs 8 --jobs 1")).ok();
    for name in ["report.json", "predictions.csv", "fold-2/model.safetensors"] {
        assert!(read(&dir.path().join("a").join(name)) == read(&dir.path().join("b").join(name)), "{name}");
    }
    let evaluated = cantus_in(dir.path(), "evaluate @/a --json").ok().json();
    assert_eq!(evaluated["track_per_label"], report["track_per_label"]);
    // A cross-validation with a missing fold resumes to the same bytes.
    fs::remove_dir_all(dir.path().join("b/fold-3")).unwrap();
    fs::remove_file(dir.path().join("b/report.json")).unwrap();
    cantus_in(dir.path(), &format!("{train} -o @/b --epochs 8 --resume --final")).ok();
    assert!(read(&dir.path().join("a/report.json")) == read(&dir.path().join("b/report.json")));
    cantus_in(dir.path(), "predict @/b @/music/jazz/jazz.00000.wav").ok();

    // An untrained network is worse than a trained one, whatever its initial weights are.
    fs::write(dir.path().join("untrained.toml"), RECIPE.replace("1e-3", "0.0")).unwrap();
    let untrained = train.replace("small", "untrained");
    cantus_in(dir.path(), &format!("{untrained} -o @/c --epochs 1")).ok();
    let comparison = cantus_in(dir.path(), "compare @/c @/a --json").ok().json();
    assert_eq!(comparison["n_tracks"], 60);
    let against = &comparison["against_first"][0];
    assert!(number(&against["difference"]) > 0.0 && number(&against["p_value"]) < 0.05, "{against}");
    let table = cantus_in(dir.path(), "compare @/a @/c").ok().stdout;
    assert!(table.contains("macro AP of tracks") && table.contains(" worse (95 % CI"), "{table}");
}

#[test]
fn options_that_do_not_apply_to_tags_are_reported_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let recipe = |name: &str, from: &str, to: &str| {
        fs::write(dir.path().join(name), RECIPE.replace(from, to)).unwrap();
    };
    recipe("weights.toml", "[augmentation]", "class_weight = \"balanced\"\n[augmentation]");
    recipe("sampling.toml", "[augmentation]", "balanced_sampling = true\n[augmentation]");
    recipe("squares.toml", "sparse_categorical_crossentropy", "mean_squared_error");
    for (options, expected) in [
        ("-m @/weights.toml", "class_weight: a track with several labels"),
        ("-m @/sampling.toml", "balanced_sampling: a track with several labels"),
        ("-m @/squares.toml", "tags require binary_crossentropy"),
        ("-m @/small.toml --split segment", "split by track or group"),
    ] {
        cantus_in(dir.path(), &format!("train @/f -q -o @/bad {options}")).exits(1).says(&[expected]);
    }
    cantus_in(dir.path(), "extract @/f -o @/data.json").exits(1).says(&["data.json has one label"]);

    // The recipe of a tagging run is a recipe for tags and cannot train a classifier.
    cantus_in(dir.path(), "train @/f -q -m @/small.toml -o @/run --epochs 1").ok();
    cantus_in(dir.path(), "train @/f -q -m @/run/recipe.toml -o @/again --epochs 1").ok();
    cantus_in(dir.path(), "extract @/music -o @/classes").ok();
    cantus_in(dir.path(), "train @/classes -q -m @/run/recipe.toml -o @/bad")
        .exits(1)
        .says(&["binary_crossentropy is for several labels"]);
    cantus_in(dir.path(), "train @/classes -q -m @/small.toml -o @/classifier --epochs 1").ok();
    cantus_in(dir.path(), "compare @/run @/classifier").exits(1).says(&["is a tagger", "is a classifier"]);
    cantus_in(dir.path(), "evaluate @/run --features @/classes").exits(1).says(&["labels"]);
}

#[test]
fn an_invalid_manifest_is_refused_with_the_number_of_the_line() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    let path = dir.path().join("music/tracks.csv");
    let (pop, jazz) = ("pop/pop.00000.wav", "jazz/jazz.00000.wav");
    for (text, expected) in [
        (
            format!("path,label,labels\n{pop},a,b\n"),
            "line 1: the columns 'label' and 'labels' exclude each other",
        ),
        (format!("path,label\n{pop},a;b\n{jazz},c\n"), "line 2: label 'a;b'"),
        (format!("path,labels\n{pop},a;;b\n"), "line 2: labels 'a;;b': a label without a name"),
        (format!("path,labels\n{pop},a\n{pop},b\n"), "give all its labels in one line"),
        (format!("path,labels\n{pop},\"a, b\"\n"), "separated by ;"),
        (format!("path,labels\n{pop},a;b\n{jazz},b;a\n"), "every track has the same labels"),
    ] {
        fs::write(&path, text).unwrap();
        cantus_in(dir.path(), "extract @/music/tracks.csv -o @/f -q").exits(1).says(&[expected]);
    }
    fs::write(&path, format!("path,labels\n{pop},a;b\nnowhere.wav,b\n{jazz},\n")).unwrap();
    cantus_in(dir.path(), "extract @/music/tracks.csv -o @/f -q").exits(3).says(&["lost: nowhere.wav"]);
}
