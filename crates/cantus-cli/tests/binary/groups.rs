//! Groups: kept whole by default, measured by `--split track`, respected by p-values, and never a reason to fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cantus_audio::{Audio, write_wav};
use serde_json::Value;

use crate::run::{Ran, cantus_in};

/// Layers so small that an epoch takes milliseconds.
const RECIPE: &str = r#"
normalize = true
[training]
epochs = 40
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 3e-3 }
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 32
activation = "relu"
"#;

const N_SPEAKERS: usize = 24;
const N_TRACKS: usize = 4;
const SAMPLE_RATE: u32 = 22_050;

/// Four recordings of each of 24 speakers. The speaker has one of two classes, and pitch and timbre of their own, from
/// which the class of another speaker does not follow: a split by track can recognise the speaker, one by group only guess.
fn features(dir: &Path, group: impl Fn(usize) -> String) {
    let mut manifest = "path,label,group\n".to_owned();
    fs::create_dir_all(dir.join("music")).unwrap();
    for speaker in 0..N_SPEAKERS {
        let label = class(speaker);
        for number in 0..N_TRACKS {
            let path = format!("{label}-{speaker:02}-{number}.wav");
            write_wav(dir.join("music").join(&path), &voice(speaker, number)).unwrap();
            manifest += &format!("{path},{label},{}\n", group(speaker));
        }
    }
    fs::write(dir.join("music/tracks.csv"), manifest).unwrap();
    fs::write(dir.join("small.toml"), RECIPE).unwrap();
    cantus_in(dir, "extract @/music/tracks.csv -o @/f --audit off").ok();
}

/// Twelve speakers of each class, spread over the whole range of pitches (the sequence of Thue and Morse).
fn class(speaker: usize) -> &'static str {
    ["left", "right"][speaker.count_ones() as usize % 2]
}

/// Three seconds of a tone and its harmonics, at a pitch and with a timbre of the speaker's own.
fn voice(speaker: usize, number: usize) -> Audio {
    let pitch = 110.0 * 2.0_f32.powf(speaker as f32 / 8.0) * (1.0 + 0.002 * number as f32);
    let n = 3 * SAMPLE_RATE as usize + 500;
    let sample = |i: usize| {
        let t = i as f32 / SAMPLE_RATE as f32;
        let harmonic = |k: usize| {
            let level = if (speaker >> (k % 5)) & 1 == 1 { 0.2 } else { 0.05 };
            level * (std::f32::consts::TAU * pitch * (k + 1) as f32 * t).sin()
        };
        (0..6).map(harmonic).sum()
    };
    Audio { samples: (0..n).map(sample).collect(), sample_rate: SAMPLE_RATE }
}

fn of_speakers(speaker: usize) -> String {
    format!("speaker-{speaker}")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The part of each group, according to `split.csv`; `None` if it is in several.
fn parts_of_groups(run: &Path) -> BTreeMap<String, Option<String>> {
    let mut parts: BTreeMap<String, Option<String>> = BTreeMap::new();
    for row in csv::Reader::from_path(run.join("split.csv")).unwrap().into_deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let part = parts.entry(row["group"].clone()).or_insert_with(|| Some(row["part"].clone()));
        if part.as_ref() != Some(&row["part"]) {
            *part = None;
        }
    }
    parts
}

fn train(dir: &Path, options: &str) -> Ran {
    cantus_in(dir, &format!("train @/f -m @/small.toml {options}")).ok()
}

#[test]
fn groups_of_a_manifest_are_kept_whole_and_the_first_line_says_so() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), of_speakers);
    let ran = train(dir.path(), "-o @/run");
    let notes: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("--split track")).collect();
    assert_eq!(notes.len(), 1, "{}", ran.stderr);
    assert!(
        notes[0].contains("split by group: 24 groups of the manifest, none in two parts"),
        "{}",
        notes[0]
    );
    let parts = parts_of_groups(&dir.path().join("run"));
    assert_eq!(parts.len(), N_SPEAKERS);
    assert!(parts.values().all(Option::is_some), "{parts:?}");

    let line = "plit by group: 24 groups, none in two parts";
    let read = |name: &str| fs::read_to_string(dir.path().join("run").join(name)).unwrap();
    assert_eq!(read("report.txt").lines().next().unwrap(), format!("s{line}"));
    assert_eq!(read("report.md").lines().nth(2).unwrap(), format!("S{line}."));
    assert!(read("report.html").contains(&format!("S{line}.")));
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report["split"]["by"], "group");
    let groups = serde_json::json!({"n_groups": 24, "n_ungrouped": 0, "are_artists": false});
    assert_eq!(report["split"]["groups"], groups);
    assert!(report["without_leak"].is_null() && !dir.path().join("run/without-leak").exists());
    assert_eq!(cantus_in(dir.path(), "evaluate @/run --json").ok().json(), report);
    // The same command with `--split group` gives the same bytes.
    train(dir.path(), "-o @/explicit --split group");
    let model = |run: &str| fs::read(dir.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("run") == model("explicit"));
}

#[test]
fn a_split_by_track_leaves_a_remark_with_the_measured_difference() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), of_speakers);
    let by_group = train(dir.path(), "--test 0.4 -o @/by_group --json").json();
    let by_track = train(dir.path(), "--test 0.4 -o @/by_track --split track --json").json();
    let accuracy = |report: &Value| number(&report["track_accuracy"]);
    assert!(accuracy(&by_track) > accuracy(&by_group) + 0.2, "{by_track}\n{by_group}");
    for name in ["accuracy", "track_accuracy", "n_tracks", "n_segments"] {
        assert_eq!(by_track["without_leak"][name], by_group[name], "{name}");
    }
    assert_eq!(by_track["without_leak"]["by"], "group");
    let remarks: Vec<&str> =
        by_track["remarks"].as_array().unwrap().iter().map(|remark| remark.as_str().unwrap()).collect();
    let measured = format!(
        "track accuracy {:.1} % by track; {:.1} % when no group is in two parts",
        100.0 * accuracy(&by_track),
        100.0 * accuracy(&by_group)
    );
    assert!(remarks.iter().any(|remark| remark.starts_with(&measured)), "{remarks:?}");
    assert!(
        remarks.iter().any(|remark| remark.contains("groups are both in the training and in the test part")),
        "{remarks:?}"
    );
    let text = fs::read_to_string(dir.path().join("by_track/report.txt")).unwrap();
    assert!(text.contains("without the leak, on a split by group:") && text.starts_with("track accuracy"));
    assert!(text.contains(&format!("note: {measured}")), "{text}");
    let inside = fs::read(dir.path().join("by_track/without-leak/model.safetensors")).unwrap();
    assert!(inside == fs::read(dir.path().join("by_group/model.safetensors")).unwrap());
    assert_eq!(cantus_in(dir.path(), "evaluate @/by_track --json").ok().json(), by_track);
}

#[test]
fn too_few_groups_fall_back_to_tracks_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    // The class "left" has speakers of its own, the class "right" a single one.
    features(
        dir.path(),
        |speaker| {
            if class(speaker) == "left" { of_speakers(speaker) } else { "one".to_owned() }
        },
    );
    let ran = train(dir.path(), "-o @/run");
    assert!(
        ran.stderr.contains(
            "split by track, although there are 13 groups of the manifest: class 'right' has 1 group"
        ),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("split by group"), "{}", ran.stdout);
    assert!(ran.stdout.contains("groups cannot be kept whole: class 'right' has 1 group"), "{}", ran.stdout);
    let run = dir.path().join("run");
    assert!(!run.join("without-leak").exists());
    assert_eq!(parts_of_groups(&run)["one"], None, "divided");
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/bad -q --split group")
        .exits(1)
        .says(&["has 1 group"]);
    let ran = train(dir.path(), "-o @/folds --folds 3");
    assert!(ran.stderr.contains("folds by track, although there are 13 groups"), "{}", ran.stderr);
}

#[test]
fn folds_keep_groups_whole_by_default() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), of_speakers);
    let ran = train(dir.path(), "-o @/run --folds 3");
    assert!(
        ran.stderr.contains("folds by group: 24 groups of the manifest, none in two folds"),
        "{}",
        ran.stderr
    );
    let text = fs::read_to_string(dir.path().join("run/report.txt")).unwrap();
    assert_eq!(text.lines().next().unwrap(), "folds by group: 24 groups, none in two folds");
    let mut fold_of_group: BTreeMap<String, String> = BTreeMap::new();
    for row in csv::Reader::from_path(dir.path().join("run/folds.csv")).unwrap().into_deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let fold = fold_of_group.entry(row["group"].clone()).or_insert_with(|| row["fold"].clone());
        assert_eq!(*fold, row["fold"], "{}", row["group"]);
    }
    let by_track = train(dir.path(), "-o @/by_track --folds 3 --split track --json").json();
    let remarks = by_track["remarks"].to_string();
    assert!(remarks.contains(" groups are both in the training and in the test part"), "{remarks}");
    // The second cross-validation is the one by group.
    let by_group: Value =
        serde_json::from_slice(&fs::read(dir.path().join("run/report.json")).unwrap()).unwrap();
    assert_eq!(by_track["without_leak"]["by"], "group");
    assert_eq!(by_track["without_leak"]["track_accuracy"], by_group["track_accuracy"]);
    let both =
        [&by_track, &by_group].map(|report| format!("{:.1} %", 100.0 * number(&report["track_accuracy"])));
    assert!(both.iter().all(|score| remarks.contains(score)), "{remarks}: {both:?}");
    // Whoever resumes it gets the same report; by group, there is no second one.
    let again = train(dir.path(), "-o @/by_track --folds 3 --split track --resume --json").json();
    assert_eq!(again, by_track);
    // Other folds replace both.
    train(dir.path(), "-o @/by_track --folds 3 --split track --seed 5 --overwrite");
    train(dir.path(), "-o @/by_track --folds 3 --overwrite");
    assert!(!dir.path().join("by_track/without-leak").exists());
}

#[test]
fn p_values_are_over_groups_and_absent_for_few() {
    let dir = tempfile::tempdir().unwrap();
    features(dir.path(), of_speakers);
    // A test part of two speakers of four tracks.
    let few = train(dir.path(), "--test 0.1 -o @/few --json").json();
    let paired = &few["baseline"]["model_against_it"];
    assert!(paired["p_value"].is_null() && number(&paired["n_groups"]) < 6.0, "{paired}");
    let text = fs::read_to_string(dir.path().join("few/report.txt")).unwrap();
    assert!(text.contains("no p-value: it needs 6 groups, and there are"), "{text}");

    let all = train(dir.path(), "-o @/all --folds 3 --json").json();
    let paired = &all["baseline"]["model_against_it"];
    assert!((0.0..=1.0).contains(&number(&paired["p_value"])) && paired["n_groups"] == 24, "{paired}");
    train(dir.path(), "-o @/other --folds 3 --seed 1");
    let comparison = cantus_in(dir.path(), "compare @/all @/other --json").ok().json();
    let against = &comparison["against_first"][0];
    assert!((0.0..=1.0).contains(&number(&against["p_value"])) && against["n_groups"] == 24, "{against}");
    train(dir.path(), "--test 0.1 -o @/fewer --epochs 1");
    let comparison = cantus_in(dir.path(), "compare @/few @/fewer").ok().stdout;
    assert!(comparison.contains("no p-value: it needs 6 groups"), "{comparison}");
}
