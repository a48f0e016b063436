//! Recordings of any length: segments of another duration, padding, and what is left out, counted beside the score.

use std::fs;
use std::path::Path;

use cantus_audio::{Audio, write_wav};

use crate::run::cantus_in;

/// Recordings of two labels: `n` of each, of 0.3 to 0.6 s, with a low and a high tone.
fn short_recordings(dir: &Path, n: usize) {
    for (label, hz) in [("high", 2000.0), ("low", 300.0)] {
        fs::create_dir_all(dir.join(label)).unwrap();
        for index in 0..n {
            let n_samples = 6615 + index * 6615 / n;
            let tone = |i: usize| (0.3 + 0.4 * (i % 7) as f32 / 7.0) * (i as f32 * hz / 3509.3).sin();
            let samples = (0..n_samples).map(|i| tone(i + 13 * index)).collect();
            let audio = Audio { samples, sample_rate: 22_050 };
            write_wav(dir.join(format!("{label}/{index}.wav")), &audio).unwrap();
        }
    }
}

#[test]
fn short_recordings_are_refused_with_the_flags_that_keep_them() {
    let dir = tempfile::tempdir().unwrap();
    short_recordings(&dir.path().join("sounds"), 8);
    cantus_in(dir.path(), "extract @/sounds -o @/features --preset course").exits(1).says(&[
        "16 of 16 recordings are shorter than a segment of 3.00 s",
        "half up to 0.45 s",
        "--segment SECONDS",
        "--pad repeat",
    ]);
    let flags = "--segment 0.6 --pad repeat";
    let ran = cantus_in(dir.path(), &format!("train @/sounds -m mlp -o @/run --epochs 2 {flags}")).ok();
    assert!(
        ran.stderr.contains("16 segments of 16 tracks") && !ran.stderr.contains("too short"),
        "{}",
        ran.stderr
    );
    let report = fs::read_to_string(dir.path().join("run/report.json")).unwrap();
    assert!(!report.contains("left_out"), "nothing is left out");
    let config = fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    assert!(config.contains("segment = 0.6") && config.contains("pad = \"repeat\""), "{config}");
    // A recording of one padded segment, and one of several windows.
    cantus_in(dir.path(), "predict @/run @/sounds/low/0.wav").ok();
    let long = Audio { samples: vec![0.25; 48_510], sample_rate: 22_050 };
    let long = Audio {
        samples: long.samples.iter().enumerate().map(|(i, x)| x * (i as f32).sin()).collect(),
        ..long
    };
    write_wav(dir.path().join("long.wav"), &long).unwrap();
    cantus_in(dir.path(), "predict @/run @/long.wav --timeline @/timeline.csv").ok();
    let timeline = fs::read_to_string(dir.path().join("timeline.csv")).unwrap();
    let starts: Vec<&str> = timeline.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(starts.len(), 4, "{timeline}");
    assert!(starts[3].starts_with("1.6"), "the last window ends with the recording: {timeline}");
}

#[test]
fn segments_follow_the_durations_of_the_recordings() {
    let dir = tempfile::tempdir().unwrap();
    short_recordings(&dir.path().join("sounds"), 8);
    let said =
        "segments of 0.50 s, about as long as half of the recordings; 12 of 16 are shorter and are repeated";
    for line in ["extract @/sounds -o @/features", "extract @/sounds -m best -o @/best"] {
        let ran = cantus_in(dir.path(), line).ok();
        assert!(
            ran.stderr.contains(said) && ran.stderr.contains("durations: 0.30 s to 0.56 s"),
            "{}",
            ran.stderr
        );
    }
    let ran = cantus_in(dir.path(), "train @/best -m best -o @/run --epochs 2 --validation 0").ok();
    assert!(ran.stdout.contains("StatisticsPooling1D"), "{}", ran.stdout);
    cantus_in(dir.path(), "predict @/run @/sounds/low/0.wav").ok();
    let text = cantus_in(dir.path(), "inspect @/sounds").ok().stdout;
    assert!(text.contains("durations: 0.30 s to 0.56 s") && text.contains("segments of 0.50 s"), "{text}");
    assert!(!text.contains("too short"), "{text}");
    cantus_in(dir.path(), "train @/best -m best -o @/other --segment 1")
        .exits(2)
        .says(&["--segment", "extraction"]);
}

#[test]
fn long_recordings_are_sampled_from_beginning_to_end() {
    let dir = tempfile::tempdir().unwrap();
    for (label, hz) in [("high", 2000.0), ("low", 300.0)] {
        fs::create_dir_all(dir.path().join(label)).unwrap();
        for index in 0..2 {
            // Half a minute of low noise, then three minutes of the tone.
            let quiet = |i: usize| 0.001 * ((i * i % 977) as f32 / 977.0 - 0.5);
            let sample = |i: usize| if i < 240_000 { quiet(i) } else { 0.3 * (i as f32 * hz / 1273.2).sin() };
            let audio = Audio { samples: (0..1_680_000).map(sample).collect(), sample_rate: 8000 };
            write_wav(dir.path().join(format!("{label}/{index}.wav")), &audio).unwrap();
        }
    }
    let ran = cantus_in(dir.path(), "extract @/ -o @/features").ok();
    let said = "segments of 3.00 s from the whole of each recording, since most last longer than 30 s";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(ran.stderr.contains("120 segments of 4 tracks"), "{}", ran.stderr);
}

/// 8 recordings of each label, of 0.3 to 0.56 s: windows of 0.2 s every 0.1 s, two of each recording.
#[test]
fn windows_overlap_and_their_number_is_limited() {
    let dir = tempfile::tempdir().unwrap();
    short_recordings(&dir.path().join("sounds"), 8);
    let extract = |flags: &str| {
        let line = format!("extract @/sounds -o @/features --overwrite --segment 0.2 {flags}");
        cantus_in(dir.path(), &line).ok().stderr
    };
    let n_segments = |stderr: &str| -> usize {
        let line = stderr.lines().find(|line| line.contains("segments of 16 tracks")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let adjacent = n_segments(&extract(""));
    let overlapping = n_segments(&extract("--hop 0.1"));
    assert!(overlapping > adjacent, "{overlapping} and {adjacent}");
    assert_eq!(n_segments(&extract("--hop 0.1 --n-segments 2")), 32);
    cantus_in(dir.path(), "extract @/sounds -o @/other --segment 0.2 --hop 0.000001")
        .exits(1)
        .says(&["hop_s", "128 samples"]);
}

#[test]
fn what_is_left_out_is_counted_beside_the_score() {
    let dir = tempfile::tempdir().unwrap();
    short_recordings(&dir.path().join("sounds"), 12);
    let extract = "extract @/sounds -o @/features --segment 0.4 --pad none";
    let ran = cantus_in(dir.path(), extract).exits(3);
    assert!(ran.stderr.contains("lost: high/0.wav: too short") && ran.stderr.contains("--pad repeat"));
    cantus_in(dir.path(), "train @/features -o @/run --epochs 2").ok();
    let read = |name: &str| fs::read_to_string(dir.path().join("run").join(name)).unwrap();
    let summary = "16 of 24 recordings used; left out: 8 too short (by label: high 4, low 4)";
    for name in ["report.txt", "report.html"] {
        assert!(read(name).contains(summary), "{name}: {}", read(name));
    }
    assert!(read("report.md").contains("16 of 24 recordings used"), "{}", read("report.md"));
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report["left_out"]["n_recordings"], 24);
    assert_eq!(report["left_out"]["by_reason"][0]["n"], 8);
    assert_eq!(report["left_out"]["by_label"]["low"], 4);
}

#[test]
fn many_failures_are_grouped_by_reason() {
    let dir = tempfile::tempdir().unwrap();
    short_recordings(&dir.path().join("sounds"), 16);
    let ran = cantus_in(dir.path(), "extract @/sounds -o @/features --segment 0.5 --pad none").exits(3);
    assert!(ran.stderr.contains("lost: 22 recordings, too short; the first: high/0.wav: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("high/1.wav") && ran.stderr.contains("failures.csv"), "{}", ran.stderr);
}
