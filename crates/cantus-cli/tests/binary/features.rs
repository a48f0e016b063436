//! `cantus features`: output files and formats, and refused options.

use std::io::{Cursor, Read};
use std::path::Path;

use cantus_audio::{Audio, write_wav};

use crate::run::{cantus, cantus_in};

fn composed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    dir
}

fn text(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn npz_contains_an_array_named_after_each_kind() {
    let dir = composed();
    let kinds = "mfcc,rms,spectral-contrast,waveform,spectrum";
    cantus_in(dir.path(), &format!("features @/music/pop/pop.00000.wav -k {kinds} -o @/x.npz")).ok();
    let bytes = std::fs::read(dir.path().join("x.npz")).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut header = |name: &str| {
        let mut array = Vec::new();
        zip.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut array).unwrap();
        assert_eq!(&array[..6], b"\x93NUMPY");
        String::from_utf8_lossy(&array[10..128]).into_owned()
    };
    assert!(header("mfcc").contains("'shape': (130, 20), "));
    assert!(header("rms").contains("'shape': (130, 1), "));
    assert!(header("spectral_contrast").contains("'shape': (130, 7), "));
    assert!(header("waveform").contains("'shape': (66150,), "));
    assert!(header("spectrum").contains("'shape': (33075,), "));
}

#[test]
fn tables_have_column_names_and_frame_times() {
    let dir = composed();
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -k rms,mfcc --n-mfcc 2 -o @/x.csv").ok();
    let table = text(dir.path(), "x.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("time_s,rms_0,mfcc_0,mfcc_1"));
    assert!(lines.nth(1).unwrap().starts_with("0.0232199"), "512 samples after the first: {table}");
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -k spectrum -o @/s.csv").ok();
    assert!(text(dir.path(), "s.csv").starts_with("frequency_hz,spectrum\n0,"));
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -k rms,waveform -o @/x.json").ok();
    let document: serde_json::Value = serde_json::from_str(&text(dir.path(), "x.json")).unwrap();
    assert_eq!(document["time_s"].as_array().unwrap().len(), 130);
    assert_eq!(document["waveform"]["values"].as_array().unwrap().len(), 66_150);
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav -k rms,mfcc -o @/x.arrow").ok();
    assert_eq!(&std::fs::read(dir.path().join("x.arrow")).unwrap()[..6], b"ARROW1");
}

#[test]
fn a_folder_is_mirrored_and_a_bad_file_is_reported() {
    let dir = composed();
    std::fs::write(dir.path().join("music/jazz/text.mp3"), "this is no music").unwrap();
    let ran = cantus_in(dir.path(), "features @/music -k rms -o @/out --format csv").exits(3);
    assert!(ran.stderr.contains("text.mp3"), "{}", ran.stderr);
    assert!(dir.path().join("out/blues/blues.00000.csv").exists());
    assert!(!dir.path().join("out/jazz/text.csv").exists());
    let line =
        "features @/music/pop/pop.00000.wav @/music/rock/rock.00000.wav -k rms -o @/to/{name}-{ext}.npy";
    cantus_in(dir.path(), line).ok();
    assert!(dir.path().join("to/rock.00000-wav.npy").exists());
    cantus_in(dir.path(), "features @/nothing.wav -o @/x.npy")
        .exits(1)
        .says(&["nothing.wav", "no such file"]);
}

#[test]
fn two_recordings_with_one_output_path_are_refused() {
    let dir = composed();
    std::fs::copy(dir.path().join("music/pop/pop.00000.wav"), dir.path().join("music/pop/pop.00000.wave"))
        .unwrap();
    cantus_in(dir.path(), "features @/music/pop/pop.00000.wav @/music/pop/pop.00000.wave -o @/out")
        .exits(2)
        .says(&["pop.00000.wav and", "pop.00000.npy"]);
    assert!(!dir.path().join("out").exists());
    cantus_in(dir.path(), "features @/music -o @/out.npy").exits(2).says(&["a folder", "{name}"]);
}

#[test]
fn kinds_that_one_file_cannot_hold_are_refused_before_anything_is_computed() {
    let refused = |words: &str, said: &[&str]| {
        let line = format!("features x.wav {words}");
        cantus(&line.split(' ').collect::<Vec<_>>()).exits(2).says(said);
    };
    let dir = composed();
    let line = "features @/music/pop/pop.00000.wav -k mfcc,waveform -o @/x.npy";
    cantus_in(dir.path(), line).exits(2).says(&["waveform", ".npz"]);
    let line = "features @/music/pop/pop.00000.wav -k mfcc,rms -o @/x.png";
    cantus_in(dir.path(), line).exits(2).says(&["one kind"]);
    refused("-o x.csv --format npy", &["--format is npy"]);
    let wrong = |words: &str, said: &str| {
        let line = format!("features x.wav -o x.npy {words}");
        let error = cantus(&line.split(' ').collect::<Vec<_>>()).exits(2).stderr;
        assert!(error.contains(said), "{error}");
    };
    wrong("-k mfc", "spectral-centroid");
    wrong("--window han", "blackmanharris");
    wrong("--dct-type 5", "1, 2, 3 or 4");
    wrong("--top-db never", "none");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let dir = composed();
    let refused = |words: &str, said: &str| {
        let line = format!("features @/music/pop/pop.00000.wav -o @/x.npy {words}");
        cantus_in(dir.path(), &line).exits(1).says(&[said]);
    };
    refused("-k spectral-contrast --n-bands 9", "half the sample rate");
    refused("-k spectral-rolloff --roll-percent 1.5", "roll_percent");
    refused("-k mfcc-delta --delta-width 4", "odd");
    refused("-k pcen --pcen-b 2", "pcen.b");
}

#[test]
fn every_kind_is_listed_and_can_be_drawn() {
    let dir = composed();
    let list = cantus(&["features", "--list"]).ok().stdout;
    assert!(list.contains("mfcc-delta2") && list.contains("[n_frames, 1025]"), "{list}");
    let kinds = list.lines().skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = kinds.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 20, "{list}");
    for name in names {
        cantus_in(dir.path(), &format!("features @/music/jazz/jazz.00000.wav -k {name} -o @/{name}.svg"))
            .ok();
        assert!(text(dir.path(), &format!("{name}.svg")).contains("</svg>"));
    }
}

#[test]
fn a_recording_shorter_than_an_uncentred_frame_is_an_error_that_names_n_fft() {
    let dir = tempfile::tempdir().unwrap();
    let samples = (0..500).map(|n| (n as f32 * 0.1).sin() * 0.5).collect();
    write_wav(dir.path().join("s.wav"), &Audio { samples, sample_rate: 22_050 }).unwrap();
    for kind in ["mfcc", "rms,stft", "onset-strength", "tempo", "beats"] {
        let line = format!("features @/s.wav -k {kind} --center false -o @/s.npz");
        cantus_in(dir.path(), &line).exits(1).says(&["s.wav", "n_fft = 2048", "500 samples"]);
        assert!(!dir.path().join("s.npz").exists());
    }
    cantus_in(dir.path(), "features @/s.wav -k mfcc -o @/s.npy").ok();
    cantus_in(dir.path(), "features @/s.wav -k waveform,spectrum --center false -o @/s.npz").ok();
}

#[test]
fn settings_that_do_not_fit_the_signal_are_warned_of_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("short")).unwrap();
    for (name, n_samples) in [("a", 3000), ("b", 3000), ("c", 500)] {
        let samples = (0..n_samples).map(|n| (n as f32 * 0.1).sin() * 0.5).collect();
        let path = dir.path().join(format!("short/{name}.wav"));
        write_wav(path, &Audio { samples, sample_rate: 22_050 }).unwrap();
    }
    let ran = |line: &str| cantus_in(dir.path(), line).ok().stderr;
    let said = ran("features @/short/a.wav -k mfcc-delta -o @/a.npy");
    assert!(said.contains("a.wav: delta width 9 is larger than the signal of 6 frames"), "{said}");
    let said = ran("features @/short -k mfcc-delta,mel,tempo --n-mels 1024 -o @/all --format npz -q");
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.contains("a.wav (and 2 more): delta width 9"), "{said}");
    assert!(said.contains("a.wav (and 2 more): 151 of 1024 mel bands are empty"), "{said}");
    assert!(said.contains("c.wav: n_fft = 2048 is larger than the signal of 500 samples"), "{said}");
    assert_eq!(ran("features @/short -k waveform -o @/w --format npy -q"), "");
}
