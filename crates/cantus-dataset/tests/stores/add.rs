//! Recordings that are added are those that the store lacks; an addition that is killed leaves the store as it was.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cantus_dataset::{
    AddOptions, Addition, AuditMode, Catalog, Error, ExtractOptions, FeatureStore, Progress, Shard, add,
    verify_store,
};

use crate::fixture::{bytes, copies, observer, recordings, run, tracks, write_tone};

fn add_all(store: &Path, music: &Path) -> Result<Addition, Error> {
    add(store, &Catalog::open_further(music)?, &AddOptions::default(), &|_| {})
}

/// A store, and then 70 recordings of a new class and some of old ones, among them a copy and one that cannot be used.
fn grown(options: &ExtractOptions) -> (tempfile::TempDir, tempfile::TempDir) {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    run(music.path(), &dir.path().join("store"), options).unwrap();
    for n in 0..70 {
        write_tone(&music.path().join(format!("new/{n:02}.wav")), 500.0 + 3.0 * n as f32, 0.22);
    }
    write_tone(&music.path().join("low/70.wav"), 123.0, 0.22);
    fs::copy(music.path().join("low/00.wav"), music.path().join("low/71.wav")).unwrap();
    fs::write(music.path().join("mid/70.wav"), "no audio").unwrap();
    fs::write(music.path().join("d.wav"), "").unwrap();
    (music, dir)
}

#[test]
fn only_recordings_that_the_store_lacks_are_added_and_the_result_is_that_of_an_extraction() {
    for options in [ExtractOptions::default(), copies()] {
        let (music, dir) = grown(&options);
        let store = dir.path().join("store");
        let before = bytes(&store);
        let addition = add_all(&store, music.path()).unwrap();
        assert_eq!((addition.n_tracks, addition.n_segments, addition.n_present), (72, 144, 150));
        let failed: Vec<&str> = addition.failures.iter().map(|failure| failure.path.as_str()).collect();
        assert_eq!(failed, ["d.wav", "mid/70.wav"]);
        assert!(addition.changed.is_empty());
        for part in 0..3 {
            let name = format!("part-0000{part}.arrow");
            assert!(before[&name] == fs::read(store.join(&name)).unwrap(), "{name} is unchanged");
        }
        let whole = dir.path().join("whole");
        run(music.path(), &whole, &options).unwrap();
        assert_eq!(tracks(&store), tracks(&whole));
        let (store, whole) = (FeatureStore::open(&store).unwrap(), FeatureStore::open(&whole).unwrap());
        assert_eq!(store.labels(), ["high", "low", "mid", "new"]);
        assert_eq!(store.left_out(), whole.left_out());
        let recording = |store: &FeatureStore, path: &str| {
            store.tracks().iter().find(|track| track.path == path).unwrap().recording.clone()
        };
        for path in ["low/00.wav", "low/71.wav", "mid/40.wav", "new/00.wav"] {
            assert_eq!(recording(&store, path), recording(&whole, path), "{path}");
        }
        assert!(recording(&store, "low/71.wav").is_some(), "a copy of an earlier recording is found");
        assert_eq!(verify_store(store.dir(), observer()).unwrap().damage, Vec::<String>::new());
    }
}

#[test]
fn an_addition_that_is_stopped_leaves_the_store_and_is_continued() {
    let (music, dir) = grown(&ExtractOptions::default());
    let store = dir.path().join("store");
    let before = bytes(&store);
    let options = AddOptions { jobs: 1, cancel: Arc::new(AtomicBool::new(false)) };
    let stop = |progress: Progress<'_>| options.cancel.store(progress.n_done >= 66, Ordering::Relaxed);
    let catalog = Catalog::open_further(music.path()).unwrap();
    let error = add(&store, &catalog, &options, &stop).unwrap_err();
    assert!(matches!(error, Error::Cancelled { n_done: 64, n_tracks: 73 }), "{error}");
    let after = bytes(&store);
    assert!(
        before.iter().all(|(name, content)| after[name] == *content),
        "the files of the store are unchanged"
    );
    assert_eq!(FeatureStore::open(&store).unwrap().tracks().len(), tracks(&store).len());
    // The part that was finished is kept.
    let part = store.join("part-00003.arrow");
    let written = fs::metadata(&part).unwrap().modified().unwrap();
    add_all(&store, music.path()).unwrap();
    assert_eq!(fs::metadata(&part).unwrap().modified().unwrap(), written);
    let fresh = dir.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    before.iter().for_each(|(name, content)| fs::write(fresh.join(name), content).unwrap());
    add_all(&fresh, music.path()).unwrap();
    assert!(bytes(&fresh) == bytes(&store), "the same bytes as without the interruption");
}

#[test]
fn an_addition_that_is_killed_before_the_header_is_replaced_leaves_the_store() {
    let (music, dir) = grown(&ExtractOptions::default());
    let store = dir.path().join("store");
    let (before, opened) = (bytes(&store), FeatureStore::open(&store).unwrap());
    add_all(&store, music.path()).unwrap();
    // All files of the addition, and those that it replaces or removes in the end.
    before.iter().for_each(|(name, content)| fs::write(store.join(name), content).unwrap());
    let again = FeatureStore::open(&store).unwrap();
    assert!(store.join("failures-1.csv").exists() && store.join("part-00004.arrow").exists());
    assert_eq!(again.tracks(), opened.tracks());
    assert_eq!((again.failures(), again.warnings()), (opened.failures(), opened.warnings()));
    assert_eq!(again.labels(), opened.labels());
}

#[test]
fn nothing_new_changes_nothing_and_changed_recordings_are_named() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let store = dir.path().join("store");
    run(music.path(), &store, &ExtractOptions::default()).unwrap();
    let before = bytes(&store);
    write_tone(&music.path().join("low/00.wav"), 333.0, 0.3);
    let addition = add_all(&store, music.path()).unwrap();
    assert_eq!((addition.n_tracks, addition.n_present), (0, 150));
    assert_eq!(addition.changed, ["low/00.wav"]);
    assert!(bytes(&store) == before);
}

#[test]
fn recordings_of_one_class_are_added_twice_in_a_row_and_an_extraction_replaces_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    let music = dir.path().join("music");
    write_tone(&music.join("a/1.wav"), 440.0, 0.25);
    write_tone(&music.join("b/1.wav"), 880.0, 0.25);
    let store = dir.path().join("store");
    run(&music, &store, &ExtractOptions::default()).unwrap();
    for n in 2..4 {
        let further = dir.path().join(format!("further-{n}"));
        write_tone(&further.join(format!("a/{n}.wav")), 300.0 * n as f32, 0.25);
        assert_eq!(add_all(&store, &further).unwrap().n_tracks, 1);
    }
    let names: Vec<String> = bytes(&store).into_keys().filter(|name| name.ends_with(".csv")).collect();
    assert_eq!(names, ["failures-2.csv", "warnings-2.csv"]);
    assert_eq!(FeatureStore::open(&store).unwrap().tracks().len(), 4);
    run(&music, &store, &ExtractOptions::default()).unwrap();
    let names: Vec<String> = bytes(&store).into_keys().filter(|name| name.ends_with(".csv")).collect();
    assert_eq!(names, ["failures.csv", "warnings.csv"]);
    assert_eq!(FeatureStore::open(&store).unwrap().tracks().len(), 2);
}

#[test]
fn a_store_without_an_audit_is_extended_without_one_and_a_shard_is_refused() {
    let (music, dir) = grown(&ExtractOptions { audit: AuditMode::Off, ..ExtractOptions::default() });
    let store = dir.path().join("store");
    assert!(add_all(&store, music.path()).unwrap().audit.is_none());
    assert!(!store.join("recordings-1.csv").exists() && !store.join("audit-00003.json").exists());
    let shard = dir.path().join("shard");
    let options = ExtractOptions { shard: Shard::new(1, 2), ..ExtractOptions::default() };
    run(music.path(), &shard, &options).unwrap();
    let error = add_all(&shard, music.path()).unwrap_err().to_string();
    assert!(error.contains("it is shard 1/2; merge all shards first"), "{error}");
}
