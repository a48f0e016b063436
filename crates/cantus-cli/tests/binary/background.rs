//! Sounds of no class: their part of the report, and the class `_background_`, which means "none of these".

use std::fs;
use std::path::Path;

use cantus_audio::noise::NoiseKind;
use cantus_audio::{Audio, augment::KeyedRng, write_wav};

use crate::run::cantus_in;

const SAMPLE_RATE: u32 = 22_050;

/// Three recordings in a folder and its subfolder: chirps, which are none of the sounds that a report has.
fn background(folder: &Path) {
    fs::create_dir_all(folder.join("birds")).unwrap();
    for (number, name) in ["0", "birds/1", "birds/2"].iter().enumerate() {
        let chirp = |i: usize| {
            let t = i as f32 / SAMPLE_RATE as f32;
            let phase =
                std::f32::consts::TAU * (3000.0 + 200.0 * number as f32) * t + 30.0 * (50.0 * t).sin();
            0.2 * phase.sin() * (9.0 * t).sin().max(0.0)
        };
        let audio = Audio { samples: (0..200_000).map(chirp).collect(), sample_rate: SAMPLE_RATE };
        write_wav(folder.join(format!("{name}.wav")), &audio).unwrap();
    }
}

/// Numbers of the sounds, and of those that are given a class.
fn total(noise: &serde_json::Value) -> (u64, u64) {
    let sum = |field: &str| {
        noise["kinds"].as_array().unwrap().iter().map(|kind| kind[field].as_u64().unwrap()).sum()
    };
    (sum("n"), sum("n_above"))
}

#[test]
fn every_report_of_classes_counts_the_sounds_of_no_class_that_are_given_one() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 8 --duration 6.1").ok();
    let train = "train @/music -m mlp-normalised --epochs 20 --json -q";
    let report = cantus_in(dir.path(), &format!("{train} -o @/run")).ok().json();
    let noise = &report["noise"];
    let kinds: Vec<&str> =
        noise["kinds"].as_array().unwrap().iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["silence", "white", "pink", "brown", "babble", "hum"]);
    assert_eq!(total(noise).0, 101);
    assert_eq!((&noise["kinds"][0]["n"], &noise["kinds"][0]["n_above"]), (&1.into(), &0.into()));
    let threshold = noise["threshold"].as_f64().unwrap();
    let rows = csv::Reader::from_path(dir.path().join("run/predictions.csv")).unwrap().into_records();
    let right: Vec<f64> = rows
        .map(Result::unwrap)
        .filter(|row| row[1] == row[4])
        .map(|row| row.iter().skip(5).map(|p| p.parse().unwrap()).fold(0.0, f64::max))
        .collect();
    assert_eq!(noise["n_right"], right.len());
    let n_reaching = right.iter().filter(|&&p| p >= threshold - 1e-6).count();
    assert!(20 * n_reaching >= 19 * right.len(), "{n_reaching} of {}", right.len());
    let read = |name: &str| fs::read_to_string(dir.path().join("run").join(name)).unwrap();
    let sentence = format!("101 synthesised sounds of no class, {}", total(noise).1);
    for name in ["report.txt", "report.md", "report.html"] {
        assert!(read(name).contains(&sentence), "{name}: {}", read(name));
    }

    // A report of a version that did not have this part is completed by `evaluate`.
    let mut old: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert!(old.as_object_mut().unwrap().remove("noise").is_some());
    fs::write(dir.path().join("run/report.json"), old.to_string()).unwrap();
    assert_eq!(cantus_in(dir.path(), "evaluate @/run --json").ok().json()["noise"], *noise);

    let folds = cantus_in(dir.path(), &format!("{train} -o @/folds --folds 2")).ok().json();
    assert_eq!(total(&folds["noise"]).0, 202, "the model of each fold predicts all sounds");
}

#[test]
fn a_model_with_a_background_predicts_none_of_these() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 12 --duration 6.1").ok();
    background(&dir.path().join("noise"));
    let train = "train @/music -m mlp-normalised --background @/noise -o @/run --json";
    let trained = cantus_in(dir.path(), train).ok();
    assert!(
        trained.stderr.contains("synthesised segments of noise, babble and hum as _background_"),
        "{}",
        trained.stderr
    );
    let report = trained.json();
    assert_eq!(report["labels"][0], "_background_");
    let (n, n_above) = total(&report["noise"]);
    assert!(n == 101 && 20 * n_above <= n, "{}", report["noise"]);
    let config = fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    assert!(config.contains("background = "), "{config}");

    // A sound that is in neither the report nor the training.
    let samples = NoiseKind::Pink.synthesize(100_000, SAMPLE_RATE, -12.0, &mut KeyedRng::new([77]));
    write_wav(dir.path().join("wind.wav"), &Audio { samples, sample_rate: SAMPLE_RATE }).unwrap();
    let text = cantus_in(dir.path(), "predict @/run @/wind.wav").ok().stdout;
    assert!(text.contains("none of these") && !text.contains("_background_"), "{text}");
    let json = cantus_in(dir.path(), "predict @/run @/wind.wav --json").ok().json();
    assert_eq!(json["tracks"][0]["label"], "_background_");
    assert!(cantus_in(dir.path(), "predict @/run @/wind.wav --csv").ok().stdout.contains(",_background_,"));
    let sure = cantus_in(dir.path(), "predict @/run @/wind.wav --min-confidence 1 --json").ok().json();
    assert!(["unknown", "_background_"].contains(&sure["tracks"][0]["label"].as_str().unwrap()), "{sure}");
    let tags = cantus_in(dir.path(), "predict @/run @/wind.wav --write-tags --dry-run").ok().stderr;
    assert!(tags.contains("0 genre tags would be changed"), "{tags}");

    // The same from a label folder, without the flag; a store takes no further recordings.
    fs::rename(dir.path().join("noise"), dir.path().join("music/_background_")).unwrap();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    let report = cantus_in(dir.path(), "train @/features -m mlp-normalised -o @/other --json").ok().json();
    assert_eq!(report["labels"][0], "_background_");
    cantus_in(dir.path(), "train @/features --background @/music -o @/third").exits(2);
}
