//! Bad input gives one line of error with a remedy, and a specific exit code.

use std::fs;
use std::path::Path;

use crate::run::{cantus, cantus_in};

/// A WAV file of 16-bit mono at 22 050 Hz.
pub fn write_wav(path: &Path, n_channels: u16, samples: &[i16]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let n_bytes = (samples.len() * 2) as u32;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + n_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(n_channels.to_le_bytes());
    bytes.extend(22_050_u32.to_le_bytes());
    bytes.extend((22_050 * u32::from(n_channels) * 2).to_le_bytes());
    bytes.extend((n_channels * 2).to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(n_bytes.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn sine(n: usize) -> Vec<i16> {
    (0..n).map(|i| ((i as f32 * 0.1).sin() * 12_000.0) as i16).collect()
}

/// A folder of music and a run trained on it.
fn trained() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "train @/music -m mlp-normalised -o @/run --epochs 1").ok();
    dir
}

#[test]
fn no_such_folder() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "extract @/nowhere -o @/f").exits(1).says(&["nowhere", "no such"]);
    cantus_in(dir.path(), "train @/nowhere -o @/run").exits(1).says(&["nowhere", "no such"]);
    cantus_in(dir.path(), "inspect @/nowhere").exits(1).says(&["nowhere", "no such"]);
    cantus_in(dir.path(), "evaluate @/nowhere").exits(1).says(&["nowhere"]);
    cantus_in(dir.path(), "predict @/nowhere @/x.mp3").exits(1).says(&["nowhere"]);
}

#[test]
fn an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    cantus_in(dir.path(), "extract @/empty -o @/f").exits(1).says(&["empty", "no audio files"]);
    cantus_in(dir.path(), "inspect @/empty").exits(1).says(&["empty", "no audio files"]);
}

#[test]
fn recordings_without_label_folders() {
    let dir = tempfile::tempdir().unwrap();
    write_wav(&dir.path().join("flat/a.wav"), 1, &sine(1000));
    cantus_in(dir.path(), "extract @/flat -o @/f").exits(1).says(&["<label>"]);
}

#[test]
fn one_class_only() {
    let dir = tempfile::tempdir().unwrap();
    write_wav(&dir.path().join("one/jazz/a.wav"), 1, &sine(70_000));
    cantus_in(dir.path(), "extract @/one -o @/f").exits(1).says(&["only one class", "jazz"]);
}

#[test]
fn a_class_with_one_track() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a/1", "a/2", "a/3", "a/4", "b/1"] {
        write_wav(&dir.path().join(format!("m/{name}.wav")), 1, &sine(70_000));
    }
    let train = "train @/m -o @/run --epochs 1 --quiet";
    // Four files with the same samples are one recording.
    cantus_in(dir.path(), train)
        .exits(1)
        .says(&["'a'", "1 different recording (its 4 tracks are duplicates)"]);
    for number in 2..=4 {
        let other: Vec<i16> = sine(70_000).iter().map(|sample| sample / number + 7 * (sample % 13)).collect();
        write_wav(&dir.path().join(format!("m/a/{number}.wav")), 1, &other);
    }
    fs::remove_dir_all(dir.path().join("run")).ok();
    cantus_in(dir.path(), train).exits(1).says(&["'b'", "1 track"]);
}

#[test]
fn files_without_audio_are_reported_with_their_reason() {
    let dir = trained();
    let bad = dir.path().join("bad");
    fs::create_dir(&bad).unwrap();
    fs::write(bad.join("zero.wav"), b"").unwrap();
    fs::write(bad.join("text.mp3"), "Dear diary, today I was renamed.\n".repeat(100)).unwrap();
    write_wav(&bad.join("silence.wav"), 1, &vec![0; 100_000]);
    write_wav(&bad.join("short.wav"), 1, &sine(2205));
    write_wav(&bad.join("channels.wav"), 105, &sine(105 * 100));
    let ran = cantus_in(dir.path(), "predict @/run @/bad --json").exits(1);
    let document = ran.json();
    assert_eq!(document["tracks"], serde_json::json!([]));
    let failed = document["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 5);
    for (name, word) in [
        ("channels", "105"),
        ("short", "0.1"),
        ("silence", "silent"),
        ("text", "text file"),
        ("zero", "empty"),
    ] {
        let entry = failed.iter().find(|f| f["path"].as_str().unwrap().contains(name)).unwrap();
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains(word), "{name}: `{word}` is missing in: {reason}");
        assert_eq!(reason.lines().count(), 1);
    }
}

#[test]
fn files_without_audio_do_not_stop_an_extraction() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    fs::write(dir.path().join("music/jazz/jazz.00054.wav"), b"").unwrap();
    write_wav(&dir.path().join("music/pop/short.WAV"), 1, &sine(2205));
    write_wav(&dir.path().join("music/pop/silence.wav"), 1, &vec![0; 100_000]);
    let ran = cantus_in(dir.path(), "extract @/music -o @/f --preset course").exits(3);
    let failures = fs::read_to_string(dir.path().join("f/failures.csv")).unwrap();
    for name in ["jazz.00054.wav", "short.WAV", "silence.wav"] {
        assert!(failures.contains(name), "{name} is missing in: {failures}");
        assert!(ran.stderr.contains(name), "{name} is missing in: {}", ran.stderr);
    }
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let dir = trained();
    let file = dir.path().join("music/pop/pop.00000.wav");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        println!("skipped: this user may read every file");
        return;
    }
    let ran = cantus_in(dir.path(), "predict @/run @/music/pop --json").exits(3);
    assert!(ran.json()["failed"][0]["reason"].as_str().unwrap().contains("ermission"), "{}", ran.stdout);
}

#[test]
fn an_invalid_or_tampered_model_is_reported() {
    let dir = trained();
    let model = fs::read(dir.path().join("run/model.safetensors")).unwrap();
    let song = "@/music/pop/pop.00000.wav";
    let attempt = |bytes: &[u8], words: &[&str]| {
        fs::write(dir.path().join("m.safetensors"), bytes).unwrap();
        cantus_in(dir.path(), &format!("predict @/m.safetensors {song}")).exits(1).says(words);
    };
    attempt(b"", &["not a Cantus model"]);
    attempt(b"what is this", &["not a Cantus model"]);
    attempt(&model[..model.len() - 100], &["not a Cantus model", "truncated"]);
    let mut flipped = model.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    attempt(&flipped, &["tampered"]);
    let header = replaced(&model, r#"\"format\":2"#, r#"\"format\":9"#);
    attempt(&header, &["format 9", "update cantus"]);
    let header = replaced(&model, r#"\"n_fft\":2048"#, r#"\"n_fft\":1024"#);
    attempt(&header, &["tampered"]);
}

/// The bytes with the text `from`, which must occur, replaced by `to` of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{from} is not in the file"));
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn nan_in_a_data_json_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = "{\"mapping\": [\"a\", \"b\"],\n\"labels\": [0],\n\"mfcc\": [[[1.0, NaN]]]}";
    fs::write(dir.path().join("data.json"), text).unwrap();
    cantus_in(dir.path(), "extract @/data.json -o @/f")
        .exits(1)
        .says(&["data.json", "NaN at line 3 column 17"]);
    assert!(!dir.path().join("f").exists());
}

#[test]
fn an_extraction_that_gave_nothing_does_not_block_the_next() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a/1", "b/1"] {
        write_wav(&dir.path().join(format!("m/{name}.wav")), 1, &sine(30_000));
    }
    fs::write(dir.path().join("silent.csv"), "path,label\ns/1.wav,a\ns/2.wav,b\n").unwrap();
    for name in ["1", "2"] {
        write_wav(&dir.path().join(format!("s/{name}.wav")), 1, &[0; 30_000]);
    }
    let silent = "extract @/silent.csv -o @/f -q";
    cantus_in(dir.path(), silent).exits(1).says(&["none of the 2 tracks has a segment", "silent"]);
    cantus_in(dir.path(), "extract @/m -o @/f --segment 1").ok();
    // Recordings that are all too short are refused before anything is extracted.
    for line in
        ["extract @/m -o @/g --preset course", "train @/m -m mlp -o @/run", "train @/m -m cnn -o @/run"]
    {
        cantus_in(dir.path(), line)
            .exits(1)
            .says(&["2 of 2 recordings are shorter than a segment of 3.00 s"]);
    }
    assert!(!dir.path().join("g").exists());
}

#[test]
fn a_run_rejects_features_of_another_specification() {
    let dir = trained();
    cantus_in(dir.path(), "extract @/music -o @/other --n-mfcc 20").ok();
    cantus_in(dir.path(), "evaluate @/run --features @/other").exits(1).says(&["n_mfcc"]);
    cantus_in(dir.path(), "extract @/music -o @/other -q").exits(1).says(&["other", "n_mfcc"]);
}

#[test]
fn a_run_is_not_scored_on_tracks_of_the_same_names() {
    let dir = trained();
    cantus_in(dir.path(), "compose @/others --tracks 3 --duration 6 --seed 1").ok();
    cantus_in(dir.path(), "extract @/others -o @/other").ok();
    cantus_in(dir.path(), "evaluate @/run --features @/other").exits(1).says(&["run", "not those"]);
}

#[test]
fn missing_groups() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    cantus_in(dir.path(), "train @/f -o @/run --split group").exits(1).says(&["no track has a group"]);
    cantus_in(dir.path(), "train @/f -o @/run --group artist").exits(1).says(&["artist tag"]);
    let ran = cantus_in(dir.path(), "train @/f -o @/run --group @/arist").exits(1);
    ran.says(&["arist", "no such grouping", "CSV"]);
}

#[test]
fn a_run_that_is_replaced_never_contains_the_old_model_with_the_new_report() {
    let dir = trained();
    fs::remove_dir_all(dir.path().join("run/plots")).unwrap();
    fs::write(dir.path().join("run/plots"), "in the way").unwrap();
    cantus_in(dir.path(), "train @/music -o @/run --epochs 1 --quiet --overwrite --json")
        .exits(1)
        .says(&["plots"]);
    assert!(!dir.path().join("run/model.safetensors").exists());
}

#[test]
fn a_cause_is_printed_once() {
    let dir = tempfile::tempdir().unwrap();
    let error = cantus_in(dir.path(), "extract @/none.json -o @/f").exits(1).stderr;
    assert_eq!(error.matches("No such file").count(), 1, "{error}");
}

#[test]
#[cfg(unix)]
fn a_pipe_is_reported_and_not_read() {
    let dir = trained();
    let pipe = dir.path().join("music/pop/pipe.wav");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for line in ["predict @/run @/music/pop", "inspect @/music/pop", "extract @/music -o @/f"] {
        let error = cantus_in(dir.path(), line).exits(3).stderr;
        assert!(error.contains("pipe.wav: neither a file nor a folder"), "{line}: {error}");
    }
    // `extract` accepts the list that `inspect` writes.
    cantus_in(dir.path(), "inspect @/music --exclusions @/bad.csv").exits(3);
    let said = cantus_in(dir.path(), "extract @/music -o @/g --exclude @/bad.csv").ok().stderr;
    assert!(said.contains("1 file left out") && !said.contains("is no track"), "{said}");
}

#[test]
fn audio_with_another_extension_is_skipped_and_reported() {
    let dir = trained();
    let song = dir.path().join("music/pop/pop.00000.wav");
    fs::copy(&song, dir.path().join("music/pop/song")).unwrap();
    fs::write(dir.path().join("music/pop/notes.txt"), "no sound").unwrap();
    for line in [
        "predict @/run @/music/pop",
        "inspect @/music",
        "extract @/music -o @/f",
        "features @/music -k rms -o @/r",
    ] {
        let said = cantus_in(dir.path(), line).ok().stderr;
        assert!(said.contains("music/pop/song holds sound, but is not named"), "{line}: {said}");
        assert!(!said.contains("notes.txt"), "{line}: {said}");
    }
}

#[test]
fn a_training_does_not_write_into_a_folder_of_other_files() {
    let dir = trained();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    fs::create_dir(dir.path().join("mine")).unwrap();
    fs::write(dir.path().join("mine/report.md"), "my thesis").unwrap();
    for line in [
        "train @/f -o @/mine",
        "train @/f -o @/mine --overwrite",
        "train @/f -o @/f",
        "train @/f -o @/mine --folds 2",
    ] {
        cantus_in(dir.path(), line).exits(1).says(&["not empty and no run"]);
    }
    assert_eq!(fs::read_to_string(dir.path().join("mine/report.md")).unwrap(), "my thesis");
    // A training that fails before it starts leaves no folder.
    cantus_in(dir.path(), "train @/nothing -o @/left").exits(1);
    assert!(!dir.path().join("left").exists());
}

#[test]
fn an_unwritable_output() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    cantus_in(dir.path(), "compose @/file/music --tracks 1 --duration 1").exits(1).says(&["file"]);
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), "extract @/music -o @/file/f -q").exits(1).says(&["file"]);
    cantus_in(dir.path(), "train @/music -o @/file/run --epochs 1").exits(1).says(&["file"]);
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -o @/file/x.npy").exits(1).says(&["file"]);
}

#[test]
fn wrong_usage_exits_with_2() {
    cantus(&["predict"]).exits(2);
    cantus(&["sing"]).exits(2);
    cantus(&["compose", "x", "--tracks", "many"]).exits(2);
    cantus(&["compose", "x", "--tracks", "99999999999"]).exits(2);
    cantus(&["compose", "x", "--duration", "NaN"]).exits(2);
    cantus(&["demo", "--duration", "0"]).exits(2);
    cantus(&["train", "x", "-o", "y", "--epochs", "0"]).exits(2);
    cantus(&["train", "x", "-o", "y", "--learning-rate", "-1"]).exits(2);
    let error = cantus(&["plot", "activations", "run", "-o", "x.svg"]).exits(2).stderr;
    assert!(error.contains("run: activations are drawn without a run"), "{error}");
    let error = cantus(&["serve", "run", "--max-body", "1.5MiB"]).exits(2).stderr;
    assert!(error.contains("KiB, MiB, GiB, kB, MB or GB"), "{error}");
    let error = cantus(&["serve", "/no/run", "--max-body", "1MiB"]).exits(1).stderr;
    assert!(error.contains("/no/run"), "{error}");
    let error = cantus(&["lesson", "1"]).exits(2).stderr;
    assert!(error.contains("lecture has no program"), "{error}");
    let error = cantus(&["features", "x.wav", "-o", "x.doc"]).exits(2).stderr;
    assert!(error.contains(".npy"), "{error}");
    let error = cantus(&["train", "x", "-m", "mpl", "-o", "y"]).exits(2).stderr;
    assert!(error.contains("mlp-regularised"), "{error}");
}
