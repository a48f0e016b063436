//! The commands on recordings of music, where a data set is present.

use std::path::PathBuf;

use crate::run::cantus;

/// A data set for development that may not be distributed; `None` if it is absent.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    if !folder.is_dir() {
        println!("skipped: no {} here", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn genres_of_unseen_artists_are_predicted_better_than_by_chance() {
    let Some(music) = shared("emotify") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (music, features, run) = (music.to_str().unwrap().to_owned(), path("features"), path("run"));

    let inspection = cantus(&["inspect", &format!("{music}/rock"), "--json"]).ok().json();
    let tracks = inspection["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 50);
    assert!(tracks.iter().all(|track| track["codec"] == "mp3" && track["tags"]["artist"].is_string()));

    cantus(&["extract", &music, "-o", &features]).ok();
    cantus(&["train", &features, "-m", "mlp-normalised", "-o", &run, "--group", "artist"]).ok();
    let report = cantus(&["evaluate", &run, "--json"]).ok().json();
    assert_eq!(report["labels"], serde_json::json!(["classical", "electronic", "pop", "rock"]));
    assert_eq!(report["remarks"], serde_json::json!([]), "no artist is in several parts");
    let (accuracy, chance) = (report["track_accuracy"].as_f64().unwrap(), 0.25);
    assert!(accuracy > chance + 0.1, "{accuracy}");

    let predictions = cantus(&["predict", &run, &format!("{music}/classical"), "--json"]).ok().json();
    let tracks = predictions["tracks"].as_array().unwrap();
    let n_right = tracks.iter().filter(|track| track["label"] == "classical").count();
    assert!(
        n_right * 2 > tracks.len(),
        "{n_right} of {} of the label that is easiest to classify",
        tracks.len()
    );
}

#[test]
fn gtzan_is_extracted_trained_and_evaluated_and_its_short_clips_are_counted() {
    let Some(music) = shared("gtzan-clips") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (music, features, run) = (music.to_str().unwrap().to_owned(), path("features"), path("run"));
    let ran = cantus(&["extract", &music, "-o", &features]).ok();
    assert!(ran.stderr.contains("537 segments (463 short ones dropped) of 100 tracks"), "{}", ran.stderr);
    cantus(&["train", &features, "-m", "mlp-normalised", "-o", &run, "--epochs", "20"]).ok();
    let report = cantus(&["evaluate", &run, "--json"]).ok().json();
    assert!(report["track_accuracy"].as_f64().unwrap() > 0.2, "{}", report["track_accuracy"]);
}

#[test]
fn gtzans_broken_file_is_reported_and_does_not_stop_the_extraction() {
    let Some(music) = shared("gtzan-clips") else { return };
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("music");
    for label in ["jazz", "pop"] {
        std::fs::create_dir_all(folder.join(label)).unwrap();
        for number in 0..3 {
            let name = format!("{label}.0000{number}.wav");
            std::fs::copy(music.join(label).join(&name), folder.join(label).join(&name)).unwrap();
        }
    }
    // In the original distribution, jazz.00054.wav is no sound file at all.
    std::fs::write(folder.join("jazz/jazz.00054.wav"), vec![0xA5; 100_000]).unwrap();
    let features = dir.path().join("features");
    let (folder, features) = (folder.to_str().unwrap(), features.to_str().unwrap());
    let ran = cantus(&["extract", folder, "-o", features]).exits(3);
    assert!(ran.stderr.contains("lost: jazz/jazz.00054.wav: "), "{}", ran.stderr);
    let run = dir.path().join("run");
    let run = run.to_str().unwrap();
    cantus(&["train", features, "-o", run, "--epochs", "1"]).ok();
    let report = cantus(&["evaluate", run, "--json"]).ok().json();
    assert_eq!(report["failures"][0]["path"], "jazz/jazz.00054.wav");
}
