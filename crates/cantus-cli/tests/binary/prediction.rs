//! `cantus predict`: most probable labels, unknown, timelines, standard input, genre tags and their undo.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::cantus_in;

/// Two tracks of each of three genres, ten seconds long, and a run trained on them for a few epochs.
fn trained() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/all --tracks 2 --duration 10").ok();
    std::fs::create_dir(dir.path().join("music")).unwrap();
    for genre in ["jazz", "metal", "pop"] {
        std::fs::rename(dir.path().join("all").join(genre), dir.path().join("music").join(genre)).unwrap();
    }
    cantus_in(
        dir.path(),
        "train @/music -m mlp-normalised -o @/run --epochs 4 --learning-rate 1e-3 --validation 0",
    )
    .ok();
    dir
}

#[test]
fn top_lists_the_most_probable_labels_first() {
    let dir = trained();
    let document = cantus_in(dir.path(), "predict @/run @/music/jazz --top 2 --json").ok().json();
    let track = &document["tracks"][0];
    let top = track["top"].as_array().unwrap();
    assert_eq!((top.len(), &top[0]["label"]), (2, &track["label"]));
    assert!(top[0]["probability"].as_f64() >= top[1]["probability"].as_f64());
    let csv = cantus_in(dir.path(), "predict @/run @/music/jazz --top 2 --csv").ok().stdout;
    assert!(csv.starts_with("path,label,probability,label_1,probability_1,label_2,probability_2\n"), "{csv}");
    cantus_in(dir.path(), "predict @/run @/music --top 0").exits(2);
}

#[test]
fn a_minimum_confidence_of_1_gives_unknown() {
    let dir = trained();
    let document = cantus_in(dir.path(), "predict @/run @/music/jazz --min-confidence 1 --json").ok().json();
    for track in document["tracks"].as_array().unwrap() {
        let is_confident = track["probability"] == 1.0;
        assert_eq!(track["label"] == "unknown", !is_confident, "{track}");
    }
    let ran = cantus_in(dir.path(), "predict @/run @/music --min-confidence 60").exits(2);
    assert!(ran.stderr.contains("a probability from 0 to 1 is expected"), "{}", ran.stderr);
}

#[test]
fn a_timeline_has_every_window_with_its_time() {
    let dir = trained();
    cantus_in(dir.path(), "predict @/run @/music/jazz/jazz.00000.wav --timeline @/t.csv").ok();
    let table = std::fs::read_to_string(dir.path().join("t.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "start_s,end_s,label,probability,jazz,metal,pop");
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[2].starts_with("3.000000,6.000000,"), "{table}");

    cantus_in(dir.path(), "predict @/run @/music --timeline @/when/{dir}/{name}.txt").ok();
    let track = std::fs::read_to_string(dir.path().join("when/pop/pop.00001.txt")).unwrap();
    let fields: Vec<&str> = track.lines().next().unwrap().split('\t').collect();
    assert_eq!((fields[0], fields.len()), ("0.000000", 3), "{track}");
    cantus_in(dir.path(), "predict @/run @/music --timeline @/pictures/{dir}-{name}.png").ok();
    assert!(
        std::fs::read(dir.path().join("pictures/metal-metal.00000.png")).unwrap().starts_with(b"\x89PNG")
    );

    let ran = cantus_in(dir.path(), "predict @/run @/music/jazz --timeline @/t.csv").exits(2);
    ran.says(&["t.csv", "timelines of several recordings need a folder"]);
    let ran = cantus_in(dir.path(), "predict @/run @/music/jazz/jazz.00000.wav --timeline @/t.doc").exits(2);
    ran.says(&["t.doc", ".csv, .txt, .json, .png or .svg"]);
}

#[test]
fn standard_input_is_predicted_as_the_file_is() {
    let dir = trained();
    let song = dir.path().join("music/pop/pop.00000.wav");
    let by_name = cantus_in(dir.path(), "predict @/run @/music/pop/pop.00000.wav --json").ok().json();
    let predict = |stdin: File, more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_cantus"))
            .args(["predict", dir.path().join("run").to_str().unwrap(), "-", "--json"])
            .args(more)
            .stdin(Stdio::from(stdin))
            .output()
            .unwrap()
    };
    let output = predict(File::open(&song).unwrap(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut by_pipe: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(by_pipe["tracks"][0]["path"], "-");
    by_pipe["tracks"][0]["path"] = by_name["tracks"][0]["path"].clone();
    assert_eq!(by_pipe, by_name);

    let output = predict(File::open("/dev/null").unwrap(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let output = predict(File::open(&song).unwrap(), &["--write-tags"]);
    assert_eq!(output.status.code(), Some(2));
    cantus_in(dir.path(), "predict @/run - @/music").exits(2).says(&["no other path beside it"]);
}

#[test]
fn labels_are_written_into_the_genre_tags_and_undone() {
    let dir = trained();
    let songs = |of: &str| {
        let mut files: Vec<_> =
            walk(&dir.path().join(of)).into_iter().map(|path| std::fs::read(path).unwrap()).collect();
        files.sort();
        files
    };
    let before = songs("music");
    let dry = cantus_in(dir.path(), "predict @/run @/music --write-tags --dry-run").ok();
    assert!(dry.stderr.contains("6 genre tags would be changed; nothing was written"), "{}", dry.stderr);
    assert_eq!(songs("music"), before);

    let line = "predict @/run @/music --write-tags --undo-file @/undo.jsonl --json";
    let predictions = cantus_in(dir.path(), line).ok().json();
    let inspected = cantus_in(dir.path(), "inspect @/music --json").ok().json();
    for track in predictions["tracks"].as_array().unwrap() {
        let same = |file: &&serde_json::Value| file["path"] == track["path"];
        let file = inspected["tracks"].as_array().unwrap().iter().find(same).unwrap();
        assert_eq!(file["tags"]["genre"], track["label"]);
    }
    cantus_in(dir.path(), line).exits(2).says(&["undo.jsonl", "give another file"]);
    let again = cantus_in(dir.path(), "predict @/run @/music --json").ok().json();
    assert_eq!(again, predictions, "the audio is unchanged");

    cantus_in(dir.path(), "undo-tags @/undo.jsonl").ok().says(&["6 files restored"]);
    cantus_in(dir.path(), "undo-tags @/undo.jsonl").ok().says(&["0 files restored, 6 already"]);
    assert_eq!(songs("music"), before);
    cantus_in(dir.path(), "undo-tags @/run/report.json").exits(1).says(&["--write-tags"]);
}

#[test]
fn unknown_is_not_written_into_tags() {
    let dir = trained();
    let ran =
        cantus_in(dir.path(), "predict @/run @/music --min-confidence 1 --write-tags --dry-run --json").ok();
    let n_sure =
        ran.json()["tracks"].as_array().unwrap().iter().filter(|track| track["label"] != "unknown").count();
    assert!(ran.stderr.contains(&format!("{n_sure} genre tags would be changed")), "{}", ran.stderr);
}

/// All recordings below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "wav"))
        .collect()
}
