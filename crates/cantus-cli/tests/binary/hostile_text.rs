//! Labels and file names reach a terminal escaped, and programs to the byte.

use std::fs;
use std::path::Path;

use crate::model_file::ModelFile;
use crate::run::{Ran, cantus_in};

/// Clears the screen, breaks the line, and reverses the reading order.
const HOSTILE: &str = "a\u{1b}[2J\nb\u{202e}c\u{2066}d";
/// The same for a terminal.
const ESCAPED: &str = "a\\u{1b}[2J\\nb\\u{202e}c\\u{2066}d";

/// Asserts that a terminal shows both streams as they are.
#[track_caller]
fn assert_printable(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let is_plain = |c: char| {
            c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}')
        };
        assert!(text.chars().all(is_plain), "{text:?}");
    }
}

fn model(dir: &Path) -> ModelFile {
    cantus_in(dir, "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir, "train @/music -m mlp-normalised -o @/run --epochs 1").ok();
    ModelFile::read(&dir.join("run/model.safetensors"))
}

#[test]
fn the_labels_of_a_model_are_escaped_in_text_and_exact_in_json() {
    let dir = tempfile::tempdir().unwrap();
    model(dir.path()).write_with(&dir.path().join("m.safetensors"), |metadata| {
        for (i, label) in metadata["labels"].as_array_mut().unwrap().iter_mut().enumerate() {
            *label = format!("{HOSTILE}{i}").into();
        }
    });
    for line in ["predict @/m.safetensors @/music/pop --top 10", "export @/m.safetensors -o @/m.onnx"] {
        let ran = cantus_in(dir.path(), line).ok();
        assert_printable(&ran);
    }
    let text = cantus_in(dir.path(), "predict @/m.safetensors @/music/pop").ok().stdout;
    assert!(text.contains(ESCAPED) && text.lines().count() == 3, "{text}");
    let json = cantus_in(dir.path(), "predict @/m.safetensors @/music/pop --json").ok().json();
    assert!(json["tracks"][0]["label"].as_str().unwrap().starts_with(HOSTILE), "{json}");
}

#[test]
fn empty_and_repeated_labels_of_a_model_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let model = model(dir.path());
    for (label, expected) in
        [("", "a label is empty"), (" \n", "a label is empty"), ("blues", "label 'blues' is twice")]
    {
        model.write_with(&dir.path().join("m.safetensors"), |metadata| metadata["labels"][3] = label.into());
        for line in ["predict @/m.safetensors @/music", "serve @/m.safetensors --port 0"] {
            cantus_in(dir.path(), line).exits(1).says(&["m.safetensors", expected]);
        }
    }
}

#[test]
#[cfg(unix)]
fn labels_and_file_names_of_recordings_are_escaped_by_every_command() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 6").ok();
    let music = dir.path().join("music");
    fs::rename(music.join("pop"), music.join(HOSTILE)).unwrap();
    fs::rename(music.join("jazz/jazz.00000.wav"), music.join(format!("jazz/{HOSTILE}.wav"))).unwrap();
    fs::write(music.join(format!("jazz/{HOSTILE}-damaged.wav")), "no sound").unwrap();
    cantus_in(dir.path(), "train @/music -m mlp-normalised -o @/run --epochs 1").exits(3);
    for (line, code) in [
        ("extract @/music -o @/f", 3),
        ("train @/f -m mlp-normalised -o @/other --epochs 1", 0),
        ("evaluate @/run", 0),
        ("inspect @/music --all", 3),
        ("predict @/run @/music", 3),
        ("compare @/run @/other", 0),
        ("features @/music -o @/arrays", 3),
        ("search @/f @/music/jazz", 3),
    ] {
        let ran = cantus_in(dir.path(), line).exits(code);
        assert_printable(&ran);
    }
    let report = cantus_in(dir.path(), "evaluate @/run").ok().stdout;
    assert!(report.contains(ESCAPED), "{report}");
}

#[test]
fn a_store_with_an_empty_or_a_repeated_label_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 6").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    let path = dir.path().join("f/store.toml");
    let header = fs::read_to_string(&path).unwrap();
    for (label, expected) in [("\"\"", "an empty label"), ("\"country\"", "'country' is twice")] {
        fs::write(&path, header.replace("\"disco\"", label)).unwrap();
        cantus_in(dir.path(), "map @/f -o @/map.html").exits(1).says(&["store.toml", expected]);
    }
}

#[test]
fn a_folder_of_spaces_is_no_label() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    fs::rename(dir.path().join("music/pop"), dir.path().join("music/ ")).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(1).says(&["consists of spaces"]);
}
