//! The report of a run in all its formats, and the comparison of runs.

use std::fs;
use std::path::Path;

use crate::run::cantus_in;

/// Layers so small that an epoch takes milliseconds.
const SMALL_RECIPE: &str = r#"
[training]
epochs = 8
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-3 }
early_stopping = { patience = 3 }
[[layers]]
type = "Flatten"
"#;

/// Features of twelve short tracks of each genre.
fn features(dir: &Path) {
    cantus_in(dir, "compose @/music --tracks 12 --duration 6").ok();
    cantus_in(dir, "extract @/music -o @/f").ok();
    fs::write(dir.join("small.toml"), SMALL_RECIPE).unwrap();
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn page_and_markdown_contain_the_values_of_the_json() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let report = cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run --json").ok().json();
    let run = dir.path().join("run");
    let read = |name: &str| fs::read_to_string(run.join(name)).unwrap();
    let accuracy = format!("{:.1} %", 100.0 * number(&report["track_accuracy"]));
    let baseline = format!("{:.1} %", 100.0 * number(&report["baseline"]["track_accuracy"]));
    let (page, markdown, text) = (read("report.html"), read("report.md"), read("report.txt"));
    for document in [&page, &markdown, &text] {
        assert!(document.contains(&accuracy) && document.contains(&baseline), "{document}");
    }
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/").count()
    );
    for label in report["labels"].as_array().unwrap() {
        let auc = number(&report["track_roc_auc"][label.as_str().unwrap()]);
        assert!((0.0..=1.0).contains(&auc) && page.contains(&format!("<td>{auc:.2}</td>")), "{label}");
    }
    for name in ["roc", "precision_recall", "reliability", "confusion_matrix", "history"] {
        assert!(
            run.join(format!("plots/{name}.svg")).is_file()
                && run.join(format!("plots/{name}.png")).is_file()
        );
        assert!(markdown.contains(&format!("plots/{name}.svg")), "{name}");
    }
    let top = &report["track_top_k"];
    assert_eq!(top["1"], report["track_accuracy"]);
    assert!(number(&top["2"]) >= number(&top["1"]) && number(&top["5"]) >= number(&top["3"]));
    let n_wrong = number(&report["n_tracks"]) * (1.0 - number(&report["track_accuracy"]));
    let mistakes = report["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), (n_wrong.round() as usize).min(20));
    for mistake in mistakes {
        assert_ne!(mistake["label"], mistake["predicted"]);
        assert!((number(&mistake["end_s"]) - number(&mistake["start_s"]) - 3.0).abs() < 0.1);
    }
    assert_eq!(cantus_in(dir.path(), "evaluate @/run --json").ok().json(), report);
}

#[test]
fn a_track_has_the_same_probabilities_in_prediction_and_evaluation() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let report = cantus_in(dir.path(), "train @/f -m @/small.toml -o @/run --json").ok().json();
    let temperatures = &report["calibration"]["temperatures"];
    assert_ne!(number(&temperatures["track_temperature"]), 1.0, "nothing was calibrated");
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(dir.path().join("run/predictions.csv"))
        .unwrap()
        .into_records()
        .map(Result::unwrap)
        .collect();
    let row = &rows[0];
    let song = cantus_in(dir.path(), &format!("predict @/run @/music/{} --json", &row[0])).ok().json();
    let track = &song["tracks"][0];
    assert_eq!(track["label"], row[4]);
    for (label, probability) in report["labels"].as_array().unwrap().iter().zip(row.iter().skip(5)) {
        let predicted = number(&track["probabilities"][label.as_str().unwrap()]);
        assert!(
            (predicted - probability.parse::<f64>().unwrap()).abs() < 1e-5,
            "{label}: {predicted} against {probability}"
        );
    }
}

#[test]
fn the_scores_of_a_leaking_split_are_printed_beside_the_unbiased_estimate() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let train = "train @/f -m @/small.toml --validation 0.2 --seed 3";
    let leaky = cantus_in(dir.path(), &format!("{train} -o @/leaky --split segment --json")).ok().json();
    let by_track = cantus_in(dir.path(), &format!("{train} -o @/by_track --split track --json")).ok().json();
    for name in ["accuracy", "track_accuracy", "n_tracks", "n_segments"] {
        assert_eq!(leaky["without_leak"][name], by_track[name], "{name}");
    }
    assert!(by_track["without_leak"].is_null());
    let inside = fs::read(dir.path().join("leaky/without-leak/model.safetensors")).unwrap();
    assert!(inside == fs::read(dir.path().join("by_track/model.safetensors")).unwrap());
    let text = fs::read_to_string(dir.path().join("leaky/report.txt")).unwrap();
    assert!(text.contains("without the leak, on a split by track:"), "{text}");
    assert_eq!(
        cantus_in(dir.path(), "evaluate @/leaky --json").ok().json()["without_leak"],
        leaky["without_leak"]
    );
}

#[test]
fn runs_are_compared_on_the_same_tracks_only() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path());
    let train = "train @/f -m @/small.toml -q";
    cantus_in(dir.path(), &format!("{train} -o @/a")).ok();
    cantus_in(dir.path(), &format!("{train} -o @/b --epochs 1 --learning-rate 1e-9")).ok();
    cantus_in(dir.path(), &format!("{train} -o @/c --seed 1")).ok();

    let same = cantus_in(dir.path(), "compare @/a @/a --json").ok().json();
    assert_eq!(
        (&same["against_first"][0]["p_value"], &same["against_first"][0]["difference"]),
        (&1.0.into(), &0.0.into())
    );
    let worse = cantus_in(dir.path(), "compare @/a @/b --json").ok().json();
    let accuracy = |run: &str| -> f64 {
        let text = fs::read_to_string(dir.path().join(run).join("report.json")).unwrap();
        number(&serde_json::from_str::<serde_json::Value>(&text).unwrap()["track_accuracy"])
    };
    assert_eq!(number(&worse["runs"][1]["track_accuracy"]), accuracy("b"));
    let against = &worse["against_first"][0];
    assert!((number(&against["difference"]) - (accuracy("b") - accuracy("a"))).abs() < 1e-12);
    assert!(number(&against["interval"]["high"]) < 0.0 && number(&against["p_value"]) < 0.05, "{against}");
    let table = cantus_in(dir.path(), "compare @/a @/b").ok().stdout;
    assert!(table.contains("points worse") && table.contains("30 tracks"), "{table}");

    cantus_in(dir.path(), "compare @/a @/c").exits(1).says(&["different tracks", "with 30", "--common"]);
    let common = cantus_in(dir.path(), "compare @/a @/c --common --json").ok().json();
    let n = number(&common["n_tracks"]);
    assert!(n > 0.0 && n < 30.0 && common["only_common"] == true, "{common}");
    cantus_in(dir.path(), "compare @/a").exits(2);
    cantus_in(dir.path(), "compare @/a @/music").exits(1).says(&["music", "model.safetensors"]);
}
