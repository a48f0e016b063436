//! `cantus store` and `--shard`: shards and merges, filters, additions, verification, exports; one fold per process.

use std::collections::BTreeMap;
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

/// Twelve short tracks of three genres, and a file that is no audio.
fn music() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/all --tracks 4 --duration 3").ok();
    for genre in ["jazz", "pop", "rock"] {
        let folder = dir.path().join("music").join(genre);
        fs::create_dir_all(&folder).unwrap();
        for file in fs::read_dir(dir.path().join("all").join(genre)).unwrap() {
            let file = file.unwrap();
            fs::rename(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    fs::remove_dir_all(dir.path().join("all")).unwrap();
    fs::write(dir.path().join("music/rock/broken.mp3"), "no audio").unwrap();
    dir
}

/// All files of a folder and its subfolders.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn merged_shards_have_the_bytes_of_an_extraction_without_shards() {
    let dir = music();
    for (name, options) in [("fitted", ""), ("best", "-m best")] {
        cantus_in(dir.path(), &format!("extract @/music -o @/{name} {options}")).exits(3);
        let codes = [1, 2, 3, 4].map(|index| {
            let line = format!("extract @/music -o @/{name}-{index} --shard {index}/4 {options}");
            cantus_in(dir.path(), &line).code
        });
        assert_eq!(
            codes.iter().filter(|code| **code == 3).count(),
            1,
            "one shard has the broken file: {codes:?}"
        );
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 3, "{codes:?}");
        let line = format!("store merge @/{name}-2 @/{name}-1 @/{name}-4 @/{name}-3 -o @/{name}-merged");
        let said = cantus_in(dir.path(), &line).ok().stderr;
        assert!(said.contains("of 12 tracks in 1 part; 1 file without features"), "{said}");
        let folder = |suffix: &str| files(&dir.path().join(format!("{name}{suffix}")));
        assert!(folder("") == folder("-merged"), "{name}");
    }
    let said = cantus_in(dir.path(), "store merge @/best-1 @/best-2 @/best-4 -o @/x").exits(1).stderr;
    assert!(said.contains("is one of 4 shards; give shard 3/4 too"), "{said}");
    let info = cantus_in(dir.path(), "store info @/best-2").ok().stdout;
    assert!(info.contains("shard       2/4"), "{info}");
    let said = cantus_in(dir.path(), "train @/best-2 -m best -o @/run --epochs 1").stderr;
    assert!(said.contains("the features are shard 2/4"), "{said}");
}

#[test]
fn a_shard_that_is_none_and_options_that_need_all_recordings_are_wrong_usage() {
    let dir = music();
    for (options, expected) in [
        ("--shard 5/4", "such as 1/4"),
        ("--shard x", "such as 1/4"),
        ("--shard 1/2 --audit strict", "--audit strict needs all recordings"),
    ] {
        let said = cantus_in(dir.path(), &format!("extract @/music -o @/f {options}")).exits(2).stderr;
        assert!(said.contains(expected), "{options}: {said}");
    }
    assert!(!dir.path().join("f").exists());
}

#[test]
fn the_contents_of_a_store_are_shown_and_verified() {
    let dir = music();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    let text = cantus_in(dir.path(), "store info @/f").ok().stdout;
    for expected in ["features    mfcc, ", "1 file without features", "class", "jazz"] {
        assert!(text.contains(expected), "{text}");
    }
    let json = cantus_in(dir.path(), "store info @/f --json").ok().json();
    assert_eq!((&json["n_tracks"], &json["labels"]["pop"]["n_tracks"]), (&12.into(), &4.into()));
    assert_eq!((&json["shard"], &json["format"]), (&serde_json::Value::Null, &6.into()));
    assert_eq!(json["features"]["kinds"][0], "mfcc");

    let said = cantus_in(dir.path(), "store verify @/f").ok().stderr;
    assert!(said.contains("1 part, intact"), "{said}");
    let part = dir.path().join("f/part-00000.arrow");
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).unwrap();
    let said = cantus_in(dir.path(), "store verify @/f -q").exits(1).stderr;
    assert!(said.lines().count() == 1 && said.contains("part-00000.arrow: damaged"), "{said}");
    cantus_in(dir.path(), "store info @/none").exits(1).says(&["none", "no such file or folder"]);
    cantus_in(dir.path(), "store verify @/music").exits(1).says(&["not a feature store", "cantus extract"]);
}

#[test]
fn a_filtered_store_is_trained_on_and_wrong_conditions_are_named() {
    let dir = music();
    fs::write(dir.path().join("small.toml"), SMALL_RECIPE).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    fs::write(dir.path().join("bad.csv"), "jazz/jazz.00000.wav,quiet\njazz/none.wav,\n").unwrap();
    let said =
        cantus_in(dir.path(), "store filter @/f -o @/g --label jazz,rock --exclude @/bad.csv").ok().stderr;
    assert!(said.contains("jazz/none.wav is no track of") && said.contains("7 tracks"), "{said}");
    let info = cantus_in(dir.path(), "store info @/g --json").ok().json();
    assert_eq!(info["labels"]["jazz"]["n_tracks"], 3);
    cantus_in(dir.path(), "train @/g -m @/small.toml -o @/run --validation 0 --test 0.4").ok();
    cantus_in(dir.path(), "store filter @/f -o @/g --label jazz").exits(1).says(&["exists already"]);
    cantus_in(dir.path(), "store filter @/f -o @/h").exits(2).says(&["nothing to filter by"]);
    cantus_in(dir.path(), "store filter @/f -o @/h --label jaz").exits(1).says(&["'jaz'", "jazz, pop, rock"]);
    cantus_in(dir.path(), "store filter @/f -o @/h --group a").exits(1).says(&["the group 'a'; it has none"]);
}

#[test]
fn recordings_are_added_once_and_a_repeated_addition_adds_nothing() {
    let dir = music();
    let new = dir.path().join("new/pop");
    fs::create_dir_all(&new).unwrap();
    fs::rename(dir.path().join("music/pop/pop.00003.wav"), new.join("pop.00003.wav")).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    let said = cantus_in(dir.path(), "store add @/f @/new").ok().stderr;
    assert!(said.contains("of 1 track added to") && said.contains("0 were in it"), "{said}");
    let before = files(&dir.path().join("f"));
    let said = cantus_in(dir.path(), "store add @/f @/new").ok().stderr;
    assert!(said.contains("of 0 tracks added to") && said.contains("1 were in it"), "{said}");
    assert!(before == files(&dir.path().join("f")));
    cantus_in(dir.path(), "store verify @/f").ok();
    fs::rename(new.join("pop.00003.wav"), dir.path().join("music/pop/pop.00003.wav")).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/whole").exits(3);
    let counts = |store: &str| {
        let info = cantus_in(dir.path(), &format!("store info @/{store} --json")).ok().json();
        (info["labels"].clone(), info["n_segments"].clone(), info["n_failures"].clone())
    };
    assert_eq!(counts("f"), counts("whole"));
}

#[cfg(unix)]
#[test]
fn a_merge_and_an_addition_that_are_killed_leave_no_partial_store() {
    use std::process::{Command, Stdio};
    let dir = music();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    cantus_in(dir.path(), "compose @/more --tracks 12 --duration 3").ok();
    // The other genres, since a recording is in the store if a track has its path.
    for genre in ["jazz", "pop", "rock"] {
        fs::remove_dir_all(dir.path().join("more").join(genre)).unwrap();
    }
    let before = cantus_in(dir.path(), "store info @/f --json").ok().json();
    // At several points of the work.
    for delay_ms in [1, 20, 60, 150, 300] {
        let words = ["store", "add", "f", "more", "--jobs", "1"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
        command.args(words).current_dir(dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        let _ = child.kill();
        child.wait().unwrap();
        cantus_in(dir.path(), "store verify @/f").ok();
        let after = cantus_in(dir.path(), "store info @/f --json").ok().json();
        if after["n_tracks"] != before["n_tracks"] {
            assert_eq!(after["n_tracks"], 12 + 84, "neither as before nor complete");
        }
    }
    cantus_in(dir.path(), "store add @/f @/more").ok();
    assert_eq!(cantus_in(dir.path(), "store info @/f --json").ok().json()["n_tracks"], 12 + 84);

    // What a killed merge leaves does not prevent the next one.
    fs::create_dir_all(dir.path().join(".out.partial/embeddings")).unwrap();
    fs::write(dir.path().join(".out.partial/part-00000.arrow"), "half").unwrap();
    cantus_in(dir.path(), "store merge @/f -o @/out").ok();
    cantus_in(dir.path(), "store verify @/out").ok();
    assert!(!dir.path().join(".out.partial").exists());
}

#[test]
fn a_store_is_exported_in_every_format() {
    let dir = music();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    for (format, name) in [("arrow", "f.arrow"), ("npz", "f.npz"), ("webdataset", "f.wds")] {
        let said =
            cantus_in(dir.path(), &format!("store export @/f -o @/{name} --format {format}")).ok().stderr;
        assert!(said.contains("12 segments"), "{said}");
        assert!(dir.path().join(name).exists());
    }
    let names: Vec<String> = files(&dir.path().join("f.wds")).into_keys().collect();
    assert_eq!(names, ["000000.tar", "dataset.json"]);
    let line = "store export @/f -o @/f.parquet --format parquet";
    cantus_in(dir.path(), line).exits(2).says(&["parquet", "use arrow"]);
    cantus_in(dir.path(), "store export @/f -o @/f.wds --format webdataset")
        .exits(1)
        .says(&["exists already"]);
}

#[test]
fn folds_that_are_trained_one_by_one_give_the_bytes_of_a_cross_validation_in_one_go() {
    let dir = music();
    fs::write(dir.path().join("small.toml"), SMALL_RECIPE).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/f").exits(3);
    let train = "train @/f -m @/small.toml --folds 3 --validation 0";
    cantus_in(dir.path(), &format!("{train} -o @/whole")).ok();
    for fold in [3, 1, 2] {
        let report = cantus_in(dir.path(), &format!("{train} -o @/parts --fold {fold} --json")).ok().json();
        assert_eq!(report["n_tracks"], 4, "the report of the fold");
    }
    cantus_in(dir.path(), &format!("{train} -o @/parts --fold 2")).exits(1).says(&["fold-2", "finished run"]);
    cantus_in(dir.path(), &format!("{train} -o @/parts --fold 2 --resume")).ok();
    cantus_in(dir.path(), &format!("{train} -o @/parts --resume")).ok();
    let (whole, parts) = (files(&dir.path().join("whole")), files(&dir.path().join("parts")));
    assert!(whole.keys().eq(parts.keys()), "{:?}", parts.keys());
    for (name, bytes) in whole.iter().filter(|(name, _)| !is_timed(name)) {
        assert!(parts[name] == *bytes, "{name} differs");
    }
    cantus_in(dir.path(), &format!("{train} -o @/x --fold 4")).exits(2).says(&["there are 3 folds"]);
    cantus_in(dir.path(), "train @/f -m @/small.toml -o @/x --fold 1").exits(2);
    cantus_in(dir.path(), "train @/music -m @/small.toml -o @/x --folds 3 --fold 1")
        .exits(2)
        .says(&["--fold needs a feature store"]);
    assert!(!dir.path().join("x").exists());
}

/// Whether a file of a run contains the duration of the training.
fn is_timed(name: &str) -> bool {
    ["time.json", "report.txt", "report.md", "report.html"].iter().any(|timed| name.ends_with(timed))
}
