//! Every damaged file of a store is found and named.

use std::fs;

use cantus_dataset::{ExtractOptions, store_info, verify_store};

use crate::fixture::{manifest, observer, recordings, run};

#[test]
fn every_damaged_file_is_named_in_a_line() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let store = dir.path().join("store");
    run(music.path(), &store, &ExtractOptions::default()).unwrap();
    let intact = verify_store(&store, observer()).unwrap();
    assert_eq!((intact.n_parts, intact.damage), (3, Vec::<String>::new()));
    assert_eq!(intact.n_bytes, store_info(&store).unwrap().part_bytes);

    let change = |name: &str, at: usize| {
        let path = store.join(name);
        let mut content = fs::read(&path).unwrap();
        content[at] ^= 1;
        fs::write(path, content).unwrap();
    };
    change("part-00000.arrow", 3000);
    fs::remove_file(store.join("part-00002.arrow")).unwrap();
    fs::write(store.join("audit-00001.json"), "[]").unwrap();
    fs::write(store.join("failures.csv"), "path,reason\nno reason\n").unwrap();
    let damage = verify_store(&store, observer()).unwrap().damage;
    assert_eq!(damage.len(), 4, "{damage:?}");
    for (line, name) in
        damage.iter().zip(["part-00000.arrow", "audit-00001.json", "part-00002.arrow", "failures.csv"])
    {
        assert!(line.contains(name) && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn every_changed_byte_of_a_part_is_found() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let store = dir.path().join("store");
    run(music.path(), &store, &ExtractOptions::default()).unwrap();
    let path = store.join("part-00002.arrow");
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut content = whole.clone();
        content[at] ^= 0x40;
        fs::write(&path, content).unwrap();
        let damage = verify_store(&store, observer()).unwrap().damage;
        assert!(matches!(&damage[..], [line] if line.contains("part-00002.arrow")), "{at}: {damage:?}");
    }
}

#[test]
fn the_contents_are_counted_by_label_and_group() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let store = dir.path().join("store");
    let extraction = run(&manifest(music.path(), true), &store, &ExtractOptions::default()).unwrap();
    let info = store_info(&store).unwrap();
    assert_eq!((info.n_tracks, info.n_segments), (extraction.n_tracks, extraction.n_segments));
    assert_eq!((info.format, info.tagging, info.audited, info.n_parts), (6, true, true, 3));
    assert_eq!(info.labels.keys().collect::<Vec<_>>(), ["loud", "piano", "slow"]);
    assert!(info.labels["piano"].n_tracks < info.labels["slow"].n_tracks);
    assert_eq!(info.groups.len(), 10);
    assert_eq!(info.groups.values().map(|counts| counts.n_segments).sum::<usize>(), info.n_segments);
    assert!(info.total_bytes > info.part_bytes && info.n_duplicates == 5);
}

/// Rewrites the analyses of a part as version 1 has them: a list, with a SHA-256.
fn as_version_1(path: &std::path::Path) {
    let content: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(content["version"], 2);
    let mut files = content["files"].clone();
    for file in files.as_array_mut().unwrap() {
        if let Some(analysis) = file["evidence"].get_mut("Ok").and_then(serde_json::Value::as_object_mut) {
            let hash = analysis.remove("hash").unwrap();
            analysis.insert("sha256".to_owned(), hash);
        }
    }
    fs::write(path, serde_json::to_vec(&files).unwrap()).unwrap();
}

#[test]
fn analyses_of_an_earlier_version_are_no_damage_and_are_made_again_by_an_extraction() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let store = dir.path().join("store");
    let first = run(music.path(), &store, &ExtractOptions::default()).unwrap();
    let analyses = fs::read(store.join("audit-00001.json")).unwrap();
    as_version_1(&store.join("audit-00001.json"));
    assert_eq!(verify_store(&store, observer()).unwrap().damage, Vec::<String>::new());
    let info = store_info(&store).unwrap();
    assert_eq!((info.audited, info.n_duplicates), (false, 5));
    let again = run(music.path(), &store, &ExtractOptions::default()).unwrap();
    assert_eq!((again.n_parts_kept, &again.audit), (2, &first.audit));
    assert!(fs::read(store.join("audit-00001.json")).unwrap() == analyses);
}
