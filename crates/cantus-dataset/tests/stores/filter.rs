//! A filtered store equals the extraction of the recordings that remain.

use std::fs;
use std::path::Path;

use cantus_dataset::audit::Exclusions;
use cantus_dataset::{
    Catalog, Error, ExtractOptions, FeatureStore, StoreFilter, extract, filter_store, store_info,
};

use crate::fixture::{bytes, copies, differences, manifest, observer, recordings, run, spec};

fn list(dir: &Path, name: &str, text: &str) -> Exclusions {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    Exclusions::read(&path).unwrap()
}

#[test]
fn a_store_without_excluded_tracks_has_the_bytes_of_an_extraction_without_them() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let excluded =
        list(dir.path(), "bad.csv", "path,reason\nhigh/10.wav,\nlow/21.wav,\nmid/49.wav,\na.wav,\nx.wav,\n");
    for (name, options) in [("plain", ExtractOptions::default()), ("copies", copies())] {
        let (all, out) = (dir.path().join(name), dir.path().join(format!("{name}-filtered")));
        run(music.path(), &all, &options).unwrap();
        let filter = StoreFilter { exclude: Some(excluded.clone()), ..StoreFilter::default() };
        let filtered = filter_store(&all, &out, &filter, observer()).unwrap();
        assert_eq!(filtered.unknown, ["x.wav"]);
        assert_eq!(filtered.summary.n_left_out, 3);
        let mut catalog = Catalog::open(music.path()).unwrap();
        catalog.exclude(&excluded);
        let expected = dir.path().join(format!("{name}-extracted"));
        extract(&catalog, &spec(), &expected, &options, &|_| {}).unwrap();
        assert_eq!(differences(&expected, &out), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn labels_groups_and_a_list_select_tracks_together() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let all = dir.path().join("all");
    run(&manifest(music.path(), false), &all, &ExtractOptions::default()).unwrap();
    let before = bytes(&all);
    let wanted =
        list(dir.path(), "list.csv", "low/00.wav\nlow/01.wav\nlow/05.wav\nmid/00.wav\nhigh/00.wav\n");
    let filter = StoreFilter {
        labels: vec!["low".to_owned(), "mid".to_owned()],
        groups: vec!["group-0".to_owned()],
        list: Some(wanted),
        exclude: Some(list(dir.path(), "not.csv", "low/01.wav\n")),
    };
    let out = dir.path().join("out");
    filter_store(&all, &out, &filter, observer()).unwrap();
    let store = FeatureStore::open(&out).unwrap();
    let paths: Vec<&str> = store.tracks().iter().map(|track| track.path.as_str()).collect();
    assert_eq!(paths, ["low/00.wav", "mid/00.wav"]);
    assert_eq!(store.labels(), ["low", "mid"]);
    assert_eq!(store.tracks()[0].group.as_deref(), Some("group-0"));
    assert!(bytes(&all) == before, "the store is unchanged");
}

#[test]
fn unknown_labels_and_groups_and_an_empty_result_are_refused() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let (all, out) = (dir.path().join("all"), dir.path().join("out"));
    run(&manifest(music.path(), false), &all, &ExtractOptions::default()).unwrap();
    let refused = |filter: &StoreFilter| filter_store(&all, &out, filter, observer()).unwrap_err();
    let error = refused(&StoreFilter { labels: vec!["lo".to_owned()], ..StoreFilter::default() }).to_string();
    assert!(error.contains("no track has the label 'lo'; it has high, low, mid"), "{error}");
    let error = refused(&StoreFilter { groups: vec!["g".to_owned()], ..StoreFilter::default() }).to_string();
    assert!(error.contains("no track has the group 'g'; it has group-0, "), "{error}");
    let nothing =
        StoreFilter { list: Some(list(dir.path(), "none.csv", "none.wav\n")), ..StoreFilter::default() };
    assert!(matches!(refused(&nothing), Error::NothingKept { .. }));
    let failed =
        StoreFilter { list: Some(list(dir.path(), "bad.csv", "low/21.wav\n")), ..StoreFilter::default() };
    assert!(matches!(refused(&failed), Error::NothingExtracted { .. }));
    assert!(!out.exists() && !dir.path().join(".out.partial").exists());
}

#[test]
fn duplicates_that_remain_stay_duplicates_without_the_analyses() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let all = dir.path().join("all");
    run(music.path(), &all, &ExtractOptions::default()).unwrap();
    for part in 0..3 {
        fs::remove_file(all.join(format!("audit-0000{part}.json"))).unwrap();
    }
    assert!(!store_info(&all).unwrap().audited);
    let filter = StoreFilter { labels: vec!["low".to_owned(), "high".to_owned()], ..StoreFilter::default() };
    let out = dir.path().join("out");
    filter_store(&all, &out, &filter, observer()).unwrap();
    let store = FeatureStore::open(&out).unwrap();
    let recordings: Vec<(&str, &str)> = store
        .tracks()
        .iter()
        .filter_map(|track| Some((track.path.as_str(), track.recording.as_deref()?)))
        .collect();
    let expected = [
        ("high/10.wav", "high/10.wav"),
        ("high/11.wav", "high/10.wav"),
        ("low/03.wav", "low/03.wav"),
        ("low/04.wav", "low/03.wav"),
    ];
    assert_eq!(recordings, expected);
    assert!(!out.join("audit-00000.json").exists());
}
