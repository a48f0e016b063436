//! The audit of recordings in `cantus inspect` and `cantus extract`: issues, exclusion lists, duplicates.

use std::fs;
use std::path::Path;

use crate::run::cantus_in;

/// Three short tracks of each genre; also an exact copy, a copy with another label, a truncated file, and a text file.
fn music() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 9").ok();
    let at = |name: &str| dir.path().join("music").join(name);
    fs::copy(at("pop/pop.00000.wav"), at("pop/again.wav")).unwrap();
    fs::copy(at("jazz/jazz.00001.wav"), at("rock/stray.wav")).unwrap();
    let wav = fs::read(at("blues/blues.00002.wav")).unwrap();
    fs::write(at("blues/blues.00002.wav"), &wav[..wav.len() / 2]).unwrap();
    fs::write(at("metal/text.mp3"), "this is no music").unwrap();
    dir
}

#[test]
fn inspect_lists_issues_by_kind_and_all_files_only_with_all() {
    let dir = music();
    let text = cantus_in(dir.path(), "inspect @/music").exits(3).stdout;
    for line in ["exact duplicate: 1 file", "two labels: 2 files", "truncated: 1 file", "unreadable: 1 file"]
    {
        assert!(text.contains(line), "{line} is missing in: {text}");
    }
    assert!(text.contains("2 labels: jazz, rock; the same samples as rock/stray.wav"), "{text}");
    assert!(text.contains("32 recordings, 4 min") && text.contains("10 classes: blues 3"), "{text}");
    assert!(!text.contains("pcm_s16le"), "a file without issues is named: {text}");
    let all = cantus_in(dir.path(), "inspect @/music --all").exits(3).stdout;
    assert_eq!(all.lines().filter(|line| line.contains("pcm_s16le")).count(), 32, "{all}");
    let file = cantus_in(dir.path(), "inspect @/music/pop/again.wav").ok().stdout;
    assert!(file.contains("pcm_s16le"), "{file}");
}

#[test]
fn inspect_reports_the_same_as_json() {
    let dir = music();
    let document = cantus_in(dir.path(), "inspect @/music --json").exits(3).json();
    let issues = document["findings"].as_array().unwrap();
    let kinds: Vec<&str> = issues.iter().map(|issue| issue["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "two_labels").count(), 2, "{kinds:?}");
    assert_eq!(document["duplicates"].as_array().unwrap().len(), 2);
    let again = document["tracks"].as_array().unwrap().iter();
    let again: Vec<_> = again.filter(|track| !track["findings"].as_array().unwrap().is_empty()).collect();
    assert_eq!(again.len(), 4, "{again:?}");
    assert!(document["failed"][0]["path"].as_str().unwrap().ends_with("text.mp3"));
}

#[test]
fn extraction_leaves_out_the_files_of_an_exclusion_list() {
    let dir = music();
    cantus_in(dir.path(), "inspect @/music --exclusions @/bad.csv").exits(3);
    let list = fs::read_to_string(dir.path().join("bad.csv")).unwrap();
    for path in [
        "pop/pop.00000.wav,exact duplicate",
        "jazz/jazz.00001.wav",
        "rock/stray.wav",
        "metal/text.mp3,unreadable",
    ] {
        assert!(
            list.lines().any(|line| line.replace('"', "").starts_with(path)),
            "{path} is missing in: {list}"
        );
    }
    assert_eq!(list.lines().count(), 5, "{list}");
    fs::write(dir.path().join("bad.csv"), format!("{list}rock/never.wav,by hand\n")).unwrap();
    let said = cantus_in(dir.path(), "extract @/music -o @/f --exclude @/bad.csv").ok().stderr;
    assert!(said.contains("rock/never.wav is no track of") && said.contains("4 files left out"), "{said}");
    assert!(said.contains("29 tracks"), "{said}");
    cantus_in(dir.path(), "extract @/music -o @/f --exclude @/none.csv").exits(1).says(&["none.csv"]);
    fs::write(dir.path().join("other.csv"), "[train]\nepochs = 3\n").unwrap();
    let line = "extract @/music -o @/g --exclude @/other.csv";
    let other = cantus_in(dir.path(), line).exits(1).stderr;
    assert!(other.contains("none of its paths") && other.contains("path,reason"), "{other}");
}

#[test]
fn extract_audits_and_training_keeps_copies_in_one_part() {
    let dir = music();
    let said = cantus_in(dir.path(), "extract @/music -o @/f").exits(3).stderr;
    assert!(said.contains("audit: 1 unreadable, 2 two labels, 1 exact duplicate, 1 truncated"), "{said}");
    let said = cantus_in(dir.path(), "extract @/music -o @/g --audit strict").exits(1).stderr;
    assert!(said.contains("the audit found: 1 unreadable") && said.contains("--exclude"), "{said}");
    cantus_in(dir.path(), "train @/g -o @/run --epochs 1").exits(1).says(&["did not finish"]);
    let said = cantus_in(dir.path(), "extract @/music -o @/off --audit off").exits(3).stderr;
    assert!(!said.contains("audit"), "{said}");
    for seed in 0..3 {
        let said = cantus_in(
            dir.path(),
            &format!("train @/f -o @/run-{seed} --epochs 1 --validation 0 --seed {seed}"),
        );
        assert!(said.ok().stderr.contains("4 tracks are copies of 2 recordings"));
        together(&dir.path().join(format!("run-{seed}/split.csv")));
    }
}

/// Asserts that the copies of each recording are in one part.
fn together(split: &Path) {
    let text = fs::read_to_string(split).unwrap();
    let part = |path: &str| {
        let line =
            text.lines().find(|line| line.starts_with(path)).unwrap_or_else(|| panic!("{path}: {text}"));
        line.rsplit(',').next().unwrap().to_owned()
    };
    assert_eq!(part("pop/again.wav"), part("pop/pop.00000.wav"), "{text}");
    assert_eq!(part("jazz/jazz.00001.wav"), part("rock/stray.wav"), "{text}");
}

#[test]
fn a_given_split_with_copies_in_several_parts_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 2 --duration 6").ok();
    fs::copy(dir.path().join("music/pop/pop.00000.wav"), dir.path().join("music/pop/copy.wav")).unwrap();
    let list = "path,label,split\npop/pop.00000.wav,pop,train\npop/copy.wav,pop,test\npop/pop.00001.wav,pop,train\n\
                rock/rock.00000.wav,rock,train\nrock/rock.00001.wav,rock,test\n";
    fs::write(dir.path().join("music/tracks.csv"), list).unwrap();
    let said =
        cantus_in(dir.path(), "train @/music/tracks.csv -o @/run --epochs 1 --validation 0").ok().stderr;
    assert!(said.contains("the given split has copies of pop/copy.wav in several parts"), "{said}");
}

#[test]
fn a_manifest_is_inspected_like_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 2 --duration 3").ok();
    let music = dir.path().join("music");
    fs::copy(music.join("pop/pop.00000.wav"), music.join("copy.wav")).unwrap();
    let manifest = "path;label\npop\\pop.00000.wav;pop\n.\\pop\\pop.00001.wav;pop\ncopy.wav;rock\n\
                    rock/rock.00000.wav;rock\nnone.wav;rock\n";
    fs::write(music.join("tracks.csv"), manifest).unwrap();
    let ran = cantus_in(dir.path(), "inspect @/music/tracks.csv --exclusions @/bad.csv --json").exits(3);
    let document = ran.json();
    let tracks = document["tracks"].as_array().unwrap();
    let labels: Vec<&str> = tracks.iter().map(|track| track["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["pop", "pop", "rock", "rock"]);
    assert!(document["failed"][0]["path"].as_str().unwrap().ends_with("none.wav"), "{document}");
    assert_eq!(document["duplicates"].as_array().unwrap().len(), 1, "{document}");
    let bad = fs::read_to_string(dir.path().join("bad.csv")).unwrap();
    assert!(bad.contains("\ncopy.wav,") && bad.contains("\nnone.wav,"), "{bad}");
    let text = cantus_in(dir.path(), "inspect @/music/tracks.csv").exits(3).stdout;
    assert!(text.contains("copy.wav") && !text.contains("music/copy.wav"), "{text}");
    let line = "inspect @/music/tracks.csv @/music";
    cantus_in(dir.path(), line).exits(2).says(&["tracks.csv: give a manifest alone"]);
    // In the manifest's own folder.
    let ran = crate::run::command().current_dir(&music).args(["inspect", "tracks.csv"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(3), "{ran:?}");
}
