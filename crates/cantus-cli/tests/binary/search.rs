//! `cantus search` and `cantus map`: similar tracks and segments of a feature store, and a page with all tracks.

use std::fs;
use std::path::Path;

use cantus_audio::decode;

use crate::run::cantus_in;

const N_TRACKS: usize = 20;

/// Two composed tracks of each of ten genres, 4 s long, and their features in two segments each.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 2 --duration 4").ok();
    cantus_in(dir.path(), "extract @/music --segment 2 -k mfcc,spectral-centroid -o @/features").ok();
    dir
}

/// Writes the samples of a recording to a `.au` file, as big-endian 32-bit floating point.
fn re_encode(recording: &Path, out: &Path) {
    let audio = decode::decode(recording).unwrap().audio;
    let header = [24, 4 * audio.samples.len() as u32, 6, audio.sample_rate, 1];
    let mut bytes = b".snd".to_vec();
    bytes.extend(header.iter().flat_map(|number| number.to_be_bytes()));
    bytes.extend(audio.samples.iter().flat_map(|sample| sample.to_be_bytes()));
    fs::write(out, bytes).unwrap();
}

#[test]
fn every_track_is_most_similar_to_itself() {
    let dir = prepared();
    let document = cantus_in(dir.path(), "search @/features @/music -k 3 --json").ok().json();
    let queries = document["queries"].as_array().unwrap();
    assert_eq!(queries.len(), N_TRACKS);
    for query in queries {
        let matches = query["matches"].as_array().unwrap();
        assert_eq!(matches.len(), 3);
        let path = matches[0]["path"].as_str().unwrap();
        assert!(query["path"].as_str().unwrap().ends_with(path), "{query}");
        assert!(matches[0]["similarity"].as_f64().unwrap() > 0.999, "{query}");
        assert_eq!(matches[0]["labels"][0], path.split('/').next().unwrap());
        assert!(matches[0].get("start_s").is_none());
        let similarities: Vec<f64> =
            matches.iter().map(|found| found["similarity"].as_f64().unwrap()).collect();
        assert!(similarities.is_sorted_by(|a, b| a >= b), "{similarities:?}");
        assert!(similarities[1] < similarities[0], "different tracks: {query}");
    }
}

#[test]
fn a_re_encoded_copy_is_most_similar_to_its_original() {
    let dir = prepared();
    re_encode(&dir.path().join("music/jazz/jazz.00001.wav"), &dir.path().join("copy.au"));
    let document = cantus_in(dir.path(), "search @/features @/copy.au --json").ok().json();
    let matches = document["queries"][0]["matches"].as_array().unwrap();
    assert_eq!((matches.len(), &matches[0]["path"]), (10, &"jazz/jazz.00001.wav".into()));
    assert!(matches[0]["similarity"].as_f64().unwrap() > 0.999, "{document}");
    let text = cantus_in(dir.path(), "search @/features @/copy.au -k 1").ok().stdout;
    assert!(text.ends_with("copy.au\n 1   1.000  jazz  jazz/jazz.00001.wav\n"), "{text}");
}

#[test]
fn segments_are_ranked_with_their_times() {
    let dir = prepared();
    let line = "search @/features @/music/pop/pop.00000.wav --segments";
    let document = cantus_in(dir.path(), &format!("{line} -k 100 --json")).ok().json();
    let matches = document["queries"][0]["matches"].as_array().unwrap();
    assert_eq!(matches.len(), 2 * N_TRACKS, "all, where there are fewer");
    for start_s in [0.0, 2.0] {
        let is_of_query = |found: &&serde_json::Value| found["path"] == "pop/pop.00000.wav";
        assert!(matches.iter().filter(is_of_query).any(|found| found["start_s"] == start_s), "{document}");
    }
    let csv = cantus_in(dir.path(), &format!("{line} -k 2 --csv")).ok().stdout;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!((rows[0], rows.len()), ("query,rank,similarity,labels,path,start_s", 3));
    assert!(rows[1].ends_with(".000000") && rows[1].contains("pop.00000.wav,1,"), "{csv}");
    let text = cantus_in(dir.path(), &format!("{line} -k 1")).ok().stdout;
    assert!(text.trim_end().ends_with("0.00–2.00 s") || text.trim_end().ends_with("2.00–4.00 s"), "{text}");
}

#[test]
fn the_number_of_threads_does_not_change_the_output() {
    let dir = prepared();
    let on = |jobs: usize| {
        cantus_in(dir.path(), &format!("search @/features @/music --json -j {jobs}")).ok().stdout
    };
    assert!(on(1) == on(2));
}

#[test]
fn a_query_that_cannot_be_used_is_reported_and_the_others_are_searched() {
    let dir = prepared();
    fs::write(dir.path().join("broken.mp3"), "no music").unwrap();
    let ran =
        cantus_in(dir.path(), "search @/features @/broken.mp3 @/music/jazz/jazz.00000.wav -k 1").exits(3);
    ran.says(&["broken.mp3"]);
    assert!(ran.stdout.contains("jazz/jazz.00000.wav\n"), "{}", ran.stdout);
    let document = cantus_in(dir.path(), "search @/features @/broken.mp3 @/none.wav --json").exits(1).json();
    assert_eq!(
        (document["failed"].as_array().unwrap().len(), &document["queries"]),
        (2, &serde_json::json!([]))
    );
}

#[test]
fn wrong_usage_is_refused() {
    let dir = prepared();
    cantus_in(dir.path(), "search @/features @/music -k 0").exits(2);
    cantus_in(dir.path(), "search @/features").exits(2);
    cantus_in(dir.path(), "search @/features @/music --json --csv").exits(2);
    cantus_in(dir.path(), "search @/music @/music").exits(1).says(&["cantus extract"]);
}

#[test]
fn a_map_shows_every_track_and_the_mistakes_of_a_run() {
    let dir = prepared();
    cantus_in(dir.path(), "map @/features -o @/map.html").ok().says(&["20 tracks", "map.html"]);
    let page = fs::read_to_string(dir.path().join("map.html")).unwrap();
    assert_eq!(page.matches(".0000").count(), N_TRACKS);
    fs::create_dir(dir.path().join("run")).unwrap();
    let table = "path,label,group,fold,predicted\njazz/jazz.00000.wav,jazz,,,misled\n";
    fs::write(dir.path().join("run/predictions.csv"), table).unwrap();
    cantus_in(dir.path(), "map @/features -o @/marked.html --run @/run -q").ok();
    let marked = fs::read_to_string(dir.path().join("marked.html")).unwrap();
    assert_eq!(marked.matches("misled").count(), 1);
    cantus_in(dir.path(), "map @/features -o @/x.html --run @/none").exits(1).says(&["predictions.csv"]);
    cantus_in(dir.path(), "map @/music -o @/x.html").exits(1);
}
